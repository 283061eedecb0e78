"""One configuration file: who may have written it, what it says, and in which line.

A file that somebody else can write is refused: an alias in it, or a URI such as
qemu+ext:///?command=..., would run his commands with our rights.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from qga_cli.errors import UsageError
from qga_cli.hostpath import is_open_to_others, is_ours, rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TABLES = ("hosts", "groups", "defaults", "aliases", "policy", "audit")
# The administrator's: no user's file may loosen them.
_GUARDS = {"policy": ("allow", "deny", "read-only"), "audit": ("file", "calls")}
_WIRE = "guest-"  # what the names of an agent's commands begin with
_BESIDE = ("channel", "connect", "connect-back", "doctor --fix")  # what a policy knows besides
_LINKS = 40  # on one path, as in the kernel
_NO_HOST_NAME = frozenset("/,@*?[] \t")  # they mean something in a guest's name


def read(path: str, system: str) -> dict[tuple[str, ...], tuple[Any, str]]:
    """Each value in one file, and its origin. Raises UsageError with file and line.

    `system` is the administrator's file: only there may a policy stand.
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            _check_owner(path, os.fstat(file.fileno()))
            _check_way(path)
            text = file.read().decode("utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {path}: {why}") from error
    except (ValueError, RecursionError) as error:  # no TOML, or a number without end
        raise UsageError(f"{path}: {error}") from error
    lines = _lines(text)
    settings: dict[tuple[str, ...], tuple[Any, str]] = {}
    for name, value in _leaves(tables, ()):
        origin = f"{path}:{lines.get(name) or lines.get(name[:1], 1)}"
        _check(name, value, origin, system)
        settings[name] = (value, origin)
    return settings


