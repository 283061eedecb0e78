"""The host's end of a copy: a private file, renamed to its final name once it is verified."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat

from qga_cli import hostpath
from qga_cli.errors import FileError, UsageError
from qga_cli.files.guest.digest import feed_zeros, of_file
from qga_cli.files.guest.partial import claim, leftovers, partial_name
from qga_cli.format import size as human
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from qga_cli.files.copy_file.transfer import CopyOptions
    from qga_cli.files.guest.facts import FileFacts
    from qga_cli.guests.place import Place

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK


class HostTarget:
    """One file of this host. A symbolic link at `path` is replaced, never followed: it may be one
    that an earlier copy has brought from a guest.
    """

    chunk = 2**20

    def __init__(self, path: str, options: CopyOptions) -> None:
        self.path = path
        self._options = options
        self._owner = _ids(options.owner) if options.owner else None
        folder, self._name = os.path.split(path)
        self._folder = folder or "."
        # Opened once: others may write to it, or to one above it, and exchange what is there.
        self._at = -1
        self._part = ""
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha512()
        self._position = 0

    def begin(self, facts: FileFacts, prove: Callable[[int], str] | None) -> int:
        """Open a new part, or go on with one whose bytes `prove` finds at the source too.

        Returns the offset to begin at. Raises FileError when there is no room for it.
        """
        self._at = hostpath.open_folder(self._folder)  # closed by finish or abandon
        with self._named():
            start = self._adopt(facts.size or 0, prove) if prove else 0
            if self._file is None:
                self._part = partial_name(self._name)
                number = os.open(self._part, _NEW, 0o600, dir_fd=self._at)
                self._file = open(number, "w+b")  # closed by finish or abandon
                claim(number)
        missing = 0 if facts.sparse or facts.size is None else facts.size - start
        space = os.statvfs(self._at)
        free = space.f_bavail * space.f_frsize
        if missing > free:
            raise FileError(f"{self._folder}: no room: {human(missing)} needed, {human(free)} free")
        return start

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; what is skipped becomes a hole."""
        assert self._file is not None
        self._skip_to(offset)
        self._file.write(data)
        self._hash.update(data)
        self._position += len(data)

    def finish(self, facts: FileFacts, digest: str) -> None:
        """Give the part its mode and times and the final name. Raises FileError if it differs."""
        assert self._file is not None
        if facts.size is not None:
            self._skip_to(facts.size)
        self._file.truncate(self._position)
        if digest and self._hash.hexdigest() != digest:
            raise FileError(
                f"{self.path}: what came is not what the guest's file holds",
                hint="it may have changed while it was read; nothing was changed here",
            )
        self._file.flush()
        with self._named():
            self._dress(facts)
            os.fsync(self._file.fileno())
            os.rename(self._part, self._name, src_dir_fd=self._at, dst_dir_fd=self._at)
            self._part = ""
            there = os.lstat(self._name, dir_fd=self._at)
            ours = os.path.samestat(there, os.fstat(self._file.fileno()))
            self._sync_folder()
        self._close()
        if not ours:
            raise FileError(f"{self.path}: another user has replaced the file that was copied")

    def _sync_folder(self) -> None:
        """So that the rename survives a crash of this host."""
        try:
            os.fsync(self._at)
        except OSError as error:
            if error.errno != errno.EINVAL:  # vboxsf, 9p: they know this of files only
                raise

    def abandon(self, *, keep: bool) -> str:
        """End without a result; the part stays for --resume when it is worth it. Its name, then."""
        kept = keep and self._position > 0 and self._part != ""
        try:
            if self._file is not None:
                self._file.close()  # writes what it holds back, which a full disk does not take
        finally:
            if self._part and not kept:
                os.unlink(self._part, dir_fd=self._at)
            self._close()
        return os.path.join(self._folder, self._part) if kept else ""

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._at >= 0:
            os.close(self._at)
            self._at = -1

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Errors name a path, where the system was told a name in an open folder."""
        try:
            yield
        except OSError as error:
            name = error.filename if isinstance(error.filename, str) else self._name
            error.filename = os.path.join(self._folder, name)
            error.filename2 = None
            raise

    def _dress(self, facts: FileFacts) -> None:
        """Mode, owner and times: the source's with -p, else those of the file that is replaced."""
        assert self._file is not None
        number = self._file.fileno()
        mode, owner = facts.mode & 0o777 & ~self._options.umask, (-1, -1)
        keep = facts.mtime if self._options.preserve else None
        if keep is not None:
            mode, owner = facts.mode, (facts.uid, facts.gid)
        elif found := self._replaced(number):
            mode, owner = stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid)
        if self._owner or os.geteuid() == 0:
            os.fchown(number, *(self._owner or owner))
        mode &= 0o7777 if self._options.special else 0o1777
        os.fchmod(number, mode if self._options.mode is None else self._options.mode)
        if keep is not None:
            os.utime(number, ns=(keep, keep))

    def _replaced(self, number: int) -> os.stat_result | None:
        """What is known of the file that is replaced, if any; its attributes are copied.

        Whoever has planted one in /tmp is not to have what comes.
        """
        try:
            old = os.open(self._name, os.O_PATH | _NO_LINK, dir_fd=self._at)
        except FileNotFoundError:
            return None
        with held(old):
            found = os.fstat(old)
            if not stat.S_ISREG(found.st_mode) or hostpath.is_planted(found, self._at):
                return None
            _copy_attributes(f"/proc/self/fd/{old}", number)
            return found

    def _skip_to(self, offset: int) -> None:
        assert self._file is not None
        feed_zeros(self._hash, offset - self._position)
        self._position = offset
        self._file.seek(offset)

    def _adopt(self, size: int, prove: Callable[[int], str]) -> int:
        """Take over the longest part that is equal to the source so far; remove the others."""
        start = 0
        left = leftovers(self._at, self._name)
        sizes = {name: os.lstat(name, dir_fd=self._at).st_size for name in left}
        for name, length in sorted(sizes.items(), key=lambda item: -item[1]):
            if self._file is None and 0 < length <= size:
                number = os.open(name, os.O_RDWR | os.O_NONBLOCK | _NO_LINK, dir_fd=self._at)
                file = open(number, "r+b")  # closed here, or by finish or abandon
                if not claim(number):  # another copy has it since
                    file.close()
                    continue
                found = os.fstat(number)
                # Another's name for a file of ours that lies elsewhere is no part, nor is one that
                # he may have open: he would read on.
                alone = found.st_nlink == 1 and found.st_uid == os.geteuid()
                alone = alone and not found.st_mode & 0o077
                if alone and stat.S_ISREG(found.st_mode):
                    digest = of_file(file, length)
                    if digest.hexdigest() == prove(length):
                        self._file, self._part, self._hash = file, name, digest
                        self._position = start = length
                        continue
                file.close()
            os.unlink(name, dir_fd=self._at)
        return start


