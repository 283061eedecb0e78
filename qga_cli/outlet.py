"""Our standard output and error, which whoever reads them may leave unread for ever."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from io import BufferedWriter, FileIO, TextIOWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from qga_cli.interrupt import Interrupt

_LOOK = 0.25  # seconds between two looks at signals, while nobody reads
_GRACE = 1.0  # seconds after a signal for a slow reader to take something
_SMALL = 4096  # bytes that what can be written takes without waiting: PIPE_BUF
_UNKNOWN = -2


class Outlet(FileIO):
    """A pipe, socket or terminal. A write of Python's waits on through signals; one here does not.

    Once a signal has come, a reader that takes nothing for a second counts as one that has gone:
    BrokenPipeError. The descriptor itself stays as it is, for other processes may have it too;
    unless it is `ours`, and does not wait.
    """

    def __init__(self, number: int, interrupt: Interrupt, *, ours: bool = False) -> None:
        super().__init__(number, "w", closefd=ours)
        self._interrupt = interrupt
        self._fast = number if ours else _UNKNOWN  # what does not wait; see open_anew
        self._left = False  # by its reader

    def write(self, data: ReadableBuffer, /) -> int:
        """Some of it, as soon as somebody takes it. Raises BrokenPipeError."""
        if self._fast == _UNKNOWN:
            self._fast = open_anew(self.fileno())
        number, view = self._fast, memoryview(data)
        if number < 0:
            number, view = self.fileno(), view[:_SMALL]
            self._wait(number)
        while True:
            try:
                return os.write(number, view)
            except BlockingIOError:
                self._wait(number)

    def _wait(self, number: int) -> None:
        import select  # only now: few have to wait

        look = select.poll()
        look.register(number, select.POLLOUT)
        until = 0.0
        while not look.poll(0 if self._left else _LOOK * 1000):
            if self._interrupt.count:
                until = until or time.monotonic() + _GRACE
                self._left = self._left or time.monotonic() > until
            if self._left:
                raise BrokenPipeError(errno.EPIPE, "nobody reads the output")


def heed(interrupt: Interrupt) -> None:
    """Have what is written to our standard streams from now on heed signals."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper) and may_wait(number):
            stream.flush()
            made = TextIOWrapper(
                BufferedWriter(Outlet(number, interrupt)),
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
            )
            setattr(sys, name, made)


def is_dumb() -> bool:
    """Whether our terminal, if we have one, knows no escape sequences, as far as we are told."""
    return os.environ.get("TERM") in (None, "", "dumb")


def may_wait(number: int) -> bool:
    """Whether a write there may have to wait for a reader."""
    mode = os.fstat(number).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(number)


def open_anew(number: int) -> int:
    """A descriptor of our own for the same pipe or terminal that never waits; -1 for what cannot
    be opened once more: a socket, or what is another user's."""
    if not stat.S_ISFIFO(os.fstat(number).st_mode) and not os.isatty(number):
        return -1
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{number}", flags)
    except OSError:
        return -1
