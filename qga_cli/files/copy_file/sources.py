"""What is copied: a file of this host, a stream, a guest's file. All give pieces in order."""

from __future__ import annotations

import hashlib
import os
import select

from qga_cli import hostpath
from qga_cli.errors import FileError, Interrupted
from qga_cli.files.guest.digest import GuestDigest, feed_zeros, of_file
from qga_cli.files.guest.facts import FileFacts, facts_of
from qga_cli.files.guest.handle import open_handle
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import BinaryIO, Protocol

    from qga_cli.files.guest.access import Access
    from qga_cli.interrupt import Interrupt

    class FileSource(Protocol):
        """`name` is the last part of its path, "" for a stream."""

        name: str
        facts: FileFacts

        def pieces(self, start: int, chunk: int) -> Generator[tuple[int, bytes], None, None]:
            """Offsets and data from `start` on, in order; what lies between them is zeros."""

        def prefix(self, length: int) -> str:
            """The SHA-512 of the first `length` bytes. To be called before `pieces`, if at all."""

        def digest(self) -> str:
            """The SHA-512 of what was there to read; "" when it cannot be known."""

        def abandon(self) -> None:
            """End without a result. Raises no QgaError."""


UNPROMISED = 64 * 2**20  # bytes taken of a file that says it is empty, as those of /proc do
_LOOK = 0.2  # seconds between two looks at the interrupt while a stream has nothing


class HostFile:
    """A FileSource: a regular file of this host."""

    def __init__(self, path: str, *, follow: bool = True) -> None:
        self.name = os.path.basename(path)
        self._path = path
        self._follow = follow
        self._file = self._open()  # closed by pieces
        # Of what was opened, not of what has its name a moment later.
        self.facts = facts_of(self._file)
        if self.facts.kind != "file":
            self._file.close()
            raise FileError(f"{path}: was a file a moment ago, and is a {self.facts.kind} now")
        self._hash = hashlib.sha512()
        self._prefixes: dict[int, hashlib._Hash] = {}  # of lengths that were asked for

    def sample(self, count: int) -> bytes:
        """How it begins."""
        self._file.seek(0)
        return self._file.read(count)

    def prefix(self, length: int) -> str:
        self._prefixes[length] = of_file(self._file, length)
        return self._prefixes[length].hexdigest()

    def pieces(self, start: int, chunk: int) -> Generator[tuple[int, bytes], None, None]:
        """See FileSource. Holes are found by the filesystem's own account of them."""
        if start:
            self._hash = self._prefixes[start]
        with self._file:
            position, size = start, self.facts.size or 0
            while position < size:
                begin, end = self._extent(position, size)
                feed_zeros(self._hash, begin - position)
                self._file.seek(begin)
                for position in range(begin, end, chunk):
                    data = self._file.read(min(chunk, end - position))
                    if position + len(data) < min(end, position + chunk):
                        raise FileError(f"{self._path}: became shorter while it was read")
                    self._hash.update(data)
                    yield position, data
                position = end

    def digest(self) -> str:
        """See FileSource. A file that was only appended to meanwhile is no error."""
        with self._open() as again:
            now = facts_of(again)
            if (now.mtime, now.size) != (self.facts.mtime, self.facts.size) and (
                now.kind != "file"
                or of_file(again, self.facts.size or 0).digest() != self._hash.digest()
            ):
                raise FileError(f"{self._path}: changed while it was read")
        return self._hash.hexdigest()

    def abandon(self) -> None:
        self._file.close()

    def _open(self) -> BinaryIO:
        """At once: somebody may have put a FIFO there."""
        flags = os.O_RDONLY | os.O_NONBLOCK
        return open(hostpath.open_file(self._path, flags, follow=self._follow), "rb")

    def _extent(self, position: int, size: int) -> tuple[int, int]:
        """Where the next data begins, and where it ends."""
        if not self.facts.sparse:
            return position, size
        number = self._file.fileno()
        try:
            begin = min(size, os.lseek(number, position, os.SEEK_DATA))
            return begin, min(size, os.lseek(number, begin, os.SEEK_HOLE))
        except OSError:  # ENXIO: nothing but a hole up to the end
            return size, size


def open_stream(path: str) -> BinaryIO:
    """A file without size, opened at once: a FIFO's writer may be long in coming, and HostStream
    waits for it where a signal is seen."""
    return open(hostpath.open_file(path, os.O_RDONLY | os.O_NONBLOCK), "rb")


