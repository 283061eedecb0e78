"""Kills `qga fs with-frozen` at random moments and watches the guest.

python -m tests.soak.freeze --runs 100 GUEST    a line a run, and a summary; any lab guest will do
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import lab
from tests.kit.freezes import start, status, watchdogs

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LIMIT = 2.0  # seconds from the signal to the thaw
WORK = 0.6  # seconds that the command under the freeze takes
_MOMENTS = 1.1  # seconds over which the kills are spread: start, freeze, command, thaw


class Kill:
    """One run that was killed, and what the guest did."""

    def __init__(self, victim: str, signum: int, moment: float) -> None:
        self.victim = victim
        self.signum = signum
        self.moment = moment
        self.phase = ""  # what was going on when the signal went out
        self.code: int | None = None
        self.thawed_after = 0.0  # the last time the guest was seen frozen, after the signal

    def __str__(self) -> str:
        name = signal.Signals(self.signum).name
        return (
            f"{self.victim:7} {name:7} at {self.moment:4.2f} s, {self.phase:14} "
            f"code {self.code:4}, thawed within {self.thawed_after:4.2f} s"
        )


def kill_one(guest: lab.Guest, dice: random.Random, folder: Path, watch: float) -> Kill:
    """Start a run, kill it, and watch it for that many seconds at least until all is over.

    Raises AssertionError when the guest was not thawed in time, and when a process stays behind.
    """
    victim = dice.choice(("parent", "parent", "command"))
    kill = Kill(victim, dice.choice(SIGNALS), dice.uniform(0, _MOMENTS))
    marks = [folder / "began", folder / "ended"]
    for mark in marks:
        mark.unlink(missing_ok=True)
    script = 'echo $$ >"$0.new"; mv "$0.new" "$0"; sleep "$2"; : >"$1"'
    began = time.monotonic()
    words = ["sh", "-c", script, *map(str, marks), str(WORK)]
    process = start("fs", "with-frozen", "--max", "20s", guest.name, "--", *words)
    pid = process.pid
    if victim == "command":
        pid = _await_pid(marks[0])
        time.sleep(kill.moment / _MOMENTS * WORK * 0.9)
    else:
        time.sleep(max(0.0, began + kill.moment - time.monotonic()))
    kill.phase = _phase(process, marks)
    try:
        os.kill(pid, kill.signum)
    except ProcessLookupError:
        kill.phase = "after the end"
    _watch(guest, kill, process, watch)
    _, errors = process.communicate(timeout=20)
    kill.code = process.returncode
    began_command = marks[0].exists() and not marks[1].exists()
    command = int(marks[0].read_text()) if began_command else 0
    assert not command or not _runs(command), f"the command runs on: {kill}: {errors.decode()}"
    return kill


def _await_pid(mark: Path) -> int:
    deadline = time.monotonic() + 20
    while not mark.exists():
        assert time.monotonic() < deadline, "the command has not been started"
        time.sleep(0.005)
    return int(mark.read_text())


def _phase(process: "subprocess.Popen[bytes]", marks: list[Path]) -> str:
    if process.poll() is not None:
        return "after the end"
    if marks[1].exists():
        return "thawing"
    return "command runs" if marks[0].exists() else "until frozen"


def _watch(
    guest: lab.Guest, kill: Kill, process: "subprocess.Popen[bytes]", seconds: float
) -> None:
    """Look at the guest while anybody is left who could freeze it, and while asked to."""
    since = time.monotonic()
    while True:
        over = process.poll() is not None and not watchdogs(guest.name)
        now = time.monotonic()
        if status(guest) == "frozen":
            kill.thawed_after = time.monotonic() - since
            assert now - since < LIMIT, f"still frozen: {kill}"
            assert not over, f"left frozen: {kill}"
        elif over and now - since >= seconds:
            return
        assert now - since < 30, f"somebody stays behind: {kill}"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def main() -> int:
    """Run as many as asked for; 1 when one of them leaves the guest frozen."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.freeze", description=__doc__)
    parser.add_argument("guest")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
    guest = lab.up(options.guest, options.suite)
    dice = random.Random(options.seed)
    kills = []
    with TemporaryDirectory() as folder:
        for _ in range(options.runs):
            kills.append(kill_one(guest, dice, Path(folder), LIMIT + 0.5))
            print(kills[-1], flush=True)
    slowest = max(kill.thawed_after for kill in kills)
    phases = Counter(kill.phase for kill in kills)
    print(f"{len(kills)} runs on agent {guest.agent_version}: all thawed, the slowest within "
          f"{slowest:.2f} s; killed {dict(phases)}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
