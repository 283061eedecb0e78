"""A guest that says nothing, or too little, where something is awaited of it."""

import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.agent import Agent
from qga_cli.errors import Interrupted, OutcomeUnknown, Refused, TimedOut, Unsupported
from qga_cli.interrupt import Interrupt
from qga_cli.network import link, login
from qga_cli.network import tunnel as tunnels
from qga_cli.network.tunnel import Tunnel
from qga_cli.transports import connect
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.tunnels import turn_on


@pytest.mark.parametrize("wait", ["greeting", "tool", "keys"])
def test_a_signal_ends_the_wait_for_a_guest_that_says_nothing(wait: str) -> None:
    """It was heard after a minute only."""
    ours, theirs = socket.socketpair()
    interrupt, silent = Interrupt(), Slow(ours)
    timer = threading.Timer(0.2, interrupt.set, [signal.SIGHUP])
    with ours, theirs:
        timer.start()
        begun = time.monotonic()
        with pytest.raises(Interrupted):
            begin(wait, silent, interrupt)
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("wait", ["tool", "keys"])
def test_a_guest_that_says_a_byte_now_and_then_gains_no_time(
    wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnels, "_HELLO", 1.0)
    monkeypatch.setattr(login, "_BEGIN", 1.0)
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.05):
            theirs.send(b"x")

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        begun = time.monotonic()
        try:
            with pytest.raises(TimedOut):
                begin(wait, Slow(ours), Interrupt())
        finally:
            over.set()
            thread.join()
        assert 0.9 < time.monotonic() - begun < 3


@pytest.mark.parametrize("carrier", ["tunnel", "login"])
def test_a_guest_that_was_reset_is_missed(carrier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing: `forward` went on listening for ever, for a guest that started anew."""
    monkeypatch.setattr("qga_cli.network.link._QUIET", 0.2)
    ours, theirs = socket.socketpair()
    ssh, typed = os.pipe()
    with ours, theirs, open(ssh, "rb") as stdin, open(typed, "wb"):
        streams = SimpleNamespace(stdin=stdin, stdout=io.BytesIO())
        job: Any = SimpleNamespace(interrupt=Interrupt(), streams=streams, check_time=lambda: None)
        there = Tunnel(Slow(ours))
        for _ in range(2):
            there.turn()  # a second each
        begun = time.monotonic()
        gone = Slow(ours, gone=True)
        joint = login.Login(job, "auto")
        with pytest.raises(OutcomeUnknown, match="was reset"):
            turn_on(Tunnel(gone)) if carrier == "tunnel" else joint._carry(gone, b"")
        assert time.monotonic() - begun < 10


def test_a_link_that_breaks_before_the_first_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was called a bug in qga, with exit code 1."""

    class Broken(Slow):
        def read(self, timeout: float | None = None) -> bytes:
            raise OutcomeUnknown("the port is lost")

    ours, theirs = socket.socketpair()
    monkeypatch.setattr(tunnels, "open_link", lambda *_, **__: Broken(ours))
    job: Any = SimpleNamespace(interrupt=Interrupt(), agent=None)
    with ours, theirs:
        theirs.send(b"x")
        with pytest.raises(OutcomeUnknown, match="the port is lost") as caught:
            tunnels.dig(job, "auto")
        assert caught.value.exit_code == 8


def shellless(system: str) -> Handler:
    """An agent whose guest has no sh."""

    def answer(request: dict[str, object]) -> object:
        if request["execute"] == "guest-get-osinfo":
            return {"id": system}
        raise AgentFault("Failed to execute helper program (No such file or directory)")

    return answer


def test_rsh_has_no_shell_on_windows(fake: Callable[[Handler], FakeAgent]) -> None:
    """It spoke of line breaks, with exit code 2: ssh's is 255, and git and rsync look at it."""
    ran = qga("-c", fake(shellless("mswindows")).uri, "rsh", "x", "dir")
    assert (ran.code, ran.out) == (255, "")
    assert "a Windows guest has no shell" in ran.err
    assert "`qga exec x -- cmd /c LINE`" in ran.err


@pytest.mark.parametrize("system", ["mswindows", "freebsd"])
@pytest.mark.parametrize(
    "words", [("connect", "x", "80"), ("connect", "x", "sshd"), ("forward", "x", "0:80")]
)
def test_a_guest_that_takes_its_input_whole_is_refused_at_once(
    fake: Callable[[Handler], FakeAgent], words: tuple[str, ...], system: str
) -> None:
    """Its program would have begun when the input ended: a minute later the guest was called slow,
    one with Windows at once to be sent no line breaks."""
    guest = fake(shellless(system))
    begun = time.monotonic()
    ran = qga("-c", guest.uri, *words, stdin=b"")
    assert (ran.code, ran.out) == (125 if words[0] == "forward" else 6, ""), ran.err
    assert ("Windows" in ran.err) == (system == "mswindows")
    assert time.monotonic() - begun < 30
    tries = 1 if system == "mswindows" else 2  # sh, and /bin/sh where PATH has none
    assert sum(one["execute"] == "guest-exec" for one in guest.requests) == tries


@pytest.mark.parametrize(("system", "error"), [("mswindows", Unsupported), ("debian", Refused)])
def test_ports_are_no_help_to_windows(
    fake: Callable[[Handler], FakeAgent],
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    error: type[Refused],
) -> None:
    def start(*_: object, **__: object) -> None:
        raise Refused("no such program")

    monkeypatch.setattr(link, "ProgramStream", start)
    agent = Agent(connect(fake(shellless(system)).uri).open("x"), "x")
    job: Any = SimpleNamespace(say=lambda *_: None)
    with pytest.raises(Refused) as caught:
        link.open_link(job, agent, ["sh"], "always")
    assert type(caught.value) is error
    agent.transport.close()


def begin(wait: str, link: "Slow", interrupt: Interrupt) -> None:
    """What is awaited of a guest before connections are carried."""
    if wait == "greeting":
        Tunnel(link, interrupt).greet()
    elif wait == "tool":
        tunnels._first_line(link, interrupt)
    else:
        login._keys(link, interrupt)


class Slow:
    """A link to a guest that takes its time."""

    def __init__(self, end: socket.socket, *, gone: bool = False) -> None:
        self._end = end
        self._gone = gone

    def read(self, timeout: float | None = None) -> bytes:
        self._end.settimeout(timeout)
        return self._end.recv(1)

    def write(self, data: bytes) -> None:
        self._end.sendall(data)

    def fileno(self) -> int:
        return self._end.fileno()

    def is_there(self) -> bool:
        return not self._gone

    def close(self) -> None:
        self._end.close()
