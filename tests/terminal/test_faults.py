"""A terminal whose other end is stuck, gone, mute or hostile, and keys that are not for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.inside.terminal import begin, frames
from qga_cli.terminal.by_python import program
from qga_cli.terminal.carrier import TerminalRequest
from qga_cli.terminal.console import Console, Escape
from qga_cli.wire import to_base64
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.terminals import terminal
from tests.lab.local_agent import LocalAgent
from tests.lab.local_agent import agent as run_local_agent

WAIT = "echo ready; sleep 4010"


@pytest.mark.parametrize("owner", ["1234", "nobody-of-this-name"])
def test_a_terminal_is_its_users_also_by_number(
    monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """gpg and screen open it by name; `exec -t -u 1234` left it root's."""
    given: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda *about: given.append(about))
    begin.give(owner)
    assert given == ([(0, 1234, -1)] if owner == "1234" else [])


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[LocalAgent]:
    """A real agent that the test may stop and kill."""
    with run_local_agent(tmp_path, "own") as running:
        yield running


def words(agent: LocalAgent, script: str) -> list[str]:
    return ["exec", "-c", f"unix:{agent.socket}", "-it", "local", "--", "sh", "-c", script]


def test_an_agent_that_dies_ends_the_session_and_the_modes_come_back(
    own_agent: LocalAgent,
) -> None:
    with terminal(*words(own_agent, WAIT)) as t:
        t.see(b"ready")
        os.kill(own_agent.pid, signal.SIGKILL)
        assert t.end(10) == 125
        assert b"qga: local: " in t.screen
        assert t.modes() == t.modes_before


@pytest.mark.slow
@pytest.mark.parametrize("leave", ["~.", "SIGTERM"])
def test_an_agent_that_hangs_holds_neither_keyboard_nor_signals(
    own_agent: LocalAgent, leave: str
) -> None:
    with terminal(*words(own_agent, WAIT)) as t:
        t.see(b"ready\r\n")
        os.kill(own_agent.pid, signal.SIGSTOP)
        if leave == "~.":
            t.type(b"~.")
        else:
            t.signal(signal.SIGTERM)
        assert t.end(10) == (129 if leave == "~." else 143)
        assert t.modes() == t.modes_before


@pytest.mark.slow
def test_escapes_are_for_us(local_agent: str) -> None:
    with terminal("shell", "-c", local_agent, "x", "-u", "nobody-at-all") as t:
        assert t.end() == 1  # of su
    cat = ["x", "--", "sh", "-c", "echo ready; cat"]
    with terminal("exec", "-c", local_agent, "-t", *cat) as t:
        t.see(b"ready\r\n")
        t.type(b"~~tilde\r")
        t.see(b"~tilde\r\n~tilde\r\n")
        t.type(b"~?")
        t.see(b"~.  end the session\r\n")
        t.type(b"a~.b\r")
        t.see(b"a~.b\r\na~.b\r\n")
        t.type(b"~.")
        assert t.end() == 129
        assert t.screen == b"qga: x: session ended\r\n"
    with terminal("exec", "-c", local_agent, "-t", "--escape", "none", *cat) as t:
        t.see(b"ready\r\n")
        t.type(b"~.\r\x04")
        assert t.end() == 0
        assert t.screen.endswith(b"~.\r\n~.\r\n")


@pytest.mark.parametrize(
    ("typed", "passed", "end"),
    [
        (b"ls\r~.", b"ls\r", True),
        (b"ls ~.", b"ls ~.", False),
        (b"~x\r", b"~x\r", False),
        (b"~~.", b"~.", False),
        (b"~?~.", b"", True),
        (b"\n~\r~.", b"\n~\r", True),
    ],
)
def test_an_escape_is_found_however_the_keys_are_cut(
    typed: bytes, passed: bytes, end: bool
) -> None:
    whole, single = Escape(b"~"), Escape(b"~")
    assert whole.strip(typed) == passed
    assert b"".join(single.strip(typed[i : i + 1]) for i in range(len(typed))) == passed
    assert (whole.end, single.end) == (end, end)
    assert Escape(b"").strip(typed) == typed


def test_a_program_that_cannot_run_has_a_shell_s_exit_code(local_agent: str) -> None:
    for name, code, reason in (
        ("no-such-program", 127, b"no program 'no-such-program' in the guest"),
        ("/etc/passwd", 126, b"'/etc/passwd' is not executable in the guest"),
    ):
        with terminal("exec", "-c", local_agent, "-t", "x", "--", name) as t:
            assert t.end() == code
            assert reason in t.screen


