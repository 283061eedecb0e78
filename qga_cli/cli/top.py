"""`qga top`: the fleet on a whole screen, until a key ends it; in a pipe, one answer."""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import suppress

from qga_cli.errors import Interrupted, QgaError
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.overview import Overview
from qga_cli.outlet import is_dumb
from qga_cli.terminal.console import Console
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from qga_cli.metrics.collector import Look
    from qga_cli.render.board import Sight

_GLANCE = 0.2  # seconds between two looks at the window's size
_APART = 1.0  # seconds between the two looks of an answer in a pipe: rates need two
_KEEP = 0.5  # seconds in which no guest is asked twice, whoever presses the key for it
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[J"  # the other screen, without a cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_CTRL_C, _CTRL_Z = "\x03", "\x1a"
# What terminals send for keys that are no characters.
_NAMED = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
    "\x1b[5~": "page up", "\x1b[6~": "page down",
    "\x1b[H": "home", "\x1b[1~": "home", "\x1bOH": "home",
    "\x1b[F": "end", "\x1b[4~": "end", "\x1bOF": "end",
    "\x1b": "escape", "\r": "enter", "\n": "enter", "\x7f": "rub out", "\x08": "rub out",
}  # fmt: skip
_KEY = re.compile(r"\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Za-z]|.", re.DOTALL)
_FAR = 10**9  # lines down: to the end


def verb(
    job: Job, *, parallel: int, every: float, pattern: str = "*", watch: float | None = None
) -> Finished:
    """Show it. Raises NoGuest, UsageError, Unreachable before the screen is taken."""
    assert job.timeout is not None
    collector = Collector(job.hosts, parallel=parallel, patience=job.timeout, keep=_KEEP)
    overview = Overview()
    look = collector.look(pattern, job.interrupt)
    rows = overview.rows(look)
    dead = [error for error in look.hosts.values() if error]
    if dead and len(look.hosts) == 1:
        raise dead[0]
    seen = job.streams.stdout.isatty() and job.streams.stdin.isatty()
    seen = seen and not is_dumb()  # such a one has no other screen
    if job.output or watch is not None or not seen:
        job.interrupt.sleep(_APART, 0)
        look = collector.look(pattern, job.interrupt)
        for trouble in _trouble(look):
            job.say(-1, trouble)
        return Finished(overview.rows(look), 123 if _trouble(look) else 0)
    feed = Feed(lambda: collector.look(pattern, job.interrupt), overview, every, rows)
    console = Console(job.streams.stdin)
    with job.interrupt.shield():  # the terminal is put back first
        while True:
            with console.raw(), OtherScreen(job.streams.stdout) as screen:
                code = _converse(job, console, screen, feed, every)
            if code is not None:
                return Finished(code=code)
            os.kill(0, signal.SIGTSTP)  # as the terminal would have done for Ctrl-Z


class Feed:
    """Rows that a thread of its own brings, so that keys never wait for guests. For select."""

    def __init__(
        self, look: Any, overview: Overview, every: float, rows: list[dict[str, Any]]
    ) -> None:
        self._look = look
        self._overview = overview
        self._every = every
        self._pipe = os.pipe()
        self._now = threading.Event()
        self.rows = rows
        self.trouble = ""
        threading.Thread(target=self._run, daemon=True).start()

    def fileno(self) -> int:
        """Readable when there are new rows."""
        return self._pipe[0]

    def taken(self) -> None:
        """They have been shown."""
        os.read(self._pipe[0], 64)

    def hurry(self) -> None:
        """Ask now."""
        self._now.set()

    def _run(self) -> None:
        while True:
            self._now.wait(self._every)
            self._now.clear()
            try:
                look: Look = self._look()
            except Interrupted:
                return
            except QgaError as error:  # the guest that was named has gone, say
                self.trouble = str(error)
            else:
                self.trouble = "; ".join(_trouble(look))
                self.rows = self._overview.rows(look)
            os.write(self._pipe[1], b"!")