class HostStream:
    """A FileSource: standard input, a FIFO, a device, a file without size; read once."""

    def __init__(self, stream: BinaryIO, interrupt: Interrupt, name: str = "") -> None:
        self.name = name
        self.facts = FileFacts()
        self._stream = stream
        self._interrupt = interrupt
        self._hash = hashlib.sha512()

    def prefix(self, length: int) -> str:
        """See FileSource. Never asked: a stream cannot be resumed."""
        raise FileError(f"{self.name or 'standard input'} cannot be read twice")

    def pieces(self, start: int, chunk: int) -> Generator[tuple[int, bytes], None, None]:
        """See FileSource. Reads past Python's buffer, which would not let us see a signal."""
        position, buffer = start, bytearray()
        number = self._stream.fileno()
        while data := self._read(number, chunk - len(buffer)):
            buffer += data
            if len(buffer) == chunk:
                yield position, self._take(buffer)
                position += chunk
        if buffer:
            yield position, self._take(buffer)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def abandon(self) -> None:
        """See FileSource."""

    def _read(self, number: int, count: int) -> bytes:
        look = select.poll()  # not select(2), which knows no number over 1023
        look.register(number, select.POLLIN)
        while not look.poll(_LOOK * 1000):
            if self._interrupt.signum:
                raise Interrupted(self._interrupt.signum)
        try:
            return os.read(number, count)
        except OSError as error:
            error.filename = self.name or "standard input"
            raise

    def _take(self, buffer: bytearray) -> bytes:
        data = bytes(buffer)
        buffer.clear()
        self._hash.update(data)
        return data


class GuestFile:
    """A FileSource in a guest. It may lie: it is read as far as its size promises, or to `limit`.

    With `plain` it is no link, and its digest is refused if it has become one: then what was read
    through that is dropped.
    """

    def __init__(
        self,
        access: Access,
        path: str,
        name: str,
        facts: FileFacts,
        *,
        limit: int,
        verify: bool,
        plain: bool = False,
    ) -> None:
        self.name = name
        self.facts = facts
        self.access = access
        self.path = path
        self._limit = limit
        self._verify = verify
        self._plain = plain
        self._proof: GuestDigest | None = None  # works while we read

    def prefix(self, length: int) -> str:
        return GuestDigest(self.access, self.path, length, plain=self._plain).result()

    def pieces(self, start: int, chunk: int) -> Generator[tuple[int, bytes], None, None]:
        """See FileSource. Raises FileError when the file is not what it said."""
        read_chunk = self.access.agent.transport.read_chunk
        chunk *= max(1, read_chunk // chunk)  # as much as one call carries, in whole pieces
        promised = self.facts.size
        end = self._limit if promised is None else promised
        if promised is not None:
            self._prove(promised)
        with open_handle(self.access, self.path, "r") as handle:
            if start:
                handle.seek(start)
            position = start
            while position < end:
                data = handle.read(min(chunk, end - position))
                if not data:
                    break
                yield position, data
                position += len(data)
            if promised is None and position == end and handle.read(1):
                raise FileError(
                    f"{self.path}: has no size and sends more than {end} bytes",
                    hint="--max-size allows more",
                ).of(self.access.target)
        if promised is not None and position < promised:
            raise FileError(
                f"{self.path}: became shorter while it was read ({position} bytes of {promised})"
            ).of(self.access.target)

    def pour(
        self,
        write: Callable[[int, bytes], None],
        advance: Callable[[int], None],
        start: int,
        *,
        pack: bool,
    ) -> bool:
        """Have the guest send the file from `start` on, packed or through ports; `write` gets
        offsets and data. False if there are no ports, and nothing was done."""
        from qga_cli.files.guest.gzip import Unpacker

        end = self.facts.size or 0
        self._prove(end)
        position = start

        def take(data: bytes) -> None:
            nonlocal position
            if position + len(data) > end:
                raise FileError(f"{self.path}: the guest sends more than the file has").of(
                    self.access.target
                )
            write(position, data)
            position += len(data)
            advance(len(data))

        words = (self.path, str(start + 1), str(end - start))
        if pack:
            sink = Unpacker(take).write
            done = self.access.stream(script("files/pour"), *words, stdout=sink, large=True)
        else:
            way = self.access.flow(script("files/send"), *words, take=take)
            if way is None:
                return False
            done = way
        if done.code:
            raise self.access.failure(done)
        if position < end:
            raise FileError(f"{self.path}: became shorter while it was read").of(self.access.target)
        return True

    def digest(self) -> str:
        """See FileSource. Files of /proc have none: they say something else each time."""
        return self._proof.result() if self._proof else ""

    def abandon(self) -> None:
        """See FileSource. A large file takes the guest minutes to digest, for nobody."""
        if self._proof:
            self._proof.end()

    def _prove(self, length: int) -> None:
        """Have the guest digest it, meanwhile. It does already where there were no ports to pour
        through."""
        if self._verify and not self._proof:
            self._proof = GuestDigest(self.access, self.path, length, plain=self._plain)
