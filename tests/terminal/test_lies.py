"""A terminal whose agent lies, floods or falls silent: the old modes come back, after one clear
line and in bounded time, and the user has a way out at every moment."""

import contextlib
import re
import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.inside.terminal import frames
from qga_cli.terminal.by_python import PythonCarrier
from qga_cli.wire import to_base64
from tests.kit.evil import DANGER, EVIL
from tests.kit.fake import AgentFault, FakeAgent, Handler, Raw, Silence
from tests.kit.terminals import Terminal, terminal

Make = Callable[[Handler], FakeAgent]

DEVICE = {"exited": True, "exitcode": 0, "out-data": to_base64(b"/dev/pts/7")}
READY = frames.frame(frames.OUTPUT, b"ready\r\n")
WAYS = {"exec": (["-t"], ["--", "true"], 125), "shell": ([], [], 1)}


def told(output: bytes) -> dict[str, object]:
    """The status of a program that has written this."""
    return {"exited": True, "exitcode": 0, "out-data": to_base64(output)}


def piece(output: bytes) -> dict[str, object]:
    """The reply to a read."""
    return {"count": len(output), "buf-b64": to_base64(output), "eof": True}


def lying(**lies: object) -> Handler:
    """An agent with a terminal that stays silent, but for `lies`, by wire name.

    A lie is the value of every reply, an AgentFault, or a list of them, the last of which stays.
    """
    honest: dict[str, object] = {
        "guest-exec": {"pid": 7},
        "guest-exec-status": DEVICE,
        "guest-file-open": 1000,
        "guest-file-read": [piece(READY), piece(b"")],
        "guest-file-write": {"count": 1, "eof": False},
        "guest-fsfreeze-status": "thawed",
    }
    answers = honest | {name.replace("_", "-"): lie for name, lie in lies.items()}
    rows = {name: list(lie) for name, lie in answers.items() if isinstance(lie, list)}

    def handle(request: dict[str, object]) -> object:
        name = str(request["execute"])
        row = rows.get(name, [answers.get(name, {})])
        value = row.pop(0) if len(row) > 1 else row[0]
        if isinstance(value, AgentFault):
            raise value
        return value

    return handle


def ends_clearly(t: Terminal, code: int, says: bytes = b"") -> None:
    """The code, the modes, and one line, behind which may be a hint."""
    assert t.end(20) == code, t.screen
    assert t.modes() == t.modes_before
    unfolded = t.screen.replace(b"\r\n  ", b" ")
    assert re.fullmatch(rb"qga: x: [^\r\n]{10,1500}\r\n(hint: [^\r\n]+\r\n)?", unfolded), t.screen
    assert not DANGER.search(t.screen.decode().replace("\r\n", ""))
    assert says in unfolded