def inside(place: Place, name: str, *, needed: bool = True) -> str:
    """The path of this host that `name` gets when it is copied to `place`.

    Raises FileError where there is no folder for it, UsageError where a name is `needed` for it.
    """
    path = place.path
    if os.path.isdir(path):
        if needed and not name:
            raise UsageError(f"{path} is a folder: give the name of the file too")
        # A link that was named is followed; one below it may be a guest's, copied earlier.
        return os.path.join(path, name or ".")
    if place.is_folder:
        raise FileError(f"{path}: no such folder")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileError(f"{folder}: no such folder")
    return path


def _ids(owner: str) -> tuple[int, int]:
    """The numbers of USER[:GROUP] on this host; -1 for a group that is not named."""
    import grp
    import pwd

    user, _, group = owner.partition(":")
    try:
        uid = int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid
        gid = -1
        if group:
            gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise UsageError(f"--owner: this host does not know {owner!r}") from None
    return uid, gid


def _copy_attributes(path: str, number: int) -> None:
    """Access lists, security labels and the like; no capabilities, for the content is new."""
    names: list[str] = []
    with contextlib.suppress(OSError):  # some filesystems have none
        names = os.listxattr(path)
    for name in names:
        if name != "security.capability":
            with contextlib.suppress(OSError):  # some are not ours to set
                os.setxattr(number, name, os.getxattr(path, name))
