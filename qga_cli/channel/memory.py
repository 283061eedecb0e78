"""Guests that had no use for a port, by their start: remembered for a while, so that not each run
tries in vain. One small file for each, in our private folder; nothing is lost with it."""

from __future__ import annotations

import contextlib
import os
import time

from qga_cli import private

_LASTS = 3600.0  # seconds; an administrator may have changed the guest's policy since


def forbids(boot: str) -> str:
    """Why ports were of no use to this start of a guest; "" when nothing is known."""
    try:
        folder = _folder()
        try:
            number = private.open_file(folder, _name(boot))
        finally:
            os.close(folder)
        with open(number, encoding="utf-8") as file:
            age = time.time() - os.fstat(number).st_mtime
            return file.read(1000) if 0 <= age < _LASTS else ""
    except (OSError, UnicodeDecodeError):
        return ""


def note(boot: str, reason: str) -> None:
    """Write it down, if this user has a state folder."""
    with contextlib.suppress(OSError):  # a full disk, another's home: then it is tried again
        folder = _folder(make=True)
        try:
            draft = f"{_name(boot)}.{os.getpid()}"
            number = private.open_file(folder, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with open(number, "w", encoding="utf-8") as file:
                file.write(reason[:1000])
            os.rename(draft, _name(boot), src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)


def _folder(*, make: bool = False) -> int:
    return private.open_folder(private.base("XDG_CACHE_HOME", ".cache"), "qga", make=make)


def _name(boot: str) -> str:
    return f"no-channel.{boot.replace(os.sep, '_')}"
