"""Signals that ask us to stop, and the work that must be finished first."""

from __future__ import annotations

import os
import time

from qga_cli.threads import Bell, Lock, get_ident, until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    class File(Protocol):
        """What select takes."""

        def fileno(self) -> int: ...


# Seconds between two looks at signals: one that comes just before the main thread falls asleep is
# noted by Python, and handled when something wakes it.
TICK = 1.0
POLL = 86400.0  # seconds that poll(2) can be told, whose milliseconds end after 24 days


def die_of_ctrl_c() -> None:
    """End by SIGINT itself, as a program without a handler does. Returns where that cannot be.

    After an exit code of 130 bash takes Ctrl-C for ours alone, and a script goes on: of
    `qga cp web1:/f .; qga rm web1:/f` to the second.

    For any thread. Only the main one, which may be stuck, could put the handler away; but what is
    executed has none.
    """
    try:
        os.execv("/bin/sh", ["sh", "-c", "kill -INT $$; exit 130"])
    except OSError:
        pass


class Interrupt:
    """Set by a signal handler; the code that works or waits looks at it.

    Work that would leave something behind in a guest runs inside `shield()`: then the signal is
    the worker's to act on, and the process stays until the worker is done.
    """

    def __init__(self) -> None:
        self.signum = 0  # the first signal that came; 0 for none
        self.last = 0  # the latest one
        self.count = 0  # how many came
        self._shields = 0
        self._unheard: dict[int, int] = {}  # threads that a signal found shielded, and its number
        self._lock = Lock()
        self._watchers: list[Callable[[], None]] = []
        self._leaves: list[Callable[[], str]] = []
        self.ceded = 0  # how many programs of this host have the keyboard, and Ctrl-C with it
        self._pipe: tuple[int, int] | None = None  # for `select`, made when first needed

    def set(self, signum: int) -> None:
        """Note a signal. Safe in a signal handler, so it takes no lock: whom it has interrupted
        may hold it."""
        self.signum = self.signum or signum
        self.last = signum
        self.count += 1
        self.wake()

    def wake(self) -> None:
        """Have all that wait look again. For any thread, and safe in a signal handler."""
        if self._pipe:
            os.write(self._pipe[1], b"!")
        for wake in tuple(self._watchers):
            wake()

    def sleep(self, seconds: float, seen: int) -> bool:
        """Sleep until a signal comes, or not at all if more than `seen` have come already.

        False when the time was over first.
        """
        until = time.monotonic() + seconds
        known = min(self.count, seen)
        bell = Bell()
        with self.watched(bell.ring):
            while self.count == known and (left := until - time.monotonic()) > 0:
                bell.wait(min(left, TICK))
        return self.count > known

    def watched(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Around work that wants `wake` called, perhaps in a signal handler, at each signal."""
        self._watchers.append(wake)
        return until(lambda: self._watchers.remove(wake))

    def leaves(self, tell: Callable[[], str]) -> AbstractContextManager[None]:
        """Around work that would leave something if we ended now: `tell` says what, if anything.

        It is called in a thread of its own, just before the end, and has a moment to tidy up.
        """
        self._leaves.append(tell)
        return until(lambda: self._leaves.remove(tell))

    def leaving(self) -> tuple[Callable[[], str], ...]:
        """What would tell now; see `leaves`."""
        return tuple(self._leaves)

    def cede(self) -> AbstractContextManager[None]:
        """Around a program of this host that has our terminal: Ctrl-C is meant for it."""
        self.ceded += 1
        return until(self._take_back)

    def _take_back(self) -> None:
        self.ceded -= 1

    def select(self, files: Sequence[File], seconds: float, seen: int) -> list[File]:
        """Which of `files` can be read; none once more than `seen` signals have come, or the time
        is over. For one thread."""
        import select

        if self._pipe is None:
            self._pipe = os.pipe()
        bell, end = self._pipe[0], time.monotonic() + seconds
        numbers = {file.fileno(): file for file in files}
        look = select.poll()  # not select(2), which knows no number over 1023
        for number in (bell, *numbers):
            look.register(number, select.POLLIN)
        while self.count <= seen:
            left = end - time.monotonic()
            ready = [number for number, _ in look.poll(max(0.0, min(left, POLL)) * 1000)]
            if bell in ready:
                os.read(bell, 64)  # for signals that `count` knows, or will in a moment
            elif ready or left <= POLL:
                return [numbers[number] for number in ready]
        return []

    @property
    def shielded(self) -> bool:
        """Whether some work wants to end by itself, or has done so and not been heard yet."""
        with self._lock:
            return self._shields > 0 or self.count in self._unheard.values()

    def shield(self) -> AbstractContextManager[None]:
        """Around work that cleans up after itself when it sees the signal."""
        seen = self.count
        with self._lock:
            self._shields += 1
        return until(lambda: self._unshield(seen))

    def _unshield(self, seen: int) -> None:
        with self._lock:
            if self.count > seen:  # how it ended must be heard, unless one more signal comes
                self._unheard[get_ident()] = self.count
            self._shields -= 1

    def heard(self, thread: int) -> None:
        """The outcome of the work in this thread has arrived."""
        with self._lock:
            self._unheard.pop(thread, None)
