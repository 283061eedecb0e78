"""Host keys that guests have told through their agents, where ssh finds them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re

from qga_cli import openssh
from qga_cli.errors import FileError, QgaError
from qga_cli.guests.targets import SUFFIX

_TYPE = re.compile(r"[a-z][a-z0-9@.-]{2,60}")
_NAME = re.compile(r"[\w.-]{1,200}")
_MOST = 20  # keys of a guest


def path() -> str:
    """The file."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "qga", "known_hosts")


def remember(guest: str, told: bytes) -> None:
    """Note the keys that the guest has told, in place of older ones. Raises QgaError.

    They count for the guest's own name only, whatever it tells.
    """
    keys = [
        key for line in told.decode("ascii", "replace").splitlines()[:100] if (key := _key(line))
    ]
    if not keys:
        raise QgaError(
            "the guest tells no host key: nobody could tell its sshd from another",
            hint="`qga exec VM -- ssh-keygen -A` makes host keys in the guest",
        )
    if not _NAME.fullmatch(guest):
        raise QgaError(f"ssh takes no host of the name {guest!r}", hint="use the guest's UUID")
    name = guest.lower() + SUFFIX
    try:
        _replace(name, [f"{name} {key}\n" for key in keys[:_MOST]])
    except OSError as error:
        raise FileError(f"{path()}: {error.strerror}") from error


def _key(line: str) -> str:
    """Type and material, "" for what is no key."""
    key = openssh.parse(line)
    if key is None or key.options or not _TYPE.fullmatch(key.type):
        return ""
    return " ".join(line.split()[:2])


def _replace(name: str, lines: list[str]) -> None:
    file = path()
    os.makedirs(os.path.dirname(file), 0o700, exist_ok=True)
    with open(f"{file}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before: list[str] = []
        with contextlib.suppress(FileNotFoundError), open(file, encoding="ascii") as opened:
            before = opened.readlines()
        after = [line for line in before if line.partition(" ")[0] != name] + lines
        if sorted(after) == sorted(before):
            return
        draft = f"{file}.new"
        with open(draft, "w", encoding="ascii") as opened:
            opened.writelines(after)
        os.rename(draft, file)
