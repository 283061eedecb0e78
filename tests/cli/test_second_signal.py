"""The second Ctrl-C ends every verb within a second, whatever the agent does.

It tells what it knows. The agent is a real one, stopped (SIGSTOP) before the verb begins, or
while its program runs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli import catalog
from tests.kit.command import environment, qga
from tests.kit.running import GUARD, Started, eventually, marked
from tests.kit.terminals import terminal
from tests.lab.local_agent import LocalAgent
from tests.lab.local_agent import agent as run_agent

HANDLED = 1 << (signal.SIGTERM - 1)
# What a verb is called with; `VM` is any name, the host is one socket.
LINES = {
    "cat": "VM:/etc/passwd",
    "cp": "HERE VM:/tmp/there",
    "doctor": "VM",
    "edit": "VM:/etc/passwd",
    "exec": "VM -- true",
    "exec-status": "VM 1 --wait",
    "fs with-frozen": "VM -- true",
    "connect": "VM 22",
    "forward": "VM 0:22",
    "list": "",
    "ls": "VM:/etc",
    "mkdir": "VM:/tmp/there",
    "mv": "VM:/tmp/there VM:/tmp/then",
    "net address": "VM",
    "pull": "VM:/etc/passwd HERE.too",
    "push": "HERE VM:/tmp/there",
    "rm": "VM:/tmp/there",
    "script": "VM HERE",
    "tail": "VM:/etc/passwd -f",
    "wait": "VM",
    "fs list": "VM",
    "fs freeze": "VM",
    "info": "VM",
    "os info": "VM,OTHER",
    "ssh list": "VM root",
    "raw": "VM guest-info",
    "rsh": "VM true",
}
# They ask no agent, or live as long as they are wanted, or end on a terminal (see below).
OTHERS = {
    "batch", "completion", "config show", "help", "shell", "metrics", "exporter", "top",
    "ssh config",
}  # fmt: skip


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[LocalAgent]:
    """A real agent, told to stand still."""
    with run_agent(tmp_path, "still") as made:
        os.kill(made.pid, signal.SIGSTOP)
        yield made


def test_every_verb_is_here() -> None:
    verbs = {command.name for command in catalog.walk() if not command.wire}
    assert verbs <= set(LINES) | OTHERS


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_the_second_one_ends_it(name: str, stopped: LocalAgent, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.write_text("echo\n")
    words = LINES[name].replace("HERE", str(here)).split()
    before = ["--timeout", "60"] if name == "list" else []
    started = Started("-c", f"unix:{stopped.socket}", *name.split(), *before, *words)
    listens(started)
    twice(started)
    code, _, err = started.end()
    assert code in (-signal.SIGINT, 125, 0), err  # list: its rows are in
    assert "Traceback" not in err


def test_what_is_known_is_told(tmp_path: Path) -> None:
    with run_agent(tmp_path, "still") as made:
        started = Started("-c", f"unix:{made.socket}", "exec", "x", "--", "sleep", "31")
        assert eventually(lambda: any("sleep 31" in line for line in marked()))
        os.kill(made.pid, signal.SIGSTOP)
        twice(started)
        code, _, err = started.end()
        os.kill(made.pid, signal.SIGCONT)
    assert code == -signal.SIGINT
    assert re.search(
        r"interrupted: sleep may still run in x(, pid \d+|; its pid is not known)", err
    )


@pytest.mark.slow
def test_a_copy_tells_what_it_may_have_left_and_what_removes_that(tmp_path: Path) -> None:
    source, part = tmp_path / "data", tmp_path / "there" / ".data.0123456789abcdef.qga-part"
    source.write_text("data")
    part.parent.mkdir()
    part.write_text("other")
    part.chmod(0o600)
    with run_agent(tmp_path, "still") as made:
        words = ("-c", f"unix:{made.socket}", "cp", str(source), f"x:{part.parent}")
        assert qga(*words).code == 0
        assert part.exists()
        assert qga(*words, "--resume").code == 0
        assert not part.exists()
        source.write_bytes(os.urandom(100 * 2**20))
        started = Started(*words, "--channel", "never")
        assert eventually(lambda: any(one.stat().st_size for one in part.parent.glob(".data.*")))
        os.kill(made.pid, signal.SIGSTOP)
        twice(started)
        code, _, err = started.end()
    assert code == -signal.SIGINT
    assert "as .NAME.*.qga-part; --resume uses or removes it" in err


def test_a_terminal_is_left_as_it_was(tmp_path: Path) -> None:
    with run_agent(tmp_path, "still") as made:
        with terminal("-c", f"unix:{made.socket}", "exec", "-t", "x", "--", "cat") as typed:
            typed.type(b"hello\r")
            typed.see(b"hello\r\nhello")
            os.kill(made.pid, signal.SIGSTOP)
            typed.signal(signal.SIGTERM)
            typed.watch(0.2)  # two that come at once are one
            typed.signal(signal.SIGTERM)
            began = time.monotonic()
            assert typed.end() in (143, 125)
            assert time.monotonic() - began < 1.5
            assert typed.modes() == typed.modes_before
        os.kill(made.pid, signal.SIGCONT)


def test_the_cursor_comes_back_where_a_bar_was(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(200 * 2**20))
    with run_agent(tmp_path, "still") as made:
        words = ("--channel", "never", f"x:{tmp_path}/big", str(tmp_path / "copy"))
        with terminal("-c", f"unix:{made.socket}", "cp", *words) as typed:
            typed.see(b"\x1b[?25l")
            os.kill(made.pid, signal.SIGSTOP)
            typed.signal(signal.SIGINT)
            typed.watch(0.2)
            typed.signal(signal.SIGINT)
            typed.see(b"\x1b[?25h", seconds=5)
            typed.see(b"qga: interrupted: ", seconds=5)
            assert typed.end() == -signal.SIGINT
        os.kill(made.pid, signal.SIGCONT)


def test_signals_that_were_ignored_stay_so(tmp_path: Path) -> None:
    """As under `trap '' INT`, or in the background of a script: Ctrl-C is not for it."""
    ignoring, slow = "trap '' INT TERM; exec \"$@\"", "echo; sleep 1; exit 5"
    with run_agent(tmp_path, "a") as made:
        words = ("-c", f"unix:{made.socket}", "exec", "x", "--", "sh", "-c", slow)
        process = subprocess.Popen(
            ["sh", "-c", ignoring, "sh", sys.executable, "-m", "qga_cli", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(None),
        )  # fmt: skip
        assert process.stdout
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=GUARD)
    assert process.returncode == 5


def listens(started: Started) -> None:
    """Wait until its handlers stand."""
    path = f"/proc/{started.process.pid}/status"

    def handles() -> bool:
        with open(path) as file:
            caught = next(line for line in file if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) & HANDLED)

    assert eventually(handles)


def twice(started: Started) -> None:
    """Press Ctrl-C twice; the end must come within a second of the second."""
    started.signal(signal.SIGINT)
    time.sleep(0.2)  # two that come at once are one
    if started.process.poll() is not None:
        return
    started.signal(signal.SIGINT)
    began = time.monotonic()
    started.process.wait(timeout=GUARD)
    assert time.monotonic() - began < 1.0
