"""A program's streams on ports, as the library gives them."""

import hashlib
import time

import pytest

from qga_cli import connect
from qga_cli.channel.ports import STAY
from qga_cli.errors import NoChannel, NoProgram, TimedOut
from qga_cli.exec import stream as program_stream
from tests import lab
from tests.kit.channels import plugged


@pytest.mark.port_written
@pytest.mark.usefixtures("tidy")
def test_a_stream_of_a_program(guest: lab.Guest) -> None:
    with connect() as host:
        far = host.guest(guest.name)
        for data in (b"", b"x", bytes(range(256)) * 8000):
            with far.open_stream(["sha256sum"], timeout=30) as stream:
                stream.write(data)
                stream.end_input()
                said = b""
                while piece := stream.read(30):
                    said += piece
                assert said.split()[0].decode() == hashlib.sha256(data).hexdigest()
                assert stream.code == 0
        with far.open_stream(["sh", "-c", "echo $A; exit 7"], env={"A": "b c"}) as stream:
            assert stream.read(30) == b"b c\n"
            assert stream.read(30) == b""
            assert stream.code == 7
    assert len(plugged(guest)) <= STAY


@pytest.mark.port_written
@pytest.mark.usefixtures("tidy")
def test_a_program_that_is_not_there_is_not_waited_for(
    guest: lab.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took 10 s to say so."""
    monkeypatch.setattr(program_stream, "_BEGIN", 60.0)
    with connect() as host:
        began = time.monotonic()
        with pytest.raises(NoProgram):
            host.guest(guest.name).open_stream(["no-such-program"])
    assert time.monotonic() - began < 30
    assert len(plugged(guest)) <= STAY


@pytest.mark.port_written
@pytest.mark.usefixtures("tidy")
def test_a_stream_answers_at_once(guest: lab.Guest) -> None:
    with connect() as host, host.guest(guest.name).open_stream(["cat"], timeout=30) as stream:
        took = []
        for turn in range(50):
            began = time.monotonic()
            stream.write(b"%d\n" % turn)
            assert stream.read(30) == b"%d\n" % turn
            took.append(time.monotonic() - began)
        assert min(took) < 0.01


@pytest.mark.port_written
@pytest.mark.usefixtures("tidy")
def test_a_stream_that_is_left_takes_its_ports_away(guest: lab.Guest) -> None:
    with connect() as host:
        stream = host.guest(guest.name).open_stream(["sleep", "60"])
        with stream, pytest.raises(TimedOut):
            stream.read(0.1)
    assert plugged(guest) == []


def test_only_libvirt_has_ports(local_agent: str) -> None:
    with connect(local_agent) as host, pytest.raises(NoChannel, match="only libvirt"):
        host.guest("vm").open_stream(["true"])
