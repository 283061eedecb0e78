"""What is known of a file before it is copied."""

from __future__ import annotations

import os
import stat

from qga_cli import hostpath
from qga_cli.errors import Refused
from qga_cli.files.guest.access import Access
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_PAGE = 2**16  # bytes, of the largest: files of /proc say that they have 0, those of /sys a page
_FAR = 2**40  # seconds: 34,000 years
_KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "FIFO",
}  # fmt: skip


class FileFacts:
    """`kind` is file, folder, link, FIFO or other; `mode` its twelve permission bits; `mtime` in
    nanoseconds, None where only the size is known, and mode and owner are guesses. `size` is None
    where nobody can tell: a stream, a file of /proc.
    """

    __slots__ = ("gid", "kind", "mode", "mtime", "size", "sparse", "uid")

    def __init__(
        self,
        kind: str = "file",
        size: int | None = None,
        mode: int = 0o644,
        *,
        uid: int = 0,
        gid: int = 0,
        mtime: int | None = None,
        sparse: bool = False,
    ) -> None:
        self.kind = kind
        self.size = size
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.sparse = sparse


def ask(access: Access, path: str, *, follow: bool) -> FileFacts:
    """The facts of a guest's file, by guest-exec. Raises Refused when there is none."""
    done = access.attempt(
        script("files/needs") + script("files/stat"), path, "-L" if follow else ""
    )
    if done.code == 127:
        raise access.failure(done)
    if done.code:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition(": ")[2]
        raise Refused(f"{path}: {reason}").of(access.target)
    said = done.stdout.split()
    try:
        mode = int(said[0], 16)
        size, blocks, uid, gid = (int(word) for word in said[1:5])
        mtime = nanoseconds(said[5].decode())  # busybox knows whole seconds only
    except (ValueError, IndexError) as error:
        raise access.lie(f"stat's answer makes no sense: {said!r}") from error
    strange = min(size, blocks, uid, gid) < 0 or max(uid, gid) >= 2**32
    if strange or size >= 2**63:
        raise access.lie(f"stat's answer is out of range: {said!r}")
    if follow and stat.S_ISLNK(mode):  # it would be followed again, without end
        raise access.lie(f"stat followed {path} and found a link")
    found = _facts(mode, size, blocks, uid, gid, mtime)
    if not blocks and size <= _PAGE:
        found.size = None
    return found


def look(path: str, *, follow: bool) -> FileFacts:
    """The facts of a file of this host. Raises OSError."""
    told = os.stat(path, follow_symlinks=follow)
    if not stat.S_ISREG(told.st_mode) or told.st_blocks or told.st_size > _PAGE:
        return _told(told)
    number = hostpath.open_file(path, os.O_RDONLY | os.O_NONBLOCK, follow=follow)
    with open(number, "rb") as file:
        return facts_of(file)


def facts_of(file: BinaryIO) -> FileFacts:
    """The facts of an open file of this host, which stands at its begin afterwards."""
    told = os.fstat(file.fileno())
    found = _told(told)
    found.sparse = found.sparse and has_hole(file.fileno(), told.st_size)
    if found.kind == "file" and not told.st_blocks and told.st_size <= _PAGE:
        if len(file.read(_PAGE)) != told.st_size:
            found.size = None
        file.seek(0)
    return found


def has_hole(number: int, size: int) -> bool:
    """Whether an open file of this host that has few blocks for its size has a hole. A filesystem
    that compresses, as ZFS, counts few as well."""
    try:
        return os.lseek(number, 0, os.SEEK_HOLE) < size
    except OSError:  # a filesystem that does not tell
        return True
    finally:
        os.lseek(number, 0, os.SEEK_SET)


def _told(told: os.stat_result) -> FileFacts:
    return _facts(
        told.st_mode, told.st_size, told.st_blocks, told.st_uid, told.st_gid, told.st_mtime_ns
    )


def nanoseconds(text: str) -> int:
    """A time as stat and tar write it, in seconds. Raises ValueError, also past all filesystems."""
    whole, _, fraction = text.partition(".")
    part = int(fraction[:9].ljust(9, "0"))
    if abs(int(whole)) >= _FAR:
        raise ValueError("no filesystem has such a time")
    return int(whole) * 10**9 + (-part if whole.startswith("-") else part)


def seconds(moment: int) -> str:
    """Nanoseconds as touch and tar read them."""
    whole, part = divmod(abs(moment), 10**9)
    return f"{'-' if moment < 0 else ''}{whole}.{part:09}"


def measure(access: Access, path: str) -> FileFacts:
    """The facts of a guest's file as far as the file commands know them: its size."""
    from qga_cli.files.guest.handle import open_handle

    if access.cmd:
        size = access.cmd.size(path)
        return FileFacts("folder") if size is None else FileFacts(size=size)
    with open_handle(access, path, "r") as handle:
        try:
            # A folder can be opened. Where it ends, ext4 tells in a number; tmpfs refuses to.
            handle.read(1)
        except Refused as error:
            if "Is a directory" in error.message:
                access.needs_exec("copying a folder")
            raise
        return FileFacts(size=handle.size() or None)


def _facts(mode: int, size: int, blocks: int, uid: int, gid: int, mtime: int) -> FileFacts:
    kind = _KINDS.get(stat.S_IFMT(mode), "other")
    return FileFacts(
        kind,
        size if kind == "file" else None,
        stat.S_IMODE(mode),
        uid=uid,
        gid=gid,
        mtime=mtime,
        sparse=kind == "file" and blocks * 512 < size - 4096,
    )
