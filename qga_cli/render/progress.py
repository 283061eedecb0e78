"""A bar on standard error while bytes travel: share, rate, time left."""

from __future__ import annotations

import time

from qga_cli.format import printable
from qga_cli.verbs.job import Meter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 0.5  # seconds before a bar appears: what is over sooner needs none
_EVERY = 0.1  # seconds between two drawings


class Bar(Meter):
    """A meter that draws itself, and goes away without a trace."""

    def __init__(self, what: str, total: int | None) -> None:
        super().__init__(what, total)
        self._done = 0
        self._started = time.monotonic()
        self._next = self._started + _PATIENCE
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def advance(self, count: int) -> None:
        """See Meter."""
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(printable(self.what), total=self.total)
        assert self._task is not None
        self._bar.update(self._task, completed=self._done, refresh=True)

    def close(self) -> None:
        """See Meter."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # a thread of its own for it would be one too many
        transient=True,
    )
