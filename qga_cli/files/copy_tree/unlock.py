"""Folders of a tree from a guest, whose modes may keep even us out of them."""

from __future__ import annotations

import os
import stat

from qga_cli.threads import held

_UNREAD = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def unlock(name: str, folder: int) -> int:
    """Open a folder of ours in another one, after it was made readable and writable for us.

    By its descriptor: what has the name a moment later keeps its mode. Raises OSError, of a link
    NotADirectoryError.
    """
    with held(os.open(name, _UNREAD, dir_fd=folder)) as there:
        itself = f"/proc/self/fd/{there}"
        found = os.fstat(there)
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid == os.geteuid() and mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(itself, mode | stat.S_IRWXU)
        return os.open(itself, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def remove_tree(name: str, folder: int) -> None:
    """Remove a folder of ours in another one, with all that is in it. Raises OSError."""
    with held(unlock(name, folder)) as number:
        empty(number)
    os.rmdir(name, dir_fd=folder)


def empty(folder: int) -> None:
    """Remove all that is in an open folder of ours. Raises OSError."""
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                remove_tree(entry.name, folder)
            else:
                os.unlink(entry.name, dir_fd=folder)
