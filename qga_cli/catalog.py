"""Finds commands by the name of their file: `fs freeze-list` is commands/fs/freeze_list.py.

Nothing is registered anywhere. Finding one command imports that one file.
"""

from __future__ import annotations

import os
import sys

from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

_ROOT = os.path.join(os.path.dirname(__file__), "commands")
_PACKAGE = "qga_cli.commands"
_by_wire: dict[str, Command | None] = {}  # a policy asks before each call


def find(words: Sequence[str]) -> Command | None:
    """The command these words begin with, or None. `words` may go on with arguments."""
    if not words:
        return None
    if words[0].startswith("guest-"):
        return by_wire(words[0])
    for count in (1, 2):
        path = tuple(words[:count])
        if len(path) == count and has(path):
            return load(path)
    return None


def has(path: Sequence[str]) -> bool:
    """Whether there is a command at `path`."""
    return all(map(_is_word, path)) and os.path.isfile(_file(path))


def load(path: tuple[str, ...]) -> Command:
    """The command at `path`, which must exist."""
    module = _module(".".join((_PACKAGE, *path)).replace("-", "_"))
    command: Command = module.COMMAND
    command.words = path
    return command


def by_wire(wire: str) -> Command | None:
    """The command for a wire name. Reads every file until one has it, and imports that one."""
    if wire not in _by_wire:
        _by_wire[wire] = _find_by_wire(wire)
    return _by_wire[wire]


def _find_by_wire(wire: str) -> Command | None:
    for path in _paths():
        with open(_file(path), encoding="utf-8") as file:
            named = f'"{wire}"' in file.read()
        if named and load(path).wire == wire:
            return load(path)
    return None


def walk() -> Iterator[Command]:
    """Every command, groups after single words, each in alphabetical order."""
    return map(load, _paths())


def _paths() -> Iterator[tuple[str, ...]]:
    for word in leaves(()):
        yield (word,)
    for group in groups():
        for word in leaves((group,)):
            yield (group, word)


def groups() -> list[str]:
    """The names of the groups."""
    with os.scandir(_ROOT) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("_"))


def leaves(path: tuple[str, ...]) -> list[str]:
    """The commands directly in a group, or at the top for ()."""
    with os.scandir(os.path.join(_ROOT, *path)) as entries:
        return sorted(
            entry.name[:-3].replace("_", "-")
            for entry in entries
            if entry.name.endswith(".py") and not entry.name.startswith("_")
        )


def group_summary(group: str) -> str:
    """The group's one line: the docstring of its package."""
    return (_module(f"{_PACKAGE}.{group}").__doc__ or "").strip().rstrip(".")


def is_group(word: str) -> bool:
    """Whether commands live below this word."""
    return _is_word(word) and os.path.isfile(os.path.join(_ROOT, word, "__init__.py"))


def _module(name: str) -> ModuleType:
    __import__(name)  # importlib would be one more to load
    return sys.modules[name]


def _is_word(word: str) -> bool:
    """Whether it may name a command or a group: every other file here is none."""
    return word.replace("-", "").isalnum()


def _file(path: Sequence[str]) -> str:
    return os.path.join(_ROOT, *(word.replace("-", "_") for word in path)) + ".py"
