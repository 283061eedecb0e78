"""Which of libvirt's releases are trusted with a port that is written, and calls that hang."""

import errno
import math
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qga_cli.channel import PREFIX, port, ports
from qga_cli.channel.plugged import abandoned, survey
from qga_cli.channel.ports import Channel
from qga_cli.errors import NoChannel
from qga_cli.files.guest.flow import _Writer
from qga_cli.transports import libvirt_ports
from qga_cli.transports.libvirt_calls import LibvirtError
from qga_cli.transports.libvirt_ports import LibvirtPorts
from qga_cli.transports.ports import Plugged


class OneRelease(LibvirtPorts):
    """The ports of a guest whose host runs that release; nothing can be plugged."""

    def __init__(self, release: int) -> None:
        connection = SimpleNamespace(release=lambda: release)
        domain = SimpleNamespace(uuid=lambda: "", connection=connection, xml=lambda: "")
        super().__init__(cast(Any, domain), None)

    def apart(self) -> LibvirtPorts:
        """The same one."""
        return self

    def may_plug(self) -> bool:
        """Said by who asks for more than a port to write."""
        raise NoChannel("it would be plugged")


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (9_000_000, "it would be plugged"),
        (9_001_000, "libvirt 9.1 can crash when a port is written"),
        (11_003_000, "libvirt 11.3 can crash when a port is written"),
        (12_007_001, "libvirt 12.7 can crash when a port is written"),
        (12_008_000, "it would be plugged"),
    ],
)
def test_nothing_is_plugged_to_be_written_where_libvirtd_could_crash(
    release: int, said: str
) -> None:
    channel = Channel(OneRelease(release), lambda *_: None, patience=10)
    with pytest.raises(NoChannel, match=said):
        channel.take(1, 1)
    with pytest.raises(NoChannel, match="it would be plugged"):
        channel.take(1)


def test_a_host_that_can_start_no_process_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody would take the ports away if we died."""

    def refuse(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(ports, "Survivor", refuse)
    host = OneRelease(9_000_000)
    monkeypatch.setattr(host, "may_plug", lambda: True)
    channel = Channel(host, lambda *_: None, patience=30)
    with pytest.raises(NoChannel, match="Resource temporarily unavailable"):
        channel.take(1)
    channel.close()
    assert capfd.readouterr().err == ""


class Passing(LibvirtPorts):
    """Ports that are unplugged once they have been listed."""

    def __init__(self) -> None:
        def gone(name: str, stream: object) -> None:
            raise LibvirtError(1, f"cannot find channel {name}", f"cannot find channel {name}")

        connection = SimpleNamespace(stream=lambda flags: None)
        domain = SimpleNamespace(uuid=lambda: "", connection=connection, open_channel=gone)
        super().__init__(cast(Any, domain), None)

    def plugged(self, prefix: str) -> list[Plugged]:
        return [Plugged(f"{PREFIX}{number:016}", is_open=bool(number)) for number in range(2)]


def test_a_port_that_has_gone_since_it_was_listed_is_nobodys_fault() -> None:
    assert abandoned(Passing()) == []
    used, idle, left = survey(Passing())
    assert (len(used), idle, left) == (2, [], [])


class Lasting(LibvirtPorts):
    """A port that stays for so many looks, on a host that may refuse to unplug it."""

    def __init__(self, looks: float, refusal: str) -> None:
        def detach(alias: str, flags: int) -> None:
            self.unplugged = alias
            if refusal:
                raise LibvirtError(1, refusal, refusal)

        def xml() -> str:
            self.left -= 1
            return self.element if self.left >= 0 else ""

        self.left = looks
        self.unplugged = ""
        self.element = libvirt_ports._NEW.format("x.1", "ua-x-1")
        domain = SimpleNamespace(uuid=lambda: "", connection=None, xml=xml, detach_alias=detach)
        super().__init__(cast(Any, domain), None)


@pytest.mark.parametrize("refusal", ["", "An error occurred, but the cause is unknown"])
def test_a_port_that_goes_a_moment_later_is_waited_for(refusal: str) -> None:
    """Also where somebody else has just begun to unplug it: then libvirt refuses."""
    host = Lasting(5, refusal)
    host.unplug("x.1")
    assert (host.unplugged, host.left) == ("ua-x-1", -1)
    host = Lasting(0, refusal)
    host.unplug("x.1")
    assert host.unplugged == ""  # it was not there


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("", "the port x.1 cannot be unplugged: it is still there after 0.1 s"),
        ("access denied", "the port x.1 cannot be unplugged: access denied"),
    ],
)
def test_a_port_that_does_not_go_is_told(
    monkeypatch: pytest.MonkeyPatch, refusal: str, said: str
) -> None:
    monkeypatch.setattr(libvirt_ports, "_GONE", 0.1)
    monkeypatch.setattr(libvirt_ports, "_PASSING", 0.1)
    with pytest.raises(NoChannel, match=said):
        Lasting(math.inf, refusal).unplug("x.1")


class StuckStream:
    """A stream of libvirt's from which no call returns."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.closed = False

    def read(self) -> bytes:
        self.over.wait()
        return b""

    def write(self, data: bytes) -> None:
        self.over.wait()

    def close(self) -> None:
        self.closed = True


def test_a_call_that_never_returns_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "_STUCK", 0.1)
    streams = StuckStream(), StuckStream()
    out, into = port.OutPort("a", streams[0]), port.InPort("b", streams[1])
    threading.Thread(target=out.write, args=(b"x",), daemon=True).start()
    while out.at_rest:
        time.sleep(0.01)
    began = time.monotonic()
    out.close()
    into.close()
    assert time.monotonic() < began + 5
    assert [stream.closed for stream in streams] == [False, False]
    for stream in streams:
        stream.over.set()


class SayingStream(StuckStream):
    """One piece, and then nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""

    def read(self) -> bytes:
        if not self.said:
            self.over.wait()
        said, self.said = self.said, b""
        return said


def test_what_came_with_the_nonce_comes_once() -> None:
    """A program's first output came twice where its two ports did not speak in the same moment."""
    stream = SayingStream()
    into = port.InPort("b", stream)
    stream.said = f"earlier\n{into.nonce}\noutput\n".encode()
    stream.over.set()
    into.greet(10)
    into.greet(0)
    assert into.read(30 * 86400) == b"output\n"  # longer than poll can be told
    assert into.read(0) == b""
    into.close()


def test_a_copy_leaves_a_write_behind_that_never_returns() -> None:
    stream = StuckStream()
    writer = _Writer(port.OutPort("a", stream), iter([b"x"]))
    began = time.monotonic()
    writer.join()
    assert time.monotonic() < began + 5
    assert writer.is_busy
    stream.over.set()
