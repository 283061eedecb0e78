"""gzip on the way through the channel, which is slower than most compressors.

Not zstd: it packs better, but Python has none before 3.14, and gzip is in every guest.
"""

import io
import time
import zlib

from qga_cli.errors import BadReply, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

    from qga_cli.files.access import Access

SAMPLE = 2**20  # bytes that are tried before auto decides
_WORTH = 0.7  # of the size: packed to less, a push is faster, for unpacking costs little
_WORTH_THERE = 0.5  # likewise for a pull, where the guest must pack
_RATE = 25e6  # bytes a second: a guest that packs slower is emulated, and its channel faster
_PIECE = 2**20
_HAVE = "command -v gzip >/dev/null"
PACK, UNPACK = "gzip -1 -c", "gzip -dc"  # the guest's command lines


class Unpacker:
    """Takes what the guest has packed; `take` gets what was in it in pieces, so never much."""

    def __init__(self, take: "Callable[[bytes], object]") -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._take = take

    def write(self, data: bytes) -> None:
        """The next bytes of the stream. Raises BadReply."""
        part = b""
        while data or len(part) == _PIECE:  # a full piece may not have been all
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

    def __init__(self, pieces: "Iterator[bytes]", *, pack: bool) -> None:
        self.error: Exception | None = None
        self._packer = zlib.compressobj(6, wbits=31) if pack else None
        self._pieces = pieces
        self._buffer = bytearray()
        self._at_end = False

    def file(self) -> "BinaryIO":
        """As what exec.run takes."""
        return io.BufferedReader(self, 2**18)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
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


def packs(access: "Access", wish: str, pays: "Callable[[], bool]") -> bool:
    """Whether to pack, for a wish: none, auto, gzip. `pays` is asked for auto only.

    Raises Unsupported when gzip was named and the guest has none.
    """
    if wish == "none" or (wish == "auto" and not (access.exec and pays())):
        return False
    access.needs_exec("--compress")
    has = access.attempt(_HAVE).code == 0
    if not has and wish != "auto":
        raise Unsupported(f"{access.agent.name}: the guest has no {wish}")
    return has


def pays_here(sample: bytes) -> bool:
    """Whether data that begin like this travel faster packed, into a guest."""
    return len(sample) == SAMPLE and len(zlib.compress(sample, 1)) < _WORTH * len(sample)


def pays_there(access: "Access", script: str, *words: str) -> bool:
    """Whether what a script in the guest writes travels faster when the guest packs it."""
    begun = time.monotonic()
    done = access.attempt(f"( {script} ) | head -c {SAMPLE} | {PACK} | wc -c", *words)
    took = time.monotonic() - begun
    size = done.stdout.strip()
    if done.code or not size.isdigit() or len(size) > 9:
        return False
    return 100 < int(size) < _WORTH_THERE * SAMPLE and took < SAMPLE / _RATE
