"""A terminal in the guest: `exec -t` and `shell`.

Two threads. The job's own has the keyboard, and always answers: to `~.`, to signals, to a new
window size. The pump has the agent, whose calls may hang, and the screen, which may be stopped.
"""

import os
import queue
import select
import signal
import threading
import time

from qga_cli import carrier_python, carrier_script
from qga_cli.carrier import Carrier, Wish
from qga_cli.console import Console, Escape
from qga_cli.errors import (
    Busy,
    Frozen,
    Interrupted,
    NotAnswering,
    NotRunning,
    QgaError,
    TimedOut,
    UsageError,
)
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

_GLANCE = 0.2  # seconds between two looks at signals and at the window's size
_SOONEST, _LATEST = 0.001, 0.25  # seconds between two reads …
_FRACTION = 0.25  # … by the time since something moved
_TROUBLE = 60.0  # seconds to bear an agent that does not serve us: then the guest gives up too
_FAREWELL = 4.0  # seconds for the guest to learn that we go
_HUNG_UP = 128 + signal.SIGHUP
_HELP = b"\r\n~.  end the session\r\n~~  type a tilde\r\n~?  this help\r\nafter Enter only\r\n"


class Pump:
    """Carries what is typed to the guest and what comes back to the screen, in a thread."""

    def __init__(self, line: Carrier, screen: "BinaryIO") -> None:
        self.line = line
        self.error: BaseException | None = None
        self.bell, self._rope = os.pipe()  # readable when all is over
        self.mute = False
        self._screen = screen
        self._orders: queue.SimpleQueue[tuple[Callable[[Any], None], Any]] = queue.SimpleQueue()
        self._trouble = 0.0  # since when the agent has not served us
        threading.Thread(target=self._run, daemon=True).start()

    def order(self, act: "Callable[[Any], None]", about: "Any") -> None:
        """Have a method of `line` called between two exchanges, and at once."""
        self._orders.put((act, about))

    def wait(self, seconds: float) -> None:
        """Wait for the end, but not for ever."""
        select.select([self.bell], [], [], seconds)

    def _run(self) -> None:
        try:
            self._relay()
        except BaseException as error:  # carried to the job's thread, raised there
            self.error = error
        self.line.close()
        os.write(self._rope, b".")

    def _relay(self) -> None:
        moved = time.monotonic()
        while self.line.code is None:
            if self._exchange():
                moved = time.monotonic()
            pause = (time.monotonic() - moved) * _FRACTION
            self._obey(min(max(pause, _SOONEST), _LATEST))

    def _obey(self, pause: float) -> None:
        """Follow the orders that come within `pause` seconds of the first."""
        try:
            act, about = self._orders.get(timeout=pause)
            while True:
                act(about)
                act, about = self._orders.get_nowait()
        except queue.Empty:
            return

    def _exchange(self) -> bool:
        """One turn with the agent. Whether something moved."""
        try:
            sent = self.line.push()
            shown = self.line.pull()
        except (Busy, Frozen, NotAnswering, NotRunning) as error:
            self._bear(error)
            return False
        self._trouble = 0.0
        if shown and not self.mute:
            self._screen.write(shown)
            self._screen.flush()
        return sent or bool(shown)

    def _bear(self, error: QgaError) -> None:
        """Let a failure pass that lost nothing and may be over soon, or raise it."""
        now = time.monotonic()
        self._trouble = self._trouble or now
        lost = self.line.agent.sent and not isinstance(error, Frozen)
        stopped = isinstance(error, NotRunning) and self.line.agent.transport.state() != "paused"
        if lost or stopped or now > self._trouble + _TROUBLE:
            raise error


def run(job: Job) -> Finished:
    """`qga exec -t`."""
    return _attach(job, [job.arguments["command"]])


def shell(job: Job) -> Finished:
    """`qga shell`: a login shell, by whichever program of the guest makes one."""
    user = job.arguments["user"]
    return _attach(job, [["su", "-l", user], ["runuser", "-l", user]])


def _attach(job: Job, programs: list[list[str]]) -> Finished:
    """Run the first of `programs` that the guest has, on a terminal that is ours."""
    assert job.agent is not None
    if job.fleet:
        raise UsageError("a terminal belongs to one guest")
    console = Console(job.streams.stdin)
    escape = Escape(_key(job.arguments["escape"]))
    wish = Wish(
        [[os.fsencode(word) for word in program] for program in programs],
        size=console.size(),
        environment={b"TERM": os.environb.get(b"TERM", b"dumb")},
    )
    with job.interrupt.shield():
        line = carrier_python.start(job.agent, wish) or carrier_script.start(job.agent, wish)
        pump = Pump(line, job.streams.stdout)
        try:
            with console.raw():
                _converse(job, console, escape, pump)
        except QgaError:
            _part(pump)
            raise
        if escape.end:
            _part(pump)
            job.say(0, "the terminal is hung up")
    if pump.error:
        raise pump.error
    return Finished(code=_HUNG_UP if line.code is None else line.code)


def _converse(job: Job, console: Console, escape: Escape, pump: Pump) -> None:
    """Serve the keyboard until the program or the user ends it. Raises Interrupted, TimedOut."""
    size = console.size()
    until = None if job.timeout is None else time.monotonic() + job.timeout
    while not escape.end:
        if job.interrupt.count:
            raise Interrupted(job.interrupt.signum)
        if until is not None and time.monotonic() > until:
            raise TimedOut(f"the terminal was open for {job.timeout:g} s")
        console.keep_raw()
        if console.size() != size:
            size = console.size()
            pump.order(pump.line.resize, size)
        watched = [pump.bell] if pump.line.full() else [pump.bell, console.fd]
        ready = select.select(watched, [], [], _GLANCE)[0]
        if pump.bell in ready:
            return
        if console.fd in ready:
            _type(console, escape, pump)


def _type(console: Console, escape: Escape, pump: Pump) -> None:
    try:
        data = os.read(console.fd, 4096)
    except OSError:  # EIO: the terminal has been closed
        data = b""
    if not data:
        raise Interrupted(signal.SIGHUP)
    kept = escape.strip(data)
    if kept:
        pump.order(pump.line.type, kept)
    if escape.help:
        escape.help = False
        os.write(console.fd, _HELP)


def _part(pump: Pump) -> None:
    """Hang up, and give the guest time to notice."""
    pump.mute = True
    pump.order(pump.line.hang_up, None)
    pump.wait(_FAREWELL)


def _key(text: str) -> bytes:
    """--escape: one character, or none."""
    key = b"" if text == "none" else os.fsencode(text)
    if len(key) > 1 or not text:
        raise UsageError(f"--escape is one character or none, not {text!r}")
    return key