def _check_owner(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is refused: it is no regular file")
    if is_open_to_others(status):
        raise UsageError(f"{path} is refused: others can write it", hint=f"chmod go-w {path}")
    if not is_ours(status):
        raise UsageError(
            f"{path} is refused: it belongs to another user",
            hint="HOME or XDG_CONFIG_HOME may be another user's, as under `sudo -E`",
        )


def _check_way(path: str) -> None:
    """Who may write to a folder on the way, from the root on, can put another file in its place,
    or have it go. Links are followed, and the folders on their way looked at too. In a sticky
    folder, as /tmp is one, only its owner and that of the next part can do so.
    """
    at, links = "/", 0
    left = rooted(path).split("/")[::-1]
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        if part == "..":
            at = os.path.dirname(at)
            continue
        folder, name = os.lstat(at), os.path.join(at, part)
        entry = os.lstat(name)
        if not is_ours(folder):
            raise UsageError(
                f"{path} is refused: the folder {at} belongs to another user",
                hint="HOME or XDG_CONFIG_HOME may be another user's, as under `sudo -E`",
            )
        if is_open_to_others(folder) and not (folder.st_mode & stat.S_ISVTX and is_ours(entry)):
            raise UsageError(
                f"{path} is refused: others can write to {at}", hint=f"chmod go-w {at}"
            )
        if not stat.S_ISLNK(entry.st_mode):
            at = name
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        text = os.readlink(name)
        at = "/" if text.startswith("/") else at
        left += text.split("/")[::-1]


def _at_once(path: str, flags: int) -> int:
    """Of a FIFO, which is refused, no writer is waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _leaves(table: Mapping[str, Any], path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    leaves: list[tuple[tuple[str, ...], Any]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            leaves += _leaves(value, (*path, name))
        else:
            leaves.append(((*path, name), value))
    return leaves


def _check(path: tuple[str, ...], value: object, origin: str, system: str) -> None:
    """Raise UsageError unless this value makes sense in this place."""
    top, depth = path[0], len(path)
    name = path[-1]
    if top == "connect" and depth == 1:
        _expect(isinstance(value, str), path, "a URI in quotes", origin)
    elif top in _TABLES and depth == 1:
        raise UsageError(f"{origin}: {top} should be a table: a line [{top}], its settings below")
    elif top not in _TABLES:
        import difflib

        close = difflib.get_close_matches(top, ("connect", *_TABLES), 1)
        what = f"table [{top}]" if depth > 1 else f"setting {top!r}"
        hint = f"did you mean {close[0]}?" if close else f"known: connect, {', '.join(_TABLES)}"
        raise UsageError(f"{origin}: unknown {what}", hint=hint)
    elif top in _GUARDS:
        _check_guard(path, value, origin, system)
    elif top == "defaults":
        _expect(isinstance(value, (str, int, float)) or _is_words(value), path,
                "text, a number, true or false", origin)  # fmt: skip
    else:
        _expect(depth == 2, path, "one value, not a table", origin)
        fits = _is_words(value) if top == "groups" else isinstance(value, str)
        wanted = {
            "groups": "a list of guests in quotes",
            "hosts": "a URI in quotes",
            "aliases": "a command line in quotes",
        }
        _expect(fits, path, wanted[top], origin)
        if top == "hosts" and (not name or _NO_HOST_NAME & set(name)):
            raise UsageError(f"{origin}: {name!r} cannot name a host: no / , @ * ? [ or blanks")


def _check_guard(path: tuple[str, ...], value: object, origin: str, system: str) -> None:
    top, name = path[0], path[-1]
    if origin.rpartition(":")[0] != system:
        raise UsageError(f"{origin}: [{top}] counts in {system} only")
    table, depth = ('[policy."GUESTS"]', 3) if top == "policy" else ("[audit]", 2)
    if len(path) == depth == 3 and (path[1].startswith("@") or not {"/", ","}.isdisjoint(path[1])):
        raise UsageError(
            f"{origin}: {path[1]!r} matches no guest: a policy goes by guests' own names",
            hint="a glob, without a host, a group or a comma; one table for each",
        )
    if name not in _GUARDS[top] or len(path) != depth:
        known = ", ".join(_GUARDS[top])
        raise UsageError(f"{origin}: unknown {'.'.join(path)}; {table} has {known}")
    if name in ("read-only", "calls"):
        _expect(isinstance(value, bool), path, "true or false", origin)
    elif name == "file":
        full = isinstance(value, str) and value.startswith("/")
        _expect(full, path, "a path in quotes, from / on", origin)
    else:
        _expect(_is_words(value), path, "a list of commands in quotes", origin)
        for word in value:  # type: ignore[attr-defined]
            _check_command(word, origin)


def _check_command(pattern: str, origin: str) -> None:
    """Raise UsageError for what can be no name of an agent's command: it would forbid nothing."""
    start = re.split(r"[*?[]", pattern)[0]
    is_wire = start.startswith(_WIRE) or (start != pattern and _WIRE.startswith(start))
    if is_wire or any(fnmatchcase(name, pattern) for name in _BESIDE):
        return
    from qga_cli import catalog

    meant = catalog.find(pattern.split())
    names = f"names such as guest-exec, and {', '.join(_BESIDE)}"
    hint = f"did you mean {meant.wire}?" if meant and meant.wire else f"a policy knows {names}"
    raise UsageError(f"{origin}: {pattern!r} is no command of the agent's", hint=hint)


def _expect(fits: bool, path: Sequence[str], wanted: str, origin: str) -> None:
    if not fits:
        raise UsageError(f"{origin}: {'.'.join(path)} should be {wanted}")


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each table and each key: tomllib keeps none, and only messages need them."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*((?:\"[^\"]*\"|'[^']*'|[^\[\]\"'])+?)\s*\]", line)
        key = re.match(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[\w-]+)*)\s*=", line)
        if header:
            table = _names(header[1])
            lines.setdefault(table, number)
        elif key:
            lines.setdefault((*table, *_names(key[1])), number)
    return lines


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted))
