"""What the tests of freezes share: looking at a guest past the code under test."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import lab
from tests.kit.command import qga
from tests.kit.fake import AgentFault

Carry = Callable[[], object]  # carries the command out, and returns its answer
Fault = Callable[[Carry], object]


class Filesystems:
    """Two filesystems behind an agent. `faults` stand in for its first answers, by command."""

    def __init__(self, **faults: list[Fault]) -> None:
        self.frozen = False
        self.faults = faults
        self.seen: list[str] = []

    def __call__(self, request: dict[str, object]) -> object:
        name = str(request["execute"]).removeprefix("guest-fsfreeze-")
        self.seen.append(name)
        faults = self.faults.get(name)
        if faults:
            return faults.pop(0)(lambda: self._carry_out(name))
        return self._carry_out(name)

    def _carry_out(self, name: str) -> object:
        before = self.frozen
        if name == "guest-info":
            return {"version": "11.1", "supported_commands": []}
        if name == "status":
            return "frozen" if before else "thawed"
        if name == "guest-get-fsinfo" and not before:
            return []  # no mount point to look at
        if name not in ("freeze", "thaw") or (before and name == "freeze"):
            raise AgentFault(f"Command {name} has been disabled: the command is not allowed")
        self.frozen = name == "freeze"
        return 2 if before != self.frozen else 0

    def await_thawed(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.frozen:
            assert time.monotonic() < deadline, f"frozen still: {self.seen}"
            time.sleep(0.01)


def refuse(text: str) -> Fault:
    def fault(carry: Carry) -> object:
        raise AgentFault(text)

    return fault


def status(guest: lab.Guest) -> str:
    """What the agent says of its filesystems."""
    return str(guest.call("guest-fsfreeze-status"))


def await_status(guest: lab.Guest, word: str, seconds: float) -> None:
    """Wait until the agent says so."""
    deadline = time.monotonic() + seconds
    while status(guest) != word:
        assert time.monotonic() < deadline, f"not {word} within {seconds} s"
        time.sleep(0.02)


def watchdogs(name: str) -> list[int]:
    """The watchdog processes of one guest."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"qga_cli.freeze.watchdog" in words and name.encode() in words:
            found.append(int(folder.name))
    return found


def await_no_watchdog(name: str, seconds: float = 5) -> None:
    """Watchdogs that have done their work end."""
    deadline = time.monotonic() + seconds
    while left := watchdogs(name):
        assert time.monotonic() < deadline, f"watchdog {left} of {name} stays behind"
        time.sleep(0.02)


def in_guest(guest: lab.Guest, script: str) -> str:
    """Run a script in the guest, and its output."""
    ran = qga("exec", guest.name, "--", "sh", "-c", script)
    assert ran.code == 0, ran.err
    return ran.out


def start(*words: str) -> "subprocess.Popen[bytes]":
    """Begin a command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
