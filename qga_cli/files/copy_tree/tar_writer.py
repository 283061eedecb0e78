"""A tree of this host as a tar stream, made as it is read."""

from __future__ import annotations

import os
import stat
import tarfile

from qga_cli import hostpath
from qga_cli.errors import FileError
from qga_cli.files.guest.facts import has_hole, seconds
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qga_cli.files.copy_file.transfer import CopyOptions

_CHUNK = 2**20
_END = bytes(1024)
_DEEP = 400  # folders in each other, as extract.py takes them
_SPARSE = 2**16  # bytes of holes that make a file worth sending apart, with its holes


class TarWriter:
    """A file object to read the stream from. `names` are what to call each of `paths` in it.

    Sparse files are left out and named in `sparse`: tar's own ways of storing holes differ.
    """

    def __init__(
        self, paths: dict[str, str], options: CopyOptions, note: Callable[[str], None]
    ) -> None:
        # Name in the tree, path here; of a further hard link, the name that came first.
        self.sparse: list[tuple[str, str, str]] = []
        self._options = options
        self._note = note
        self._links: dict[tuple[int, int], str] = {}
        self._holey: dict[tuple[int, int], str] = {}
        self._stream = self._archive(paths)
        self._buffer = bytearray()

    def peek(self, count: int) -> bytes:
        """The next bytes of the stream, which stay in it."""
        self._fill(count)
        return bytes(self._buffer[:count])

    def read(self, count: int = -1) -> bytes:
        """The next bytes of the stream; b"" at its end."""
        self._fill(count)
        count = len(self._buffer) if count < 0 else count
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self, count: int) -> None:
        while count < 0 or len(self._buffer) < count:
            part = next(self._stream, b"")
            if not part:
                break
            self._buffer += part

    def _archive(self, paths: dict[str, str]) -> Iterator[bytes]:
        for name, path in paths.items():
            folder, last = hostpath.walk(path, follow=self._options.follow or name == ".")
            with held(folder):
                yield from self._entry(name, path, last, folder, ())
        yield _END

    def _entry(
        self, name: str, path: str, last: str, folder: int, above: tuple[tuple[int, int], ...]
    ) -> Iterator[bytes]:
        """What is called `last` in the open `folder`, and `path` in messages. Others may exchange
        it at any moment: what is opened must be what was looked at."""
        found = self._look(path, last, folder)
        here = (found.st_dev, found.st_ino)
        info = self._info(name, found)
        if stat.S_ISDIR(found.st_mode):
            if here in above:
                raise FileError(f"{path}: a symbolic link back to a folder above it")
            if len(above) == _DEEP:
                raise FileError(f"{path[:80]}...: more than {_DEEP} folders in each other")
            info.type = tarfile.DIRTYPE
            yield self._header(info, found.st_mtime_ns)
            with held(self._open(path, last, folder, found, os.O_DIRECTORY)) as here_open:
                for child in sorted(os.listdir(here_open)):
                    yield from self._entry(
                        f"{name}/{child}", os.path.join(path, child), child, here_open,
                        (*above, here),
                    )  # fmt: skip
        elif stat.S_ISLNK(found.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(last, dir_fd=folder)
            yield self._header(info, found.st_mtime_ns)
        elif not stat.S_ISREG(found.st_mode):
            self._note(f"{path}: a device, FIFO or socket, not copied")
        elif here in self._links:
            info.type, info.linkname = tarfile.LNKTYPE, self._links[here]
            yield self._header(info, found.st_mtime_ns)
        elif self._has_holes(path, last, folder, found):
            self.sparse.append((name, path, self._holey.get(here, "")))
            self._holey.setdefault(here, name)
        else:
            if found.st_nlink > 1:
                self._links[here] = name
            try:
                number = self._open(path, last, folder, found, os.O_NONBLOCK)
                yield from self._file(info, path, number, found.st_mtime_ns)
            except OSError as error:
                error.filename = path  # of a disk's fault, or a file of /sys that cannot be read
                raise

    def _has_holes(self, path: str, last: str, folder: int, found: os.stat_result) -> bool:
        if found.st_blocks * 512 >= found.st_size - _SPARSE:
            return False
        with held(self._open(path, last, folder, found, os.O_NONBLOCK)) as number:
            return has_hole(number, found.st_size)

    def _look(self, path: str, last: str, folder: int) -> os.stat_result:
        """Of a link, with -L, what it leads to, if it may lead there."""
        found = os.lstat(last, dir_fd=folder)
        if not (self._options.follow and stat.S_ISLNK(found.st_mode)):
            return found
        above, end = hostpath.walk(path)
        with held(above):
            return os.lstat(end, dir_fd=above)

    def _open(self, path: str, last: str, folder: int, found: os.stat_result, flags: int) -> int:
        flags |= os.O_RDONLY | os.O_CLOEXEC
        try:
            if self._options.follow:
                number = hostpath.open_file(path, flags)
            else:
                number = os.open(last, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            error.filename = path
            raise
        if not os.path.samestat(found, os.fstat(number)):
            os.close(number)
            raise FileError(f"{path}: was replaced while it was read")
        return number

    def _file(self, info: tarfile.TarInfo, path: str, number: int, mtime: int) -> Iterator[bytes]:
        with open(number, "rb") as file:
            found = os.fstat(file.fileno())
            # What has no blocks may be of /proc or /sys, and have more or less than it says.
            whole = b""
            while not found.st_blocks and (data := file.read(_CHUNK)):
                whole += data
            info.size = found.st_size if found.st_blocks else len(whole)
            yield self._header(info, mtime)
            if whole:
                yield whole
            left = info.size - len(whole)
            while left and (data := file.read(min(left, _CHUNK))):
                yield data
                left -= len(data)
            if left or os.fstat(file.fileno()).st_mtime_ns != mtime:
                raise FileError(f"{path}: changed while it was read")
        if info.size % 512:
            yield bytes(-info.size % 512)

    def _info(self, name: str, found: os.stat_result) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.mode = stat.S_IMODE(found.st_mode)
        info.mtime = found.st_mtime_ns // 10**9
        info.uid, info.gid = found.st_uid, found.st_gid
        if not self._options.preserve:
            info.mode &= 0o755
        return info

    def _header(self, info: tarfile.TarInfo, mtime: int) -> bytes:
        """GNU's format, whose long names are plain bytes, after a pax header for nanoseconds.

        Python's own pax headers would mark names that are no UTF-8 in a way GNU tar does not know.
        """
        before = b""
        if self._options.preserve and mtime % 10**9:
            record = f"mtime={seconds(mtime)}\n"
            size = len(record) + 3  # two digits and a space; 30 bytes or so
            pax = tarfile.TarInfo("pax")
            pax.type, pax.size = tarfile.XHDTYPE, size
            before = pax.tobuf(tarfile.GNU_FORMAT) + f"{size} {record}".encode().ljust(512, b"\0")
        return before + info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
