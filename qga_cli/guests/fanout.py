"""One set of standard streams for many guests: output marked by guest, input sent to each.

Bytes stay as they are, but for the name in front of each line, and a newline where a guest's last
line has none.
"""

from __future__ import annotations

import io
import threading

from qga_cli.format import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from typing import BinaryIO

    from _typeshed import ReadableBuffer, WriteableBuffer

_LONGEST = 64 * 1024  # bytes kept back of a line without end; then it is broken
_CHUNK = 64 * 1024
RULE = "-" * 15  # around the names above each of --gather's blocks
_INVISIBLE = bytes(range(33)) + b"\x7f"


class Prefixed(io.RawIOBase):
    """Writes whole lines, each after the guest's name, under a lock shared by all guests."""

    def __init__(self, out: BinaryIO, name: str, lock: threading.Lock) -> None:
        self._out = out
        self._prefix = f"{printable(name)}: ".encode()
        self._lock = lock
        self._rest = b""

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take everything; what comes after the guest has been given up is dropped."""
        data = bytes(data)
        with self._lock:
            if self.closed:
                return len(data)
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) > _LONGEST:
                lines.append(self._rest)
                self._rest = b""
            self._put(lines)
        return len(data)

    def close(self) -> None:
        """Write the last line if it had no end. Safe to repeat, and from another thread."""
        with self._lock:
            if not self.closed and self._rest:
                self._put([self._rest])
            self._rest = b""
            super().close()

    def _put(self, lines: list[bytes]) -> None:
        if lines:
            self._out.write(b"".join(self._prefix + line + b"\n" for line in lines))
            self._out.flush()


class Gathered(io.RawIOBase):
    """Keeps what a guest wrote until it is compared with the others'; large output on disk."""

    def __init__(self) -> None:
        import hashlib
        import tempfile

        self._lock = threading.Lock()
        self._file = tempfile.SpooledTemporaryFile(max_size=2**20)
        self._hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take everything; what comes after the guest has been given up is dropped."""
        data = bytes(data)
        with self._lock:
            if not self.closed:
                self._hash.update(data)
                self._file.write(data)
                self.size += len(data)
        return len(data)

    def digest(self) -> bytes:
        """Equal for equal output."""
        return self._hash.digest()

    def copy_to(self, out: BinaryIO) -> None:
        """Write all of it, with a newline at the end; see `no_header`."""
        self._file.seek(0)
        data = b"\n"
        while True:
            last, data = data, self._file.readline(_CHUNK)
            if not data:
                break
            out.write(no_header(data) if last.endswith(b"\n") else data)
        out.write(b"" if last.endswith(b"\n") else b"\n")

    def free(self) -> None:
        """Forget it."""
        self._file.close()


def no_header(line: bytes) -> bytes:
    """A guest's line; one that could pass for a rule of --gather's headers is indented by one."""
    return b" " + line if line.lstrip(_INVISIBLE).startswith(RULE.encode()) else line


class Shared:
    """Our standard input, read once and kept, so that each guest gets all of it."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self._changed = threading.Condition()
        self._heard = False  # whether somebody waits for input, for all who have read what is there
        self._file: FileIO | None = None
        self._size = 0
        self._ended = False
        self._failure: Exception | None = None

    def read_at(self, offset: int, count: int) -> bytes:
        """Some bytes from there on; empty at the end of input. Waits for input.

        Raises what kept us from reading or keeping it, for each guest that comes so far: one that
        went on would get an input with a hole.
        """
        with self._changed:
            while offset == self._size and not self._ended:
                if self._failure:
                    raise self._failure
                if self._heard:
                    self._changed.wait()
                else:
                    self._hear()
            assert self._file  # made for the first that asked
            self._file.seek(offset)
            # Behind that may be what there was no room for any more.
            return self._file.read(min(count, self._size - offset))

    def _hear(self) -> None:
        """Wait for input, while those who are behind get what is there."""
        self._heard = True
        self._changed.release()
        try:
            data = self.source.read1(_CHUNK)  # type: ignore[attr-defined]
        except Exception as error:
            self._failure = error
            return
        finally:
            self._changed.acquire()
            self._heard = False
            self._changed.notify_all()
        try:
            self._keep(data)
        except OSError as error:
            where = f"{error.strerror}, where it is kept for all guests (TMPDIR)"
            self._failure = OSError(error.errno, where)

    def _keep(self, data: bytes) -> None:
        if self._file is None:
            import tempfile

            self._file = tempfile.TemporaryFile(buffering=0)
        self._file.seek(self._size)
        rest = memoryview(data)
        while rest:  # a disk that is almost full takes a part
            rest = rest[self._file.write(rest) :]
        self._size += len(data)
        self._ended = not data

    def free(self) -> None:
        """Forget it; nobody reads any more."""
        if self._file:
            self._file.close()


class Reader(io.RawIOBase):
    """One guest's place in the shared input."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._offset = 0

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        """Whether a person types it."""
        return self._shared.source.isatty()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill some of `buffer`; 0 at the end of input."""
        view = memoryview(buffer)
        data = self._shared.read_at(self._offset, len(view))
        view[: len(data)] = data
        self._offset += len(data)
        return len(data)
