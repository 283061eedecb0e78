"""Folders of this host for what lies here for a while: a file that is edited, a tree on its way
from guest to guest. What a killed qga has left is found again, for nobody holds its lock."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress

from qga_cli import hostpath
from qga_cli.files.copy_tree.unlock import remove_tree
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qga_cli.interrupt import Interrupt

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BETWEEN = "qga-cp-"


def private(prefix: str) -> tuple[str, int]:
    """A folder for what may be a secret, and its lock: where hostpath.check_temporary has nothing
    against it. Raises OSError."""
    while True:
        folder = tempfile.mkdtemp(prefix=prefix)  # 0700
        lock = -1
        with suppress(FileNotFoundError):  # somebody took it for abandoned in this very moment
            lock = os.open(folder, _FOLDER)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock), os.lstat(folder)):
                return folder, lock
        if lock >= 0:
            os.close(lock)


def abandoned(prefix: str) -> Iterator[tuple[int, str, int]]:
    """Each folder of ours that a dead process has left: the one around it, open; its name; itself,
    open and locked. A running one holds its folder's lock, and so does its editor if that has
    outlived it."""
    with held(os.open(tempfile.gettempdir(), _FOLDER)) as top:
        for name in sorted(os.listdir(top)):
            if not name.startswith(prefix):
                continue
            try:
                folder = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=top)
            except OSError:
                continue  # somebody else's, or gone
            with held(folder):
                if _is_abandoned(folder):
                    yield top, name, folder


@contextmanager
def between_guests(interrupt: Interrupt) -> Iterator[str]:
    """A folder for a tree on its way from guest to guest; what killed copies have left is removed.

    Raises OSError, and FileError where another user could exchange what is in it.
    """
    hostpath.check_temporary(tempfile.gettempdir())
    for top, name, _ in abandoned(_BETWEEN):
        with suppress(OSError):
            remove_tree(name, top)
    folder, lock = private(_BETWEEN)
    told = f"{folder} may be left; the next copy of a folder from guest to guest removes it"
    try:
        with interrupt.leaves(lambda: told):
            yield folder
    finally:
        with held(lock), held(os.open(os.path.dirname(folder), _FOLDER)) as top:
            remove_tree(os.path.basename(folder), top)


def _is_abandoned(folder: int) -> bool:
    """Whether it is one of ours, and no process lives that holds it."""
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        return False
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
