"""The little of threads that every run needs, without the modules that take longer than a ping.

`threading`, `queue` and `contextlib` bring `functools`, `collections` and their like. What is here
rests on the documented C module below `threading`; docs/startup.md has the figures.
"""

from __future__ import annotations

import os
import time
from _thread import allocate_lock as Lock  # a class in threading, too
from _thread import get_ident, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Bell", "Lock", "all_within", "get_ident", "held", "start", "until"]


def start(work: Callable[..., object], *args: object) -> None:
    """Run `work` in a thread that holds nobody: the process ends without it."""
    start_new_thread(work, args)


class Bell:
    """Wakes one thread. `ring` may be called by any thread and in a signal handler: it takes no
    lock that whom the signal has interrupted may hold, as an Event does."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = Lock()  # free while the bell has rung and nobody has come
        self._rung.acquire()

    def ring(self) -> None:
        """Wake the one that waits, or the next that will."""
        try:
            self._rung.release()
        except RuntimeError:  # rung already, and nobody has come yet
            pass

    def wait(self, seconds: float) -> bool:
        """Wait until it rings; False when it has not after so many seconds."""
        return self._rung.acquire(timeout=max(0.0, seconds))


def all_within(seconds: float, works: Iterable[Callable[[], object]]) -> None:
    """Run each in a thread of its own, and wait for them, for so many seconds at most.

    What is not over by then goes on by itself. None may raise anything.
    """
    end, bells = time.monotonic() + seconds, list[Bell]()

    def run(work: Callable[[], object], bell: Bell) -> None:
        work()
        bell.ring()

    for work in works:
        bells.append(Bell())
        start(run, work, bells[-1])
    for bell in bells:
        bell.wait(end - time.monotonic())


class until:
    """Around a block, after which `end` is called, however it ends."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[], object]) -> None:
        self._end = end

    def __enter__(self) -> None:
        """The block begins."""

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._end()


class held:
    """Around a block, after which this descriptor is closed, however it ends."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> int:
        return self._number

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        os.close(self._number)