def test_without_a_terminal_there_is_none_to_give(local_agent: str) -> None:
    ran = qga("exec", "-c", local_agent, "-t", "x", "--", "true")
    assert ran.code == 2
    assert ran.err.startswith("qga: standard input is not a terminal\nhint: ")
    with terminal("shell", "-c", local_agent, "--escape", "no", "x") as t:
        assert t.end() == 2
        assert b"--escape is one character or none" in t.screen


def test_without_t_a_program_reads_lines_typed_here(local_agent: str) -> None:
    script = "echo ready; exec tr a-z A-Z"
    with terminal("exec", "-c", local_agent, "-i", "x", "--", "sh", "-c", script) as t:
        t.see(b"ready\r\n")
        t.type(b"typed\r\x04")
        assert t.end() == 0
        assert t.screen == b"typed\r\nTYPED\r\n"


def answer(output: bytes) -> Handler:
    """An agent whose terminal sends `output` and nothing else."""
    sent: list[bytes] = []

    def handle(request: dict[str, object]) -> object:
        match request["execute"]:
            case "guest-exec":
                return {"pid": 7}
            case "guest-exec-status":
                return {"exited": True, "exitcode": 0, "out-data": to_base64(b"/dev/pts/7")}
            case "guest-file-open":
                return 1000
            case "guest-file-read":
                data = b"" if sent else output
                sent.append(data)
                return {"count": len(data), "buf-b64": to_base64(data), "eof": True}
            case "guest-file-write":
                return {"count": 1, "eof": False}
        return {}

    return handle


@pytest.mark.parametrize(
    "output", [frames.frame(b"?", b"what"), frames.frame(frames.EXIT, b""), b"o\0\1ax\0\2\0\0"]
)
def test_nonsense_from_the_guest_ends_it(
    fake: Callable[[Handler], FakeAgent], output: bytes
) -> None:
    agent = fake(answer(output))
    with terminal("exec", "-c", agent.uri, "-t", "x", "--", "true") as t:
        assert t.end() == 125
        assert b"talks nonsense" in t.screen
        assert t.modes() == t.modes_before
    closed = [r for r in agent.requests if r["execute"] == "guest-file-close"]
    assert len(closed) == 2


def test_a_program_nobody_watches_is_hung_up(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    script = f"trap 'echo hung up >{trace}; exit' HUP; echo $$ >{trace}; sleep 4011"
    wish = TerminalRequest([b"sh", b"-c", script.encode()], size=(24, 80), environment={})
    hurried = program(wish).replace(b"TICKING = 4.0", b"TICKING = 0.1")
    subprocess.run([sys.executable, "-IS", "-"], input=hurried, check=True, capture_output=True)
    end = time.monotonic() + 10
    while not trace.exists() or trace.read_text() != "hung up\n":
        assert time.monotonic() < end
        time.sleep(0.02)


def test_no_program_is_started_whose_ports_have_gone(tmp_path: Path) -> None:
    """They were plugged for it, and its qga was killed: nobody would read what it shows."""
    wish = TerminalRequest([b"touch", os.fsencode(tmp_path / "ran")], size=(24, 80), environment={})
    wish.ports = ["org.qga-cli.port.0123", "org.qga-cli.port.4567", "nonce", "mark"]
    done = subprocess.run(
        [sys.executable, "-IS", "-"], input=program(wish), check=True, capture_output=True
    )
    assert done.stdout.decode() == frames.NO_PORTS
    assert not (tmp_path / "ran").exists()


def test_a_freeze_that_ends_unseen_is_no_policy(fake: Callable[[Handler], FakeAgent]) -> None:
    refused: list[object] = []
    honest = answer(frames.frame(frames.OUTPUT, b"after") + frames.frame(frames.EXIT, b"\5"))

    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-file-read" and len(refused) < 3:
            refused.append(request)
            raise AgentFault("Command guest-file-read has been disabled: not allowed")
        return "thawed" if request["execute"] == "guest-fsfreeze-status" else honest(request)

    with terminal("exec", "-c", fake(handle).uri, "-t", "x", "--", "true") as t:
        assert t.end() == 5
        assert t.screen == b"after"


def test_a_terminal_that_is_open_for_reading_only() -> None:
    window, keyboard = os.openpty()
    reading = os.open(os.ttyname(keyboard), os.O_RDONLY | os.O_NOCTTY)
    with open(reading, "rb") as stdin, Console(stdin).raw():
        Console(stdin).write(b"nowhere")
        os.write(window, b"key")
        assert Console(stdin).read() == b"key"
    os.close(window)
    os.close(keyboard)
