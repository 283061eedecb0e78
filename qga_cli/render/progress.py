"""A bar on standard error while bytes travel: share, rate, time left; then one line with the sum.

Copies to many guests have a bar each, in one drawing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time

from qga_cli.format import duration, printable, size
from qga_cli.verbs.job import Meter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, Task, TaskID
    from rich.text import Text

_PATIENCE = 0.5  # seconds before a bar appears: what is over sooner needs none
_EVERY = 0.1  # seconds between two drawings


class Bars:
    """All bars of one run. They appear with the first copy that takes its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: Progress | None = None
        self._open: set[Bar] = set()
        self._over = False

    def bar(self, what: str, total: int | None) -> Bar:
        """A meter that draws itself among the others."""
        return Bar(self, what, total)

    def draw(self, bar: Bar, done: int) -> None:
        """Show how far one has come."""
        with self._drawing():
            if self._over:
                return
            if self._drawn is None:
                self._drawn = _progress()
                self._drawn.start()
            if bar not in self._open:
                self._open.add(bar)
                bar.task = self._drawn.add_task(printable(bar.what), total=bar.total)
            assert bar.task is not None
            self._drawn.update(bar.task, completed=done, refresh=True)

    def close(self, bar: Bar, result: str) -> None:
        """One has ended: in its place stands `result`, if it was shown at all."""
        with self._drawing():
            if bar not in self._open or self._drawn is None:
                return
            self._open.remove(bar)
            assert bar.task is not None
            self._drawn.remove_task(bar.task)
            if result:
                self._drawn.console.print(result, markup=False, highlight=False, soft_wrap=True)
            if not self._open:
                self._stop()

    def end(self) -> None:
        """Draw no more, whoever still copies; the cursor comes back."""
        with self._drawing():
            self._over = True
            self._stop()

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except OSError:  # its terminal has been closed: a copy does not fail by that
                self._over = True
                self._drawn = None

    def _stop(self) -> None:
        drawn, self._drawn = self._drawn, None
        if drawn:
            drawn.stop()


class Bar(Meter):
    """A meter that is one of several bars."""

    def __init__(self, bars: Bars, what: str, total: int | None) -> None:
        super().__init__(what, total)
        self._bars = bars
        self._done = 0
        self._started = time.monotonic()
        self._next = self._started + _PATIENCE
        self.task: TaskID | None = None

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._bars.draw(self, self._done)

    def close(self, *, done: bool) -> None:
        lasted = time.monotonic() - self._started
        rate = f"{size(self._done / lasted)}/s" if lasted else ""
        result = f"{printable(self.what)}: {size(self._done)} in {duration(lasted)}, {rate}"
        self._bars.close(self, result if done else "")


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Travelled(ProgressColumn):
        """What has come, of how much, and how fast: in the units of our tables."""

        def render(self, task: Task) -> Text:
            whole = f"/{size(task.total)}" if task.total else ""
            rate = f"  {size(task.speed)}/s" if task.speed else ""
            return Text(f"{size(task.completed)}{whole}{rate}")

    plain = bool(os.environ.get("NO_COLOR"))
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(complete_style="green", finished_style="green", pulse_style="green"),
        Travelled(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True, no_color=plain or None),
        auto_refresh=False,  # a thread of its own for it would be one too many
        transient=True,
    )