def _trouble(look: Look) -> list[str]:
    """The hosts that cannot be asked, and why."""
    return [f"{host}: {error}" for host, error in look.hosts.items() if error]


class OtherScreen:
    """The terminal's other screen. Lines are written when they have changed: nothing flickers."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lines: list[str] = []
        self._size = (0, 0)

    def __enter__(self) -> OtherScreen:
        self._write(_ENTER)
        return self

    def __exit__(self, *_: object) -> None:
        self._write(_LEAVE)

    def show(self, lines: list[str], size: tuple[int, int]) -> None:
        """Have it show these lines."""
        text = ""
        if size != self._size:
            self._size, self._lines, text = size, [], "\x1b[H\x1b[J"
        for number, line in enumerate(lines):
            if number >= len(self._lines) or self._lines[number] != line:
                text += f"\x1b[{number + 1};1H{line}\x1b[0m\x1b[K"
        self._lines = lines
        self._write(text)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # it is closed: SIGHUP, or the next key, ends us
            self._out.write(text.encode("utf-8", "backslashreplace"))
            self._out.flush()


def _converse(
    job: Job, console: Console, screen: OtherScreen, feed: Feed, every: float
) -> int | None:
    """Serve keys and new rows until the user leaves: the exit code, or None for Ctrl-Z."""
    from qga_cli.render.board import Sight, frame

    sight = Sight()
    while True:
        console.keep_raw()
        size = console.size()
        screen.show(frame(feed.rows, sight, size, every, feed.trouble), size)
        ready: list[Any] = []
        while not ready and console.size() == size:
            if job.interrupt.count:
                return 128 + job.interrupt.signum
            ready = job.interrupt.select([feed, console], _GLANCE, 0)
        if feed in ready:
            feed.taken()
        for key in keys(console.read()) if console in ready else ():
            if key == _CTRL_C:
                return 128 + signal.SIGINT
            if key == _CTRL_Z:
                return None
            if key == "q" and not (sight.typing or sight.help):
                return 0
            if key == " " and not (sight.typing or sight.help):
                feed.hurry()
            else:
                press(sight, key, max(1, size[0] - 5))


def keys(data: bytes) -> list[str]:
    """The keys of what a terminal sent: characters, and names for the others."""
    found = []
    for sent in _KEY.findall(data.decode("utf-8", "ignore")):
        if sent in _NAMED:
            found.append(_NAMED[sent])
        elif len(sent) == 1:
            found.append(sent)  # else a key that means nothing here
    return found


def press(sight: Sight, key: str, page: int) -> None:
    """What a key does to what is seen; `page` is how many lines are one."""
    from qga_cli.render.board import SORTS

    steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -page, "page down": page,
             "home": -_FAR, "g": -_FAR, "end": _FAR, "G": _FAR}  # fmt: skip
    if sight.help:
        sight.help = False
    elif sight.typing:
        _type(sight, key)
    elif key in steps:
        sight.offset += steps[key]
    elif key == "/":
        sight.typing = True
    elif key in ("?", "h"):
        sight.help = True
    elif key == "escape":
        sight.filter = ""
    elif key == "r":
        sight.turned = not sight.turned
    elif key in SORTS or key in ("s", "S"):
        step = {"s": 1, "S": -1}.get(key, 0)
        at = (SORTS.index(sight.sort if step else key) + step) % len(SORTS)
        sight.sort, sight.turned, sight.offset = SORTS[at], False, 0


def _type(sight: Sight, key: str) -> None:
    """A key of the filter."""
    if key in ("enter", "escape"):
        sight.typing = False
        if key == "escape":
            sight.filter = ""
    elif key == "rub out":
        sight.filter = sight.filter[:-1]
    elif len(key) == 1 and key.isprintable():
        sight.filter += key
        sight.offset = 0
