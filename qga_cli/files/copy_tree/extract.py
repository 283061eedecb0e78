"""A guest's tree, written down on this host as from a stranger.

Everything goes into a folder of our own that nobody else can enter. Names are walked one by one
from there without following a link, so no entry can leave it, whatever earlier ones have made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tarfile

from qga_cli import hostpath
from qga_cli.errors import BadReply, FileError
from qga_cli.files.guest.facts import nanoseconds
from qga_cli.format import printable
from qga_cli.format import size as human
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.copy_file.transfer import CopyOptions

_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_COST = 4096  # bytes that an entry is counted as, beside its data
_SHARE = 0.9  # of the free space and inodes that one tree may use
_LONG, _DEEP = 4096, 400  # bytes of a path, folders in each other: what our own tools can remove


class Extractor:
    """Receives the entries of one archive (tar_reader.Receiver) into the open folder `stage`.

    With `closed`, that folder itself stays as it is, for nobody else to enter: its content is to
    be moved, and others could put into it what they like.
    """

    def __init__(
        self,
        stage: int,
        options: CopyOptions,
        note: Callable[[str], None],
        *,
        closed: bool = False,
    ) -> None:
        free = os.statvfs(stage)
        room = int(free.f_bavail * free.f_frsize * _SHARE)
        self._room = min(room, options.limit) if options.limit else room
        self._inodes = int(free.f_favail * _SHARE) if free.f_files else 2**63
        self._options = options
        self._note = note
        self._closed = closed
        self._root = os.dup(stage)
        self._parent: tuple[tuple[str, ...], int] = ((), self._root)  # the last one used
        # The folders around the last entry: dressed when all in them has come.
        self._folders: list[tuple[tuple[str, ...], tarfile.TarInfo]] = []
        self._file = -1
        self._info = tarfile.TarInfo()

    def entry(self, info: tarfile.TarInfo) -> None:
        """See tar_reader.Receiver. Raises BadReply for what an honest tar does not send."""
        parts = parts_of(info.name)
        self._count()
        self._leave(parts)
        if info.isdir():
            self._folder(parts, info)
            return
        if not parts:
            raise BadReply("the guest's archive has a root that is no folder")
        parent, name = self._walk(parts[:-1]), parts[-1]
        try:
            if info.isreg():
                self._info = info
                self._file = os.open(name, _FILE, 0o600, dir_fd=parent)
            elif info.type in _LINKS:
                self._link(info, parent, name)
            else:
                self._note(f"{printable(info.name)}: a device or FIFO, not copied")
        except FileExistsError as error:
            raise BadReply(f"the guest's archive has {printable(info.name)!r} twice") from error

    def data(self, offset: int, data: bytes) -> None:
        self._take(len(data))
        view = memoryview(data)
        while view:
            count = os.pwrite(self._file, view, offset)
            offset += count
            view = view[count:]

    def end(self) -> None:
        os.ftruncate(self._file, self._info.size)
        self._dress(self._file, self._info)
        self._close_file()

    def finish(self) -> None:
        """Dress the folders that are still open."""
        self._leave(())

    def close(self) -> None:
        """Let go of everything that is open."""
        self._close_file()
        if self._parent[1] != self._root:
            os.close(self._parent[1])
        os.close(self._root)

    def _leave(self, parts: tuple[str, ...]) -> None:
        """Give the folders that `parts` is not in their modes and times: all in them has come."""
        while self._folders:
            folder, info = self._folders[-1]
            if len(folder) < len(parts) and parts[: len(folder)] == folder:
                return
            self._folders.pop()
            if folder or not self._closed:
                self._dress(self._walk(folder), info)

    def _folder(self, parts: tuple[str, ...], info: tarfile.TarInfo) -> None:
        if parts:
            self._make(parts[-1], self._walk(parts[:-1]))
        self._folders.append((parts, info))

    def _link(self, info: tarfile.TarInfo, parent: int, name: str) -> None:
        if info.issym():
            if self._options.follow:
                raise BadReply(
                    f"the guest's archive is a lie: {printable(info.name)!r} is a symbolic link, "
                    "though -L asks for what links lead to"
                )
            if not info.linkname or "\0" in info.linkname:
                raise BadReply("the guest's archive has a symbolic link to nothing")
            os.symlink(info.linkname, name, dir_fd=parent)
            self._dress_link(info, parent, name)
            return
        *folder, old = parts_of(info.linkname) or ("",)
        with held(os.dup(parent)) as here:  # the walk to the other name may close it
            try:
                os.link(old, name, src_dir_fd=self._walk(tuple(folder)), dst_dir_fd=here,
                        follow_symlinks=False)  # fmt: skip
            except FileNotFoundError as error:
                raise BadReply(
                    f"the guest's archive has a hard link to {printable(info.linkname)!r}, "
                    "which is not in it"
                ) from error

    def _walk(self, parts: tuple[str, ...]) -> int:
        """The open folder at `parts`, made where tar has not named it."""
        if parts == self._parent[0]:
            return self._parent[1]
        if self._parent[1] != self._root:
            os.close(self._parent[1])
        self._parent = ((), self._root)
        at = os.dup(self._root)
        try:
            for part in parts:
                self._make(part, at)
                at, last = hostpath.enter(part, at), at
                os.close(last)
        except OSError as error:
            os.close(at)
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            name = printable("/".join(parts))
            raise BadReply(f"the guest's archive uses {name!r} as a folder, and it is none") from (
                error
            )
        self._parent = (parts, at)
        return at

    def _make(self, name: str, parent: int) -> None:
        with contextlib.suppress(FileExistsError):  # if it is no folder, opening it will tell
            os.mkdir(name, 0o700, dir_fd=parent)
            self._count()

    def _dress(self, number: int, info: tarfile.TarInfo) -> None:
        mode = info.mode & (0o7777 if self._options.special else 0o1777)
        if not self._options.preserve:
            mode &= 0o777 & ~self._options.umask
        elif os.geteuid() == 0:
            os.fchown(number, info.uid, info.gid)
        os.fchmod(number, mode)
        if self._options.preserve:
            moment = _moment(info)
            os.utime(number, ns=(moment, moment))

    def _dress_link(self, info: tarfile.TarInfo, parent: int, name: str) -> None:
        if not self._options.preserve:
            return
        if os.geteuid() == 0:
            os.chown(name, info.uid, info.gid, dir_fd=parent, follow_symlinks=False)
        moment = _moment(info)
        os.utime(name, ns=(moment, moment), dir_fd=parent, follow_symlinks=False)

    def _count(self) -> None:
        """One entry more."""
        self._take(_COST)
        self._inodes -= 1
        if self._inodes < 0:
            raise FileError("the guest sends more files than this filesystem has room for")

    def _take(self, count: int) -> None:
        self._room -= count
        if self._room < 0:
            limit = self._options.limit
            raise FileError(
                f"the guest sends more than {human(limit)}" if limit
                else "the guest sends more than there is room for here",
                hint="--max-size sets how much may come" if limit else "",
            )  # fmt: skip

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of an archived name. Raises BadReply unless it stays inside the archive."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise BadReply(f"the guest's archive has a name that leads out of it: {printable(name)!r}")
    if len(name) > _LONG or len(parts) > _DEEP:
        raise BadReply(
            f"the guest's archive has a name of {len(parts)} parts and {len(name)} characters"
        )
    return parts


def _moment(info: tarfile.TarInfo) -> int:
    """The time of change, from the pax header where there is one."""
    try:
        return nanoseconds(info.pax_headers.get("mtime", str(int(info.mtime))))
    except ValueError:
        raise BadReply("the guest's archive has a time that is none") from None