START: dict[str, tuple[dict[str, object], int, bytes]] = {
    "a pid that is none": ({"guest_exec": {"pid": "7"}}, 1, b"pid"),
    "no status": ({"guest_exec_status": None}, 1, b""),
    "broken base64": ({"guest_exec_status": DEVICE | {"out-data": "Q"}}, 1, b"broken base64"),
    "an error of no number": ({"guest_exec_status": told(b"9999")}, 1, b"cannot run"),
    "a terminal called otherwise": (
        {"guest_exec_status": told(b"/dev/pts/7\n/etc/shadow")}, 6, b"install python3"
    ),
    "a terminal called nastily": ({"guest_exec_status": told(EVIL.encode())}, 6, b"python3"),
    "a megabyte of name": ({"guest_exec_status": told(b"7" * 2**20)}, 6, b"python3"),
    "a handle that is none": ({"guest_file_open": "1000"}, 1, b""),
    "a refusal that is nasty": ({"guest_file_open": AgentFault(EVIL)}, 1, b"owned"),
    "success without a program": ({"guest_exec": {}}, 1, b"pid"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("lie", START)
def test_lies_before_there_is_a_terminal(fake: Make, verb: str, lie: str) -> None:
    options, command, _ = WAYS[verb]
    lies, code, says = START[lie]
    with terminal(verb, "-c", fake(lying(**lies)).uri, *options, "x", *command) as t:
        ends_clearly(t, code if verb == "shell" else 125, says)


READS: dict[str, object] = {
    "no JSON": Raw(b"\x1b[2J\n"),
    "a number": 5,
    "null": {"count": 0, "buf-b64": None, "eof": True},
    "an empty object": {},
    "broken base64": {"count": 3, "buf-b64": "Q", "eof": True},
    "more than was asked for": piece(b"\n" * 65537),
    "an unknown frame": piece(frames.frame(b"\x1b", b"[2J")),
    "an exit code of two bytes": piece(frames.frame(frames.EXIT, b"\0\0")),
    "a refusal that is nasty": AgentFault(EVIL),
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("lie", READS)
def test_lies_in_a_session(fake: Make, verb: str, lie: str) -> None:
    options, command, code = WAYS[verb]
    reads = [piece(READY), READS[lie]]
    agent = fake(lying(guest_file_read=reads))
    with terminal(verb, "-c", agent.uri, *options, "x", *command) as t:
        t.see(b"ready\r\n")
        ends_clearly(t, code)


DISABLED = "Command guest-file-read has been disabled"
ENDLESS: dict[str, object] = {
    "output": piece(frames.frame(frames.OUTPUT, b"x" * 60_000)),
    "escape sequences": piece(frames.frame(frames.OUTPUT, b"\x1b]0;owned\x07\x1b[?1049h" * 2000)),
    "newlines": piece(b"\n" * 65_000),
    "one frame": [piece(frames.HEADER.pack(frames.OUTPUT, 65_535)), piece(b"x")],
    "a reply": Raw(b'{"return": {"count": 1, "buf-b64": "'),
    "no reply": Silence(),
    "a freeze": AgentFault(f"{DISABLED}: the agent is in frozen state"),
    "refusals": AgentFault(f"{DISABLED}: not allowed"),
}  # fmt: skip


@pytest.mark.slow
def test_what_has_no_end_is_left_by_an_escape(fake: Make) -> None:
    """All at once, for each has the four seconds of a farewell."""
    with contextlib.ExitStack() as stack:
        terminals = {}
        for lie, endless in ENDLESS.items():
            reads = [piece(READY), *(endless if isinstance(endless, list) else [endless])]
            status = "frozen" if lie == "a freeze" else "thawed"
            agent = fake(lying(guest_file_read=reads, guest_fsfreeze_status=status))
            words = ("exec", "-c", agent.uri, "-t", "x", "--", "true")
            terminals[lie] = stack.enter_context(terminal(*words))
        for t in terminals.values():
            t.see(b"ready\r\n")
            t.type(b"\r~.")
        for lie, t in terminals.items():
            assert t.end() == 129, lie
            assert t.modes() == t.modes_before
            assert t.screen.endswith(b"qga: x: session ended\r\n"), lie


@pytest.mark.parametrize(
    "lies", [{"guest_exec": Silence()}, {"guest_exec_status": {"exited": False}}]
)
@pytest.mark.parametrize("verb", WAYS)
def test_control_c_ends_a_start_that_has_no_end(
    fake: Make, verb: str, lies: dict[str, object]
) -> None:
    options, command, _ = WAYS[verb]
    agent = fake(lying(**lies))
    with terminal(verb, "-c", agent.uri, "-vv", *options, "x", *command) as t:
        t.until(lambda: bool(agent.requests))
        t.type(b"\x03")
        assert t.end(10) == -signal.SIGINT
        assert t.modes() == t.modes_before


@pytest.mark.parametrize("end", ["lie", "escape", "signal"])
def test_what_we_say_begins_a_line(fake: Make, end: str) -> None:
    prompt = piece(frames.frame(frames.OUTPUT, b"root@x:~# "))
    lies = lying(guest_file_read=[prompt, READS["null"] if end == "lie" else piece(b"")])
    written: list[object] = []

    def handle(request: dict[str, object]) -> object:
        """The program ends when it is hung up, the first thing that is written."""
        written.extend([request] * (request["execute"] == "guest-file-write"))
        if written and request["execute"] == "guest-file-read":
            return piece(frames.frame(frames.EXIT, b"\1"))
        return lies(request)

    agent = fake(handle)
    with terminal("shell", "-c", agent.uri, "x") as t:
        t.see(b"# ")
        if end == "escape":
            t.type(b"~.")
        if end == "signal":
            t.signal(signal.SIGTERM)
        assert t.end() == {"lie": 1, "escape": 1, "signal": 143}[end]  # 1: the program's
        assert t.screen.startswith(b"\r\nqga: ")
        assert t.modes() == t.modes_before


@pytest.mark.slow
def test_an_agent_that_falls_silent_at_the_end_does_not_hold_us(fake: Make) -> None:
    end = frames.frame(frames.OUTPUT, b"bye") + frames.frame(frames.EXIT, b"\3")
    agent = fake(lying(guest_file_read=piece(end), guest_file_write=Silence(),
                       guest_file_close=Silence()))  # fmt: skip
    with terminal("exec", "-c", agent.uri, "-t", "x", "--", "true") as t:
        assert (t.end(20), t.screen) == (3, b"bye")
        assert t.modes() == t.modes_before


def test_keys_that_nobody_takes_do_not_hide_an_escape() -> None:
    agent: Any = SimpleNamespace(call=lambda *_: SimpleNamespace(value=1000))
    carrier = PythonCarrier(agent, "/dev/pts/7", (24, 80))
    for _ in range(10_000):
        carrier.type(b"x")
    assert not carrier.full()
    carrier.type(b"x" * 70_000)
    assert carrier.full()
