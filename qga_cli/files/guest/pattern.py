"""Patterns in a guest's paths: `vm:/etc/*.conf` is what matches there, as with scp.

The guest's shell looks them up, and what it says is compared with the pattern: a guest must not
have a copy arrive under a name that nobody asked for (CVE-2019-6111 was that of scp).
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase

from qga_cli.errors import Refused
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.guest.access import Access

_MOST = 2**24  # bytes of names


def is_pattern(path: str) -> bool:
    """Whether it holds a wildcard."""
    return re.search(r"[*?[]", path) is not None


def expand(access: Access, path: str) -> list[str]:
    """The paths that match, in order. Raises Refused where none does."""
    said = access.collect(script("files/expand"), path, most=_MOST)
    names = [os.fsdecode(name) for name in said.split(b"\0")[:-1]]
    if not names:
        raise Refused(f"{path}: nothing matches").of(access.target)
    for name in names:
        if name != path and not matches(name, path):
            raise access.lie(f"was asked what matches {path}, and says {name!r}")
    return names


def matches(name: str, pattern: str) -> bool:
    """Whether a shell that works on bytes (LC_ALL=C) would say so, part by part."""
    named, asked = (list(filter(None, text.split("/"))) for text in (name, pattern))
    return len(named) == len(asked) and all(map(_part_matches, named, asked))


def _part_matches(name: str, pattern: str) -> bool:
    if name == pattern:
        return True
    hidden = name.startswith(".") and not pattern.startswith(".")
    if hidden or name in (".", "..") or not is_pattern(pattern):
        return False
    # Classes of characters are sh's alone: they match any here, as does a quoted character.
    wide = re.sub(r"\[[^]]*\[[:.=].*[:.=]\][^]]*\]|\\.", "?", pattern).replace("[^", "[!")
    return fnmatchcase(os.fsencode(name), os.fsencode(wide))
