"""gzip on the way through the channel, which is slower than most compressors.

Not zstd: it packs better, but Python has none before 3.14, and gzip is in every guest.
"""

from __future__ import annotations

import io
import zlib

from qga_cli.errors import BadReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

_PIECE = 2**20
PACK, UNPACK = "gzip -1 -c", "gzip -dc"  # the guest's command lines


class Unpacker:
    """Takes what the guest has packed; `take` gets what was in it in pieces, so never much."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._take = take

    def write(self, data: bytes) -> None:
        """The next bytes of the stream. Raises BadReply."""
        part = b""
        while data or (len(part) == _PIECE and not self._stream.eof):  # there may be more in it
            if self._stream.eof:
                raise BadReply("what the guest's gzip sends goes on after its end")
            try:
                part = self._stream.decompress(data, _PIECE)
            except zlib.error as error:
                raise BadReply(f"what the guest's gzip sends is broken: {error}") from error
            data = self._stream.unconsumed_tail
            if part:
                self._take(part)


class Outgoing(io.RawIOBase):
    """A stream to read: what `pieces` give, packed if that is asked for. An error ends it and is
    kept in `error`, for its reader is a thread that could not tell anybody.
    """

    def __init__(self, pieces: Iterator[bytes], *, pack: bool) -> None:
        self.error: Exception | None = None
        self._packer = zlib.compressobj(1, wbits=31) if pack else None
        self._pieces = pieces
        self._buffer = bytearray()
        self._at_end = False

    def file(self) -> BinaryIO:
        """As what exec.run takes."""
        return io.BufferedReader(self, 2**18)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill as much of `buffer` as there is."""
        view = memoryview(buffer)
        while not self._buffer and not self._at_end:
            try:
                self._fill(next(self._pieces, b""))
            except Exception as error:
                self.error, self._at_end = error, True
        count = min(len(view), len(self._buffer))
        view[:count] = self._buffer[:count]
        del self._buffer[:count]
        return count

    def _fill(self, data: bytes) -> None:
        self._at_end = not data
        if self._packer:
            data = self._packer.compress(data) if data else self._packer.flush()
        self._buffer += data
