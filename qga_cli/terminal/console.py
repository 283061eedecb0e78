"""The terminal we were started from: raw while a guest's program has it, its size, its escapes."""

from __future__ import annotations

import os
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from qga_cli.errors import Interrupted, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_USUAL = (24, 80)  # rows and columns, for a terminal that does not know
_LOCAL = 3  # place of the local modes in what tcgetattr returns


class Console:
    """Our own terminal, that of standard input. Raises UsageError when that is none."""

    def __init__(self, stdin: BinaryIO) -> None:
        self.fd = stdin.fileno()
        if not os.isatty(self.fd):
            raise UsageError(
                "standard input is not a terminal",
                hint="commands from a pipe or a file go to `qga exec VM -- sh`, without a terminal",
            )

    def fileno(self) -> int:
        """For select."""
        return self.fd

    def read(self) -> bytes:
        """The keys that wait. Raises Interrupted when the terminal has been closed."""
        try:
            keys = os.read(self.fd, 4096)
        except OSError:
            keys = b""
        if not keys:
            raise Interrupted(signal.SIGHUP)
        return keys

    def write(self, text: bytes) -> None:
        """Show something of our own, unless it is closed, or open for reading only."""
        with suppress(OSError):
            os.write(self.fd, text)

    def is_that_of(self, stream: BinaryIO) -> bool:
        """Whether `stream` shows on this terminal."""
        return os.path.samestat(os.fstat(self.fd), os.fstat(stream.fileno()))

    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        try:
            columns, rows = os.get_terminal_size(self.fd)
        except OSError:  # closed meanwhile
            columns, rows = 0, 0
        return rows or _USUAL[0], columns or _USUAL[1]

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Every key is passed on unseen; whatever happens, the old modes come back.

        No change waits for output to drain: a terminal that was stopped would hold us.
        """
        self._modes = termios.tcgetattr(self.fd)
        try:
            self.keep_raw()
            yield
        finally:
            self.restore()

    def restore(self) -> str:
        """Bring the modes before `raw` back. Returns "": Interrupt.leaves wants a text."""
        with suppress(termios.error):  # closed: nobody sits there any more
            termios.tcsetattr(self.fd, termios.TCSANOW, self._modes)
        return ""

    def keep_raw(self) -> None:
        """Raw (again): a shell that stopped and continued us has put its own modes back."""
        with suppress(termios.error):
            if termios.tcgetattr(self.fd)[_LOCAL] & termios.ICANON:
                tty.setraw(self.fd, termios.TCSANOW)


class _At(Enum):
    """Where the next key comes."""

    START = "at the start of a line"
    WITHIN = "somewhere else"
    AFTER_KEY = "after the escape key, which was typed at the start of a line"


class Escape:
    """Finds among the keys, at the start of a line, what is meant for us: `~.` and `~?`.

    `key` is the first of the two, as one byte; empty for no escapes at all.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key[0] if key else -1
        self._at = _At.START
        self.end = False  # `~.` came
        self.help = False  # `~?` was typed; who shows the help resets it

    def strip(self, data: bytes) -> bytes:
        """What of `data` is for the program."""
        kept = bytearray()
        for byte in data:
            if self._at is _At.AFTER_KEY:
                self._at = _At.START
                if byte == ord("."):
                    self.end = True
                    break
                if byte == ord("?"):
                    self.help = True
                    continue
                if byte != self._key:
                    kept.append(self._key)
            elif self._at is _At.START and byte == self._key:
                self._at = _At.AFTER_KEY
                continue
            kept.append(byte)
            self._at = _At.START if byte in b"\r\n" else _At.WITHIN
        return bytes(kept)
