"""What a terminal shows while something is waited for, and what it is left with."""

import os
import pty
import re
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from qga_cli.guests.fleet import Fleet
from qga_cli.interrupt import Interrupt
from qga_cli.render import progress, status
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.policies import lines, template
from tests.kit.running import GUARD
from tests.kit.terminals import terminal

Make = Callable[[Handler], FakeAgent]
GONE = b"\r\x1b[J"  # to the line's begin, and nothing from there on


class Held:
    """An agent's handler that answers at once, but for what is held until `go` is set."""

    def __init__(self, held: str = "") -> None:
        self.go = threading.Event()
        self._held = held

    def __call__(self, request: dict[str, object]) -> object:
        if self._held in str(request["execute"]):
            assert self.go.wait(60)
        if request["execute"] == "guest-info":
            return {"version": "9.0.0", "supported_commands": []}
        return {"host-name": "box"} if request["execute"] == "guest-get-host-name" else {}


def test_an_agent_that_is_slow_is_waited_for_in_sight(fake: Make) -> None:
    held = Held()
    with terminal("-c", fake(held).uri, "os", "hostname", "web1") as t:
        t.see(b"waiting for the agent of web1, ")
        t.see(b" s; Ctrl-C ends it")
        held.go.set()
        assert t.end() == 0
        *_, last = t.screen.split(GONE)
        assert last == b"box\r\n", "nothing of it is left"


def test_a_window_that_is_closed_meanwhile_ends_it_as_any_signal_does(
    fake: Make, tmp_path: Path
) -> None:
    """The line could not be taken away: that was the error, code 1, and the audit file was cut."""
    held, log = Held(), tmp_path / "log"
    with terminal("-c", fake(held).uri, "fs", "trim", "web1", "--audit", str(log)) as t:
        t.see(b"waiting for the agent of web1, ")
        t.shut()
        assert t.process.wait(GUARD) == 128 + signal.SIGHUP
    held.go.set()
    assert [line["outcome"] for line in lines(log)] == ["abandoned"]
    assert [line["exit"] for line in lines(log, "command")] == [129]


def test_a_window_that_is_closed_holds_nobody_who_ignores_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a copy under nohup the bar was the end."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")
    master, slave = pty.openpty()
    with suppress(OSError), os.fdopen(slave, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        one = progress.Bars().bar("web1: data", 100)
        one.advance(50)
        os.close(master)
        try:
            one.advance(50)
            one.close(done=True)
        except OSError as error:
            pytest.fail(str(error))


def test_a_wide_name_stays_on_one_line(fake: Make) -> None:
    """What is longer than the screen is wide was not taken away whole."""
    held = Held()
    with terminal("-c", fake(held).uri, "os", "hostname", "ウェブ" * 25) as t:
        line = t.see(b" s; Ctrl-C ends it").decode()
        held.go.set()
        assert t.end() == 0
    width = cell_len(line.rpartition("\r")[2]) + len(" s; Ctrl-C ends it")
    assert width < 100, "as COLUMNS says"


def test_it_is_as_wide_as_the_terminal_that_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the answer in a pipe it was taken to have 80 columns: each second one more line of it
    stayed on a narrower one."""
    monkeypatch.setattr(status, "_PATIENCE", 0.0)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "__stdout__", None)
    with stderr_is_a_terminal(monkeypatch) as shown:
        termios.tcsetwinsize(sys.stderr.fileno(), (24, 50))
        waiting = status.Status()
        waiting.tell("waiting for " + "web1 " * 20)
        waiting.tick(Fleet([], lambda index, target: None, Interrupt()))
        waiting.off()
    line, rest = shown[0].split("\r")
    assert (cell_len(line), rest) == (49, "\x1b[J")


def test_a_fleet_counts_those_that_have_answered(fake: Make) -> None:
    quick, held = fake(Held("nothing")), Held()
    fake(held)
    with terminal("-c", template(quick), "os", "hostname", "agent0,agent1") as t:
        t.see(b"1 of 2 done, waiting for agent1, ")
        held.go.set()
        assert t.end() == 0
        assert b"agent1" in t.screen.split(GONE)[-1]


def test_doctor_shows_its_rows_meanwhile(fake: Make) -> None:
    held = Held("guest-info")
    with terminal("-c", fake(held).uri, "doctor", "web1") as t:
        rows = t.see(b"checking: version")
        assert re.search(rb"ping +ok", rows)
        held.go.set()
        assert t.end() == 0
        *_, last = t.screen.split(b"\x1b[J")
        assert last.startswith(b"CHECK"), "the rows come once more, as the answer"


@pytest.mark.parametrize("env", [{}, {"TERM": "dumb"}])
def test_in_a_pipe_nobody_is_told(fake: Make, env: dict[str, str]) -> None:
    held = Held()
    threading.Timer(1.5, held.go.set).start()
    ran = qga("-c", fake(held).uri, "os", "hostname", "web1", env=env)
    assert (ran.code, ran.out, ran.err) == (0, "box\n", "")


@contextmanager
def stderr_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the terminal has shown, as a list of one text that is filled at the end."""
    master, slave = pty.openpty()
    shown: list[str] = []
    with os.fdopen(slave, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield shown
    said = b""
    with suppress(OSError):  # EIO: nobody writes to it any more
        while data := os.read(master, 65536):
            said += data
    os.close(master)
    shown.append(said.decode())


@pytest.mark.parametrize("colour", [True, False])
def test_a_bar_has_its_share_and_leaves_one_line(
    monkeypatch: pytest.MonkeyPatch, colour: bool
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    with stderr_is_a_terminal(monkeypatch) as shown:
        bars = progress.Bars()
        one, other = bars.bar("web1: data", 10 * 2**20), bars.bar("web2: data", None)
        one.advance(5 * 2**20)
        other.advance(3 * 2**20)
        other.close(done=False)  # a copy that failed has an error, and no line of praise
        one.advance(5 * 2**20)
        one.close(done=True)
    (said,) = shown
    assert "5.0M/10M" in said
    assert "3.0M" in said
    assert "3.0M/" not in said, "how much there is nobody knows"
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said).replace("\r", "\n").split("\n")
    assert [line for line in last if " in " in line][-1].startswith("web1: data: 10M in ")
    assert not any(line.startswith("web2: data: 3") for line in last)
    coloured = set(re.findall(r"\x1b\[[0-9;]*m", said))
    assert bool(coloured - {"\x1b[0m"}) == colour
    assert not any(code in ("\x1b[31m", "\x1b[91m") for code in coloured), "red is for errors"


def test_a_copy_that_is_over_soon_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with stderr_is_a_terminal(monkeypatch) as shown:
        one = progress.Bars().bar("web1: data", 100)
        one.advance(100)
        one.close(done=True)
    assert shown == [""]
