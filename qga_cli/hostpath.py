"""Opens paths of this host safely where other users can change what is on the way.

The kernel follows every symbolic link on a path, and whoever may write to a folder on the way may
put one there, or another one, at any moment: root, sent to `/home/eve/data/f`, comes out in /etc.
So a path is walked part by part, each folder held open, and a link of somebody else's leads only
to what is his: its target must belong to him. Our own links and root's lead anywhere, unless they
lie in another's folder, where he can move them about. Nothing is looked up twice.
"""

from __future__ import annotations

import errno
import os
import stat

from qga_cli.errors import FileError, UsageError
from qga_cli.threads import Lock, held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC  # of a link it is an error
_THROUGH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = 40  # on one path, as in the kernel
MOST = 32 * 2**20  # bytes of what is read whole
_ANYWHERE, _NOWHERE, _NOBODY = -1, -2, -3  # instead of a user

_contents: dict[str, bytes] = {}
_reading = Lock()


def read_whole(file: BinaryIO, what: str) -> bytes:
    """All of `file`, for messages `what`. Raises UsageError where it cannot be read, and past
    32 MiB: /dev/zero has no end."""
    try:
        data = file.read(MOST + 1)
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error.strerror}") from error
    if len(data) > MOST:
        raise UsageError(f"{what} is too long: at most {MOST:,} bytes")
    return data


def content(path: str, what: str) -> bytes:
    """All of the file at `path`, for every guest the same: `<(...)` can be read once.

    Raises OSError, and as `open_file` and `read_whole`.
    """
    with _reading:
        if path not in _contents:
            with open(open_file(path, os.O_RDONLY), "rb") as file:
                _contents[path] = read_whole(file, what)
        return _contents[path]


def rooted(path: str) -> str:
    """`path` from / on, its `..` as they are. The folder that we work in may have been removed:
    nobody asks for it where the path does not begin there."""
    return path if path.startswith("/") else os.path.join(os.getcwd(), path)


def is_ours(found: os.stat_result) -> bool:
    """Whether a file belongs to us, or to root."""
    return found.st_uid in (0, os.geteuid())


def is_open_to_others(found: os.stat_result) -> bool:
    """Whether its group or everybody may write to it."""
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def check_temporary(path: str) -> None:
    """Raise FileError if another user can exchange what we make in a folder for a while, or any
    folder on the way to it. Raises OSError where there is none."""
    with held(open_folder(path)) as folder:
        there = os.readlink(f"/proc/self/fd/{folder}")
    while True:
        found = os.lstat(there)
        if not is_ours(found) or (is_open_to_others(found) and not found.st_mode & stat.S_ISVTX):
            where = path if there.rstrip("/") == path.rstrip("/") else f"{path}: {there}"
            raise FileError(
                f"{where}: another user can replace what is in it",
                hint="set TMPDIR to a folder of your own",
            )
        if there == "/":
            return
        there = os.path.dirname(there)


def enter(name: str, folder: int) -> int:
    """Open a folder in another one. Of a link, NotADirectoryError."""
    return os.open(name, FOLDER, dir_fd=folder)


def open_folder(path: str) -> int:
    """The folder at `path`, to be read and to be worked in. Raises OSError, FileError."""
    above, name = walk(path)
    with held(above):
        try:
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | _last(above, name), dir_fd=above)
        except OSError as error:
            error.filename = path
            raise


def is_planted(found: os.stat_result, folder: int) -> bool:
    """Whether another may have put it there to get what we write: in a folder such as /tmp, any
    name is his for the taking. As the kernel has it for O_CREAT, where its fs.protected_regular
    and fs.protected_fifos are on."""
    mode = os.fstat(folder).st_mode
    return bool(mode & stat.S_ISVTX and mode & stat.S_IWOTH) and not is_ours(found)


def open_file(path: str, flags: int, mode: int = 0o777, *, follow: bool = True) -> int:
    """The file at `path`; without `follow`, a link at its end is an error (ELOOP). Raises OSError,
    FileError for another's link that leads to what is not his, and, where we would write, for what
    another has planted in a folder such as /tmp."""
    above, name = walk(path, follow=follow)
    with held(above):
        flags |= _last(above, name) if follow else os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            number = os.open(name, flags, mode, dir_fd=above)
        except OSError as error:
            error.filename = path
            raise
        if flags & (os.O_WRONLY | os.O_RDWR) and is_planted(os.fstat(number), above):
            os.close(number)
            raise FileError(
                f"{path}: it is another user's, in a folder where everybody may put things",
                hint="remove it, or write to a folder of your own",
            )
        return number


