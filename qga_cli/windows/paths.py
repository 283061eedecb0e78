"""Paths of Windows: C:\\dir\\file, \\\\server\\share\\file, and both after \\\\?\\."""

from __future__ import annotations

import re

from qga_cli.errors import UsageError
from qga_cli.format import printable

_FULL = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\]")
_LONG = re.compile(r"\\\\\?\\(UNC\\)?(.*)", re.DOTALL)


def is_full(path: str) -> bool:
    """Whether it can only be a path of Windows."""
    return _FULL.match(path) is not None


def full(path: str) -> str:
    """The path as cmd takes it. Raises UsageError for one that depends on a folder or drive of the
    agent's, for patterns, which cmd would look up, and for names that Windows would shorten."""
    if found := _LONG.fullmatch(path):
        path = ("\\\\" if found[1] else "") + found[2]
    if not _FULL.match(path):
        raise UsageError(
            f"{quoted(path.removeprefix('/'))} is no full path of Windows: where it leads depends "
            "on the agent's own folder and drive",
            hint="write VM:C:\\dir\\file or VM:\\\\server\\share\\file",
        )
    path = path.replace("/", "\\")
    tail = path[2:]
    if any(char in tail for char in '*?<>|"') or ":" in tail:
        raise UsageError(
            f"{quoted(path)} is no name of a file: patterns and streams are not looked up"
        )
    for part in tail.split("\\"):
        if part.endswith((" ", ".")) and part not in (".", ".."):
            raise UsageError(
                f"{quoted(path)}: {quoted(part)} ends in a blank or a dot, which Windows leaves "
                "off: another file, or the folder itself, would be meant"
            )
    bare = path.rstrip("\\")
    return bare + "\\" if len(bare) == 2 else bare  # a drive's root folder keeps its own


def quoted(path: str) -> str:
    """A path in a message: repr would double its backslashes."""
    return f"'{printable(path)}'"


def parent(path: str) -> str:
    """The folder that a full path lies in."""
    head = path.rpartition("\\")[0]
    return head + "\\" if len(head) == 2 else head


def join(folder: str, name: str) -> str:
    """The path of `name` in a folder."""
    return folder.rstrip("\\") + "\\" + name
