"""The command line on a terminal of its own, with hands on the keyboard and eyes on the screen."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.kit.command import environment
from tests.kit.running import GUARD, readable


class Terminal:
    """`qga` with `words` on a terminal of 24 rows and 80 columns. `screen` is what it has shown.

    It leads a session, as a shell's child does in a terminal window: closing the window ends it.
    """

    def __init__(self, *words: str) -> None:
        self._window, self._keyboard = os.openpty()
        self.resize(24, 80)
        self.modes_before = self.modes()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qga_cli", *words],
            stdin=self._keyboard,
            stdout=self._keyboard,
            stderr=self._keyboard,
            env=environment({"NO_COLOR": "1"}),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.screen = b""

    def modes(self) -> list[Any]:
        """The terminal's modes, as tcgetattr has them."""
        return termios.tcgetattr(self._keyboard)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._window, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Type, reading what comes back meanwhile."""
        while keys:
            look = select.poll()
            look.register(self._window, select.POLLIN | select.POLLOUT)
            told = dict(look.poll(30_000)).get(self._window, 0)
            assert told, "nobody takes what is typed"
            if told & (select.POLLIN | select.POLLHUP):
                self.screen += os.read(self._window, 65536)
            if told & select.POLLOUT:
                keys = keys[os.write(self._window, keys[:1024]) :]

    def see(self, text: bytes, seconds: float = GUARD) -> bytes:
        """Wait until `text` has appeared; what came before it. It is not seen a second time."""
        end = time.monotonic() + seconds
        while text not in self.screen:
            if not readable(self._window, end - time.monotonic()):
                raise AssertionError(f"no {text!r} on the screen, but {self.screen[-2000:]!r}")
            self.screen += os.read(self._window, 65536)
        before, _, self.screen = self.screen.partition(text)
        return before

    def watch(self, seconds: float) -> int:
        """Read for a while. How many bytes came, none of which is kept."""
        end, count = time.monotonic() + seconds, 0
        while readable(self._window, end - time.monotonic()):
            count += len(os.read(self._window, 65536))
        return count

    def until(self, true: Callable[[], object], seconds: float = GUARD) -> None:
        """Wait for something that is not to be seen here."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"in vain, with {self.screen[-2000:]!r}"
            self._read(0.02)

    def end(self, seconds: float = GUARD) -> int:
        """Wait for the end, and return the exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running, with {self.screen[-2000:]!r}"
            self._read(0.02)
        while self._read(0):
            continue
        return self.process.returncode

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def shut(self) -> None:
        """Close the window."""
        for number in (self._window, self._keyboard):
            if number >= 0:
                os.close(number)
        self._window = self._keyboard = -1

    def _read(self, seconds: float) -> bool:
        ready = readable(self._window, seconds)
        if ready:
            self.screen += os.read(self._window, 65536)
        return ready


@contextmanager
def terminal(*words: str) -> Iterator[Terminal]:
    """A Terminal that is gone afterwards."""
    made = Terminal(*words)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.signal(signal.SIGKILL)
            made.process.wait()
        made.shut()
