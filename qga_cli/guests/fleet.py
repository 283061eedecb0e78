"""The same work on many guests: threads, deadlines, and outcomes as they come."""

from __future__ import annotations

import time

from qga_cli.errors import Interrupted, QgaError, TimedOut
from qga_cli.guests.targets import Target
from qga_cli.interrupt import TICK, Interrupt
from qga_cli.threads import Bell, get_ident, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    class Ticker(Protocol):
        """What shows that we wait."""

        def tick(self, fleet: Fleet) -> None: ...
        def clear(self) -> None: ...


_GLANCE = 0.1  # seconds between two looks whether shielded work has ended


class Outcome:
    """What came of one guest: a value or an error, never both."""

    __slots__ = ("error", "target", "value")

    def __init__(
        self, target: Target, value: Any = None, error: QgaError | BaseException | None = None
    ) -> None:
        self.target = target
        self.value = value
        self.error = error


class Fleet:
    """Runs `work(index, target)` for every target, `parallel` at a time.

    Work runs in daemon threads, so that a call stuck in the hypervisor's library holds neither
    the other guests nor us: past `limit` seconds it is left behind, and `late(index)` is its error.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        work: Callable[[int, Target], Any],
        interrupt: Interrupt,
        *,
        parallel: int = 16,
        limit: float | None = None,
        late: Callable[[int], QgaError] | None = None,
        status: Ticker | None = None,
    ) -> None:
        self.count = len(targets)
        self._status = status
        self._waiting = list(enumerate(targets))[::-1]
        self._work = work
        self.interrupt = interrupt
        self._parallel = parallel
        self._limit = limit
        self._late = late or (lambda index: TimedOut(f"no answer within {limit:g} s"))
        self._running: dict[int, tuple[Target, float]] = {}
        self._done: list[tuple[int, Outcome, int]] = []
        self._bell = Bell()  # for what is done, and for signals

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """Each target's index and outcome, as they come. Raises Interrupted.

        After a signal nothing begins any more, and shielded work is waited for: until it has an
        outcome, which may say that its cleaning up failed, or until another signal comes.
        """
        with self.interrupt.watched(self._bell.ring):
            while self.unfinished:
                if self.interrupt.signum and not self.interrupt.shielded:
                    raise Interrupted(self.interrupt.signum)
                self._start()
                if not (self._done or self._bell.wait(self._patience())):
                    if self._status:
                        self._status.tick(self)
                    yield from self._overdue()
                    continue
                if self._status:
                    self._status.clear()
                if self._done:
                    index, outcome, thread = self._done.pop(0)
                    self.interrupt.heard(thread)
                    if self._running.pop(index, None):
                        yield index, outcome

    def stop(self) -> None:
        """Begin no further work."""
        self._waiting.clear()

    def settle(self, seconds: float) -> None:
        """Begin no further work, and wait for what is shielded, `seconds` at most."""
        self.stop()
        end = time.monotonic() + seconds
        while self.interrupt.shielded and time.monotonic() < end:
            self._bell.wait(_GLANCE)

    @property
    def unfinished(self) -> int:
        """How many have no outcome yet."""
        return len(self._waiting) + len(self._running)

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._parallel and not self.interrupt.signum:
            index, target = self._waiting.pop()
            self._running[index] = (target, time.monotonic())
            start(self._one, index, target)

    def _one(self, index: int, target: Target) -> None:
        try:
            outcome = Outcome(target, value=self._work(index, target))
        except QgaError as error:
            outcome = Outcome(target, error=error.of(target))
        except BaseException as error:  # a bug of ours: carried to the main thread, shown there
            outcome = Outcome(target, error=error)
        self._done.append((index, outcome, get_ident()))
        self._bell.ring()

    def _patience(self) -> float:
        if self._limit is None or not self._running:
            return TICK
        first = min(started for _, started in self._running.values())
        return min(TICK, max(0.0, first + self._limit - time.monotonic()))

    def _overdue(self) -> Iterator[tuple[int, Outcome]]:
        now = time.monotonic()
        for index, (target, started) in list(self._running.items()):
            if self._limit is not None and now >= started + self._limit:
                del self._running[index]
                yield index, Outcome(target, error=self._late(index))
