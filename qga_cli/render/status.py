"""What is waited for, on a terminal, once a second has passed; gone before anything is written.

Workers say what they wait for, the main thread draws it at each of its ticks. A lock is held while
something is drawn or taken away: who writes to the terminal calls `clear` first.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from qga_cli.format import printable
from qga_cli.guests.fold import fold
from qga_cli.render import error_screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from qga_cli.guests.fleet import Fleet

_PATIENCE = 1.0  # seconds in which nobody wonders
_NAMES = 3  # guests that are named


class Status:
    """One line on stderr, below the rows that a verb has found so far."""

    def __init__(self, table: Callable[[Any], str] | None = None) -> None:
        self._table = table
        self._lock = threading.RLock()
        self._began = time.monotonic()
        self._agents: dict[int, tuple[str, float]] = {}  # by thread: whose, since when
        self._reason = ""
        self._rows: Any = None
        self._lines = 0  # on the screen now
        self._off = False

    def begin(self, agent: str) -> None:
        """This thread asks an agent."""
        self._agents[threading.get_ident()] = agent, time.monotonic()

    def end(self) -> None:
        """It has answered, or will not."""
        self._agents.pop(threading.get_ident(), None)
        if not self._agents and not self._reason:
            self.clear()

    def tell(self, reason: str, rows: Any = None) -> None:
        """What a verb waits for, and what it has found so far."""
        self._reason, self._rows = reason, rows

    def off(self) -> None:
        """Somebody else has the terminal from now on."""
        self._off = True
        self.clear()

    def clear(self) -> None:
        """Take it away."""
        with self._lock:
            if self._lines:
                up = f"\x1b[{self._lines - 1}A" if self._lines > 1 else ""
                self._put(f"\r{up}\x1b[J")
                self._lines = 0

    def tick(self, fleet: Fleet) -> None:
        """Draw what is known now, if it is time."""
        now = time.monotonic()
        oldest = min((since for _, since in list(self._agents.values())), default=now)
        slow = now - oldest >= _PATIENCE or self._reason or fleet.count > 1
        if self._off or not slow or now - self._began < _PATIENCE:
            return
        columns, height = error_screen()
        shown = self._table(self._rows).splitlines() if self._table and self._rows else []
        since = f", {now - self._began:.0f} s; Ctrl-C ends it"
        plain = bool(os.environ.get("NO_COLOR"))
        from rich.cells import cell_len, set_cell_size

        line = printable(self._line(fleet))
        line = set_cell_size(line, min(cell_len(line), max(0, columns - 1 - len(since)))) + since
        rows = shown[-(height - 2) :] if height > 2 else []
        shown = [*rows, line if plain else f"\x1b[2m{line}\x1b[0m"]
        with self._lock:
            self.clear()
            self._put("\n".join(shown))
            self._lines = len(shown)

    def _line(self, fleet: Fleet) -> str:
        names = sorted({name for name, _ in list(self._agents.values())})
        whom = fold(names[:_NAMES]) + (" ..." if len(names) > _NAMES else "")
        if fleet.count > 1:
            done = f"{fleet.count - fleet.unfinished} of {fleet.count} done"
            return f"{done}, waiting for {whom}" if names else done
        return self._reason or f"waiting for the agent of {whom}"

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # its terminal has been closed: SIGHUP tells, where it is heeded
            self._off = True


class Watched:
    """A standard stream before which the status line goes away; for good with `off`."""

    def __init__(self, stream: BinaryIO, before: Callable[[], object]) -> None:
        self._stream = stream
        self._before = before

    def write(self, data: bytes) -> int:
        """Write it on a clean screen."""
        self._before()
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
