"""Where the output of a program in the guest goes: on to our own streams, or into memory."""

from __future__ import annotations

import codecs
import re

from qga_cli import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    Sinks = tuple[Callable[[bytes], object], Callable[[bytes], object]]  # of stdout, stderr

_KEPT = 2**20  # bytes of each stream that are kept for JSON
_LINE = 8192  # bytes of a shell's complaint, which names the program
_MARKED = len("qga-")  # fewer letters than the name begins with are no part of it


def drop(data: bytes) -> None:
    """For output that nobody wants."""


class Passthrough:
    """Writes what comes to a stream of this process at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def take(self, data: bytes) -> None:
        """Write and flush. Raises BrokenPipeError when our reader has gone."""
        self._stream.write(data)
        self._stream.flush()


class Complaint:
    """The program's stderr, but for what the shell named `name` says when it cannot execute it.

    The shell would say so in its own name, which is ours, and means nothing to the user.
    """

    def __init__(self, sink: Callable[[bytes], object], name: str) -> None:
        self._sink = sink
        self._begin = f"{name}: ".encode()
        self._held: bytes | None = b""  # None once it is another's

    def take(self, data: bytes) -> None:
        """Pass `data` on, unless it is the shell's."""
        if self._held is None:
            self._sink(data)
            return
        self._held += data
        # A shell says its name at once; a program that says "q" may wait for an answer to it.
        begins = len(self._held) >= _MARKED and self._begin.startswith(self._held)
        ours = begins or self._held.startswith(self._begin)
        if not ours or len(self._held) > _LINE:
            self.release()

    def release(self) -> None:
        """Pass on what is held: the program ran."""
        held, self._held = self._held, None
        if held:
            self._sink(held)

    @property
    def said(self) -> str:
        """The shell's complaint, without its name; "" for none."""
        line = (self._held or b"").decode("utf-8", "replace").strip()
        return re.sub(r"^(exec: |eval: |line \d+: |\d+: )+", "", line[len(self._begin) :])


class Buffer:
    """The first megabyte, to be told at the end."""

    def __init__(self) -> None:
        self._data = b""
        self.truncated = False

    def take(self, data: bytes) -> None:
        """Keep what there is room for."""
        room = _KEPT - len(self._data)
        self._data += data[:room]
        self.truncated = self.truncated or len(data) > room

    def fields(self, name: str, encoding: str = "utf-8") -> dict[str, str]:
        """The member `name` as text, or as base64 with its encoding beside it."""
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            # A character that was cut off is no reason for base64.
            return {name: decoder.decode(self._data, final=not self.truncated)}
        except UnicodeDecodeError:
            return {name: wire.to_base64(self._data), f"{name}-encoding": "base64"}
