"""Guests that had no use for a port, by their start: remembered for a while, so that not each run
tries in vain. One small file for each, in our private folder; nothing is lost with it."""

from __future__ import annotations

import contextlib
import os
import time

_LASTS = 3600.0  # seconds; an administrator may have changed the guest's policy since


def forbids(boot: str) -> str:
    """Why ports were of no use to this start of a guest; "" when nothing is known."""
    try:
        with open(os.path.join(_folder(), _name(boot)), encoding="utf-8") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            return file.read(1000) if 0 <= age < _LASTS else ""
    except (OSError, UnicodeDecodeError):
        return ""


def note(boot: str, reason: str) -> None:
    """Remember it, if this user has a folder for that."""
    folder = _folder()
    with contextlib.suppress(OSError):  # a full disk, a read-only home: then it is tried again
        if os.stat(os.path.dirname(folder)).st_uid != os.geteuid():
            return  # HOME may be another user's, as under `sudo -E`
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.stat(folder)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return  # another's folder, or one that others look into
        draft = os.path.join(folder, f"{_name(boot)}.{os.getpid()}")
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "w", encoding="utf-8") as file:
            file.write(reason[:1000])
        os.rename(draft, os.path.join(folder, _name(boot)))


def _folder() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "qga")


def _name(boot: str) -> str:
    return f"no-channel.{boot.replace(os.sep, '_')}"
