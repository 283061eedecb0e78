"""A guest that migrates to another host while it is talked to: live, between two libvirtds."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.kit.faults import WAIT, in_mid_copy
from tests.kit.freezes import await_no_watchdog
from tests.kit.running import Started
from tests.kit.second_host import SecondHost
from tests.kit.terminals import terminal

pytestmark = pytest.mark.slow

NAME = f"qga-moving-{os.getpid()}"


class Moving:
    """A guest on `here`, which `move` brings to `there`."""

    def __init__(self, here: SecondHost, there: SecondHost) -> None:
        self._hosts = [here, there]

    @property
    def here(self) -> tuple[str, str]:
        """Options that say where it is."""
        return ("-c", self._hosts[0].uri)

    @property
    def there(self) -> tuple[str, str]:
        """Options for the other host."""
        return ("-c", self._hosts[1].uri)

    def move(self) -> None:
        """Live; then `here` is where it was not before."""
        self._hosts[0].migrate(NAME, self._hosts[1])
        self._hosts.reverse()


@pytest.fixture(scope="module")
def moving() -> Iterator[Moving]:
    """One for the module, wherever a test has left it."""
    with SecondHost() as one, SecondHost() as two:
        one.boot(NAME)
        assert qga("-c", one.uri, *WAIT, NAME).code == 0
        yield Moving(one, two)


@pytest.fixture(autouse=True)
def clean(moving: Moving) -> Iterator[None]:
    """It works where it is by then, and nothing stays on this machine."""
    yield
    assert qga(*moving.here, "os", "hostname", NAME).out == f"{NAME}\n"
    ran = qga(*moving.there, "ping", NAME)
    assert (ran.code, f"no guest named '{NAME}'" in ran.err) == (4, True)
    await_no_watchdog(NAME)


def test_while_a_program_is_followed(moving: Moving) -> None:
    program = ("sh", "-c", "while echo tick; do sleep 0.2; done")
    started = Started(*moving.here, "exec", NAME, "--", *program)
    assert started.line() == "tick"
    moving.move()
    code, _, err = started.end()
    assert code == 125
    assert err.startswith(f"qga: {NAME}: the guest has gone "), err
    assert "or has migrated: then its new host knows it" in err


def test_while_a_terminal_is_open(moving: Moving) -> None:
    words = ("exec", *moving.here, "-it", NAME, "--", "sh", "-c", "echo ready; cat")
    with terminal(*words) as t:
        t.see(b"ready\r\n")
        moving.move()
        assert t.end() == 125
        assert t.modes() == t.modes_before
        assert t.screen.startswith(f"qga: {NAME}: the guest has gone ".encode()), t.screen


def test_between_two_calls(moving: Moving) -> None:
    batch = Started(*moving.here, "batch", NAME, stdin=subprocess.PIPE)
    assert batch.process.stdin
    batch.process.stdin.write(b'{"execute": "guest-ping"}\n')
    batch.process.stdin.flush()
    assert json.loads(batch.line()) == {"return": {}}
    moving.move()
    batch.process.stdin.write(b'{"execute": "guest-ping"}\n')
    code, out, err = batch.end()
    assert (code, out) == (4, "")
    assert err.startswith(f"qga: {NAME}: the guest has gone "), err
    assert "or has migrated: then its new host knows it" in err


@pytest.mark.parametrize("way", ["in", "out"])
def test_while_a_file_is_copied(moving: Moving, tmp_path: Path, way: str) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "data").write_bytes(data)
    far = f"{NAME}:/root/data"
    there = moving.there
    if way == "in":
        in_mid_copy(str(tmp_path / "data"), far, moving.move, *moving.here, after=there)
    else:
        assert qga(*moving.here, "cp", str(tmp_path / "data"), far).code == 0
        in_mid_copy(far, str(tmp_path / "back"), moving.move, *moving.here, after=there)
        assert (tmp_path / "back").read_bytes() == data
    assert qga(*moving.here, "ls", "-a", f"{NAME}:/root").out.count("data") == 1
    assert sorted(os.listdir(tmp_path)) == (["data"] if way == "in" else ["back", "data"])


def test_while_it_is_frozen(moving: Moving) -> None:
    started = Started(*moving.here, "fs", "with-frozen", NAME, "--", "sh", "-c", "echo now; read x",
                      stdin=subprocess.PIPE)  # fmt: skip
    assert started.line() == "now"
    moving.move()
    code, _, err = started.end()  # which closes its input
    assert code == 125
    assert "cannot be thawed, and does not run here any more" in err
    assert "run `qga fs thaw" in err
    assert qga(*moving.here, "fs", "status", NAME).out == "frozen\n"
    assert qga(*moving.here, "fs", "thaw", NAME).code == 0
