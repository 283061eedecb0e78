"""Freezes by hand: keys, prompts and a terminal that is closed."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests import lab
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.freezes import Filesystems, await_no_watchdog, status
from tests.kit.running import GUARD, readable

Fake = Callable[..., FakeAgent]


class Terminal:
    """A program in the foreground of a terminal of its own."""

    def __init__(self, *argv: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *argv], stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def expect(self, text: str, seconds: float = 10) -> None:
        """Read on until it says so."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            left = deadline - time.monotonic()
            assert readable(self.master, left), repr(self.text)
            try:
                self.text += os.read(self.master, 4096).decode()
            except OSError as error:  # EIO: the last writer has gone
                raise AssertionError(self.text) from error

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
            self.process.wait(GUARD)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def open_one(*argv: str) -> Terminal:
        made.append(Terminal(*argv))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def words(agent: FakeAgent, *command: str) -> list[str]:
    python = [sys.executable, "-m", "qga_cli"]
    return [*python, "-c", agent.uri, "fs", "with-frozen", "web1", "--", *command]


def test_the_command_may_ask_for_something(fake: Fake, terminal: Callable[..., Terminal]) -> None:
    script = 'echo name?; read -r name; echo "hello $name"'
    shell = "$@; read -r rest; echo we have $rest again"
    argv = words(fake(Filesystems()), "sh", "-c", script)
    seen = terminal("sh", "-c", shell.replace("$@", '"$@"'), "sh", *argv)
    seen.expect("name?")
    seen.type("world\n")
    seen.expect("hello world")
    seen.type("the terminal\n")
    seen.expect("we have the terminal again")


def test_ctrl_c_while_the_command_runs(fake: Fake, terminal: Callable[..., Terminal]) -> None:
    filesystems = Filesystems()
    # Neither a fork of dash nor Python before its sleep may lose a Ctrl-C: this does not.
    seen = terminal(*words(fake(filesystems), "sh", "-c", "echo runs; exec sleep 60"))
    seen.expect("runs")
    seen.type("\x03")
    assert seen.process.wait(GUARD) == -signal.SIGINT
    assert not filesystems.frozen


def test_ctrl_c_for_the_command_is_for_the_script_around_it_too(
    fake: Fake, terminal: Callable[..., Terminal]
) -> None:
    """Only the command's group has heard of it, for it has the terminal: the script went on."""
    argv = words(fake(Filesystems()), "sh", "-c", "echo runs; exec sleep 60")
    seen = terminal("sh", "-c", '"$@"; sleep 60', "sh", *argv)
    seen.expect("runs")
    seen.type("\x03")
    assert seen.process.wait(GUARD / 10) == -signal.SIGINT


def test_the_terminal_is_closed(fake: Fake, terminal: Callable[..., Terminal]) -> None:
    filesystems = Filesystems()
    seen = terminal(*words(fake(filesystems), "sh", "-c", "echo runs; sleep 60"))
    seen.expect("runs")
    began = time.monotonic()
    seen.close()
    filesystems.await_thawed(2 - (time.monotonic() - began))
    await_no_watchdog("web1")


def test_a_plain_freeze_says_how_to_thaw(
    guest: lab.Guest, terminal: Callable[..., Terminal]
) -> None:
    try:
        seen = terminal(sys.executable, "-m", "qga_cli", "fs", "freeze", guest.name)
        seen.expect("2 filesystems frozen\r\n")
        assert f"{guest.name}: frozen until somebody runs `qga fs thaw {guest.name}`" in seen.text
        assert status(guest) == "frozen"
    finally:
        assert qga("fs", "thaw", guest.name).out == "2\n"
