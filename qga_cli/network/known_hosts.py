"""Host keys that guests have told through their agents, where ssh finds them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re

from qga_cli import openssh, private
from qga_cli.errors import FileError, QgaError
from qga_cli.guests.targets import SUFFIX
from qga_cli.threads import held

_TYPE = re.compile(r"[a-z][a-z0-9@.-]{2,60}")
_NAME = re.compile(r"[\w.-]{1,200}")
_MOST = 20  # keys of a guest
_FILE = "known_hosts"
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def path() -> str:
    """Where the file is."""
    return os.path.join(_top(), "qga", _FILE)


def _top() -> str:
    return private.base("XDG_STATE_HOME", ".local/state")


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
    name = f"{guest}{SUFFIX}".encode().lower()  # A to Z alone, as ssh has it
    try:
        _replace(name, [name + f" {key}\n".encode() for key in keys[:_MOST]])
    except OSError as error:
        raise FileError(
            f"{path()}: {error.strerror}",
            hint="root's ssh needs a home of root's: set HOME, or XDG_STATE_HOME"
            if isinstance(error, PermissionError)
            else "",
        ) from error


def _key(line: str) -> str:
    """Type and material, "" for what is no key."""
    key = openssh.parse(line)
    if key is None or key.options or not _TYPE.fullmatch(key.type):
        return ""
    return " ".join(line.split()[:2])


def _replace(name: bytes, lines: list[bytes]) -> None:
    with held(private.open_folder(_top(), "qga", make=True, barred=private.KEPT)) as folder:
        lock = private.open_file(folder, f"{_FILE}.lock", _WRITE, private.KEPT)
        with open(lock, "w"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            before: list[bytes] = []
            with contextlib.suppress(FileNotFoundError):
                number = private.open_file(folder, _FILE, barred=private.KEPT)
                with open(number, "rb") as opened:
                    before = opened.readlines()
            after = [line for line in before if line.partition(b" ")[0] != name] + lines
            if sorted(after) == sorted(before):
                return
            draft = private.open_file(folder, f"{_FILE}.new", _WRITE, private.KEPT)
            with open(draft, "wb") as opened:
                opened.writelines(after)
            os.rename(f"{_FILE}.new", _FILE, src_dir_fd=folder, dst_dir_fd=folder)
