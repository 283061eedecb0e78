"""Folders to and from a Windows guest without tar.exe, which releases before 10 1803 do not have.

Each file travels as cp brings a single one, and is compared like that. A call or two of cmd's for
each: this is slow, and there is no faster way that is as old as they are.
"""

from __future__ import annotations

import hashlib
import tarfile

from qga_cli.errors import FileError
from qga_cli.format import printable
from qga_cli.windows.handle import CopyHandle
from qga_cli.windows.paths import full, join
from qga_cli.windows.to_guest import WindowsTarget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.copy_tree.tar_reader import Receiver
    from qga_cli.windows.files import WindowsFiles

_JUNCTION = "l"  # in the attributes that cmd tells: a junction or a symbolic link


class Filling:
    """Receives the entries of an archive of ours (tar_reader.Receiver) into a guest's folder."""

    def __init__(self, files: WindowsFiles, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._target: WindowsTarget | None = None
        self._info = tarfile.TarInfo()
        self._digest = hashlib.sha512()

    def entry(self, info: tarfile.TarInfo) -> None:
        goal = inside(self._folder, info.name)
        if info.isdir():
            self._files.make([goal], parents=True)
        elif info.islnk():
            self._files.duplicate(inside(self._folder, info.linkname), goal)
        elif info.issym():
            raise FileError(
                f"{printable(info.name)}: is a symbolic link, which needs tar.exe in the guest",
                hint="-L copies what links lead to",
            ).of(self._files.target)
        else:
            self._info, self._digest = info, hashlib.sha512()
            self._target = WindowsTarget(self._files, goal, "", folder=False, replaces="")
            self._target.begin(info, None)

    def data(self, offset: int, data: bytes) -> None:
        assert self._target
        self._digest.update(data)
        self._target.write(offset, data)

    def end(self) -> None:
        """See tar_reader.Receiver. Raises FileError unless the guest has the same."""
        assert self._target
        self._target.finish(self._info, self._digest.hexdigest())
        self._target = None

    def abandon(self) -> None:
        """Remove what has come of a file that is not complete."""
        if self._target:
            self._target.abandon(keep=False)


def pick(
    files: WindowsFiles,
    folder: str,
    receiver: Receiver,
    advance: Callable[[int], None],
    note: Callable[[str], None],
    *,
    follow: bool,
) -> None:
    """Give all that is in a guest's folder to a receiver, in the order of an archive."""
    waiting = ["."]
    while waiting:
        name = waiting.pop()
        receiver.entry(_info(name, tarfile.DIRTYPE, 0))
        inner = []
        for row in files.list(inside(folder, name), hidden=True):
            path = f"{name}/{row['name']}"
            if not row["mode"].startswith("d"):
                _give(files, inside(folder, path), path, receiver, advance)
            elif _JUNCTION in row["mode"][1:] and not follow:
                note(f"{printable(path)}: a link to a folder, not copied (-L copies what is there)")
            else:
                inner.append(path)
        waiting += reversed(inner)


def inside(folder: str, name: str) -> str:
    """The path in the guest of what an archive of its folder calls `name`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return join(full(folder), "\\".join(parts)) if parts else full(folder)


def _give(
    files: WindowsFiles,
    path: str,
    name: str,
    receiver: Receiver,
    advance: Callable[[int], None],
) -> None:
    """One file, read twice: what has come must be what is there."""
    read, again = hashlib.sha512(), hashlib.sha512()
    with CopyHandle(files, path) as handle:
        size, offset = handle.size(), 0
        handle.seek(0)
        receiver.entry(_info(name, tarfile.REGTYPE, size))
        while offset < size and (data := handle.read(size - offset)):
            read.update(data)
            receiver.data(offset, data)
            advance(len(data))
            offset += len(data)
        receiver.end()
        handle.seek(0)
        while data := handle.read(2**20):
            again.update(data)
    files.forget(path)
    if read.digest() != again.digest():
        raise FileError(f"{path}: what came is not what was sent").of(files.target)


def _info(name: str, kind: bytes, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    info.mode = 0o777 if kind == tarfile.DIRTYPE else 0o666
    return info
