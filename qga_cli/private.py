"""Folders of this user's alone, for what is kept between runs: answers, host keys, ledgers.

The home, or what XDG_CACHE_HOME and XDG_STATE_HOME name, may be another user's, as under `sudo -E`:
there nothing is made, read or written. No path is gone twice, for he can exchange what is on it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time

from qga_cli.threads import held

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
SECRET, KEPT = 0o077, 0o022  # what others may not: look into it; write to it
HOUR = 3600.0  # seconds that what is in the cache may count


def base(variable: str, otherwise: str) -> str:
    """What the variable names, or else this path in the home."""
    return os.environ.get(variable) or os.path.join(os.path.expanduser("~"), otherwise)


def open_folder(top: str, *names: str, make: bool = False, barred: int = SECRET) -> int:
    """The folder of these names below `top`, opened. Raises OSError."""
    if not top.startswith("/"):  # where we happen to be is no place to keep anything
        raise FileNotFoundError(errno.ENOENT, "no home, nor an XDG folder with a full path", top)
    at = _top(top, make)
    try:
        for name in names:
            if make and os.fstat(at).st_uid == os.geteuid():
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=at)
            at, last = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=at), at
            os.close(last)
            if not is_ours(os.fstat(at), barred):
                raise _anothers(os.path.join(top, *names))
    except BaseException:
        os.close(at)
        raise
    return at


def open_file(folder: int, name: str, flags: int = os.O_RDONLY, barred: int = SECRET) -> int:
    """A file in it; no FIFO of somebody else's holds us. Raises OSError."""
    number = os.open(name, flags | _FILE, 0o600, dir_fd=folder)
    found = os.fstat(number)
    if not (is_ours(found, barred) and stat.S_ISREG(found.st_mode)):
        os.close(number)
        raise _anothers(name)
    return number


def is_ours(found: os.stat_result, barred: int = SECRET) -> bool:
    """Whether it belongs to us, and others may not do with it what is barred."""
    return found.st_uid == os.geteuid() and not found.st_mode & barred


def cache(*, make: bool = False) -> int:
    """The folder of small files with which nothing is lost, opened. Raises OSError."""
    return open_folder(base("XDG_CACHE_HOME", ".cache"), "qga", make=make)


def recall(name: str, most: int = -1) -> tuple[bytes, float]:
    """What a file there says, up to `most` bytes, and its age in seconds; b"" if there is none."""
    try:
        with held(cache()) as folder:
            number = open_file(folder, name)
        with open(number, "rb") as file:
            return file.read(most), time.time() - os.fstat(number).st_mtime
    except OSError:
        return b"", 0.0


def note(name: str, data: bytes) -> None:
    """Write such a file, if this user has a place for it; those that count no more go."""
    with (
        contextlib.suppress(OSError),  # a full disk, a read-only home, another's: it is lost
        held(cache(make=True)) as folder,
    ):
        for other in os.listdir(folder):
            with contextlib.suppress(OSError):  # another qga was faster
                if not 0 <= time.time() - os.lstat(other, dir_fd=folder).st_mtime < HOUR:
                    os.unlink(other, dir_fd=folder)
        draft = f"{name}.{os.getpid()}"
        number = open_file(folder, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(number, "wb") as file:
            file.write(data)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def _top(path: str, make: bool) -> int:
    """Where such folders lie. In another's folder nothing is made."""
    try:
        return os.open(path, _FOLDER)
    except FileNotFoundError:
        if not make:
            raise
    above, name = os.path.split(path.rstrip("/"))
    at = _top(above or ".", make)
    try:
        if os.fstat(at).st_uid != os.geteuid():
            raise _anothers(path)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=at)
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)


def _anothers(path: str) -> PermissionError:
    return PermissionError(errno.EPERM, "another user's, or one that others may change", path)
