"""A reader of our output that has gone is noticed while there is nothing to write, too."""

import os
import subprocess
import sys
import threading
import time

import pytest

from qga_cli import catalog
from qga_cli.cli.report import Report
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt
from qga_cli.render import View
from tests import lab
from tests.kit.command import Far, qga
from tests.kit.running import GUARD

QUIET = 60  # seconds: as long as this the log, or the program, says nothing more


def piped(
    *words: str, begin: bytes = b"READY\n", stdin: int = subprocess.DEVNULL
) -> tuple[int, float]:
    """The exit code of qga where the reader takes one line and goes, and how long that took."""
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *words], stdout=subprocess.PIPE, stdin=stdin
    )
    assert process.stdout
    assert process.stdout.readline() == begin
    process.stdout.close()
    begun = time.monotonic()
    return process.wait(QUIET), time.monotonic() - begun


def test_a_log_that_is_followed(near: Far) -> None:
    near.sh("echo READY >log")
    place = f"{near.name}:{near.folder}/log"
    code, lasted = piped(*near.flags, "tail", "-f", place)
    assert code == 141
    assert lasted < QUIET / 4


@pytest.mark.parametrize("fleet", [False, True])
def test_a_program(guest: lab.Guest, fleet: bool) -> None:
    name, begin = guest.name, b"READY\n"
    if fleet:
        name, begin = f"{guest.name}*", f"{guest.name}: READY\n".encode()
    code, lasted = piped("exec", name, "--", "sh", "-c", f"echo READY; sleep {QUIET}", begin=begin)
    assert code == 141
    assert lasted < QUIET / 4


def test_a_program_that_was_about_to_end(guest: lab.Guest) -> None:
    """As `tar c` is when the last byte of its archive has come: `tar t` needs no more, and goes."""
    text = "echo READY; sleep 0.6; exit 7"
    code, _ = piped("exec", guest.name, "--", "sh", "-c", text)
    assert code == 7


def test_the_programs_next_write_fails(guest: lab.Guest) -> None:
    mark = f"/run/qga-test-{time.time_ns()}"
    text = f"echo READY; while sleep 0.2; do echo more || {{ echo $? >{mark}; exit; }}; done"
    code, _ = piped("exec", guest.name, "--", "sh", "-c", f"trap '' PIPE; {text}")
    assert code == 141
    assert qga("wait", guest.name, "--for", f"file:{mark}", "--timeout", "30s").code == 0
    assert qga("rm", f"{guest.name}:{mark}").code == 0


def test_a_terminals_output(guest: lab.Guest) -> None:
    window, keyboard = os.openpty()
    try:
        text = f"echo READY; exec sleep {QUIET}.4"
        words = "exec", "-t", guest.name, "--", "sh", "-c", text
        code, lasted = piped(*words, begin=b"READY\r\n", stdin=keyboard)
    finally:
        os.close(window)
        os.close(keyboard)
    assert code == 141
    assert lasted < QUIET / 4
    assert qga("exec", guest.name, "--", "pgrep", "-fx", f"sleep {QUIET}.4").code == 1


def test_who_finds_the_reader_gone_lets_the_others_tidy_up() -> None:
    """Else a program would go on in their guests for a minute."""
    interrupt, working, tidied = Interrupt(), threading.Event(), []

    def work(index: int, target: Target) -> None:
        if index == 0:
            assert working.wait(GUARD)
            raise BrokenPipeError
        with interrupt.shield():
            working.set()
            time.sleep(0.3)
            tidied.append(target.name)

    report = Report(View(catalog.load(("exec",))), 2, as_completed=False, gather=False)
    fleet = Fleet([Target(None, name, name) for name in "ab"], work, interrupt)
    with pytest.raises(BrokenPipeError):
        report.follow(fleet, fail_fast=False)
    assert tidied == ["b"]