def walk(path: str, *, follow: bool = True) -> tuple[int, str]:
    """The open folder that holds the last part of `path`, and that part's name, which need not be
    there. It is no link, but below /proc, or without `follow`. Raises OSError, FileError."""
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    way = _Way(path)
    try:
        return way.go(follow=follow)
    except BaseException as error:
        os.close(way.at)
        if isinstance(error, OSError):
            error.filename = path
        raise


def our_number(path: str) -> int | None:
    """The descriptor of ours that `path` leads to, as /dev/stdout and /dev/fd/3 do; None of any
    other path. What it is open to may have a name or none, and be a file or none."""
    try:
        folder, name = walk(path)
    except (OSError, FileError):
        return None
    with held(folder):
        there = os.readlink(f"/proc/self/fd/{folder}")
    ours = there == f"/proc/{os.readlink('/proc/self')}/fd" and name.isdecimal()
    return int(name) if ours else None


class _Way:
    """One path that is walked. `at` is the open folder that the walk has come to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = _parts(path)
        self._links = 0
        # Of links: how many parts are left after its target, whose it is, where it leads.
        self._debts: list[tuple[int, int, str]] = []
        self.at = os.open("/" if path.startswith("/") else ".", _THROUGH | os.O_DIRECTORY)

    def go(self, *, follow: bool) -> tuple[int, str]:
        """To the end: what `walk` returns."""
        while len(self._left) > 1 or (self._left and follow):
            name = self._left.pop()
            if self._step(name, last=not self._left):
                return self.at, name
        return self.at, self._left[0] if self._left else "."

    def _step(self, name: str, *, last: bool) -> bool:
        """Into the next part, or along the link that it is. True at the end: it is not entered."""
        try:
            there = _open(name, self.at)
        except FileNotFoundError:
            if last and all(giver == _ANYWHERE for _, giver, _ in self._debts):
                return True
            raise
        try:
            found = os.fstat(there)
            is_link = stat.S_ISLNK(found.st_mode)
            if is_link and not _is_magic(self.at):
                self._turn(os.readlink("", dir_fd=there), found)
                return False
            if is_link and not last:  # /proc/self/fd/3/...
                target = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=self.at)
                os.close(there)
                there, found = target, os.fstat(target)
            # What is still a link is the kernel's, with the owner of its process, whatever it leads
            # to; it may lead elsewhere when it is opened. So it is nobody's to lead to.
            self._pay(_NOBODY if stat.S_ISLNK(found.st_mode) else found.st_uid)
            if not last:
                self.at, there = there, self.at
            return last
        finally:
            os.close(there)

    def _turn(self, target: str, link: os.stat_result) -> None:
        """Go on as a link says."""
        self._links += 1
        if self._links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        parts = _parts(target)
        self._debts.append((len(self._left), _giver(os.fstat(self.at), link), target))
        if target.startswith("/"):
            root = os.open("/", _THROUGH | os.O_DIRECTORY)
            os.close(self.at)
            self.at = root
        self._left += parts
        if not parts:  # a link to "/"
            self._pay(os.fstat(self.at).st_uid)

    def _pay(self, owner: int) -> None:
        """Check whose it is what links have led to whose way ends here."""
        while self._debts and self._debts[-1][0] >= len(self._left):
            _, giver, target = self._debts.pop()
            if giver not in (_ANYWHERE, owner):
                raise FileError(
                    f"{self._path}: a symbolic link in it is another user's, and leads to what is "
                    "not his",
                    hint=f"it says {target}: give the path without the link, if that is meant",
                )


def _open(name: str, folder: int) -> int:
    """A folder, which asking for one mounts where it is mounted on demand; a link; a file."""
    try:
        return os.open(name, _THROUGH | os.O_DIRECTORY, dir_fd=folder)
    except NotADirectoryError:
        return os.open(name, _THROUGH, dir_fd=folder)


def _parts(path: str) -> list[str]:
    """The last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _giver(folder: os.stat_result, link: os.stat_result) -> int:
    """Who answers for where a link leads: a user, or one of these two."""
    if not is_ours(link):
        return link.st_uid
    if not is_ours(folder):
        return folder.st_uid
    loose = folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX
    return _NOWHERE if loose else _ANYWHERE


def _is_magic(folder: int) -> bool:
    """Whether links in it are the kernel's: those of /proc/PID/fd lead to what has no path."""
    try:
        return os.fstat(folder).st_dev == os.stat("/proc").st_dev
    except OSError:
        return False  # a system without /proc


def _last(folder: int, name: str) -> int:
    """How to open what `walk` has found: it is not a link, and must not become one."""
    return os.O_CLOEXEC | (0 if _is_magic(folder) else os.O_NOFOLLOW)
