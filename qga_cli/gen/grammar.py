"""What the three completion scripts say of the commands: words that go on, options, kinds."""

import os
from collections.abc import Mapping, Sequence

from qga_cli import catalog, spec
from qga_cli.cli.manual import TOPICS
from qga_cli.cli.options import COMMON, for_command
from qga_cli.spec import Arg, Command

_HEADER = "# {} completion of qga. Written by `make gen` from the command records: do not edit."
_ASKED = (
    spec.GUEST, spec.PLACE, spec.GUEST_PATH, spec.MOUNTPOINT, spec.USER, spec.PID, spec.HOST_PATH,
    spec.KEY, spec.WORDS,
)  # fmt: skip
_WORTH = 150  # characters that a group must save
HERE = "words-here"  # a command line for this host, not for the guest


def header(shell: str) -> str:
    """The first line, saying where the file comes from."""
    return _HEADER.format(shell) + "\n"


def engine(name: str) -> str:
    """The part of a script that does not depend on the commands."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def kind(command: Command | None, arg: Arg) -> str:
    """What completes an argument: a kind, |a|b for choices, ,a,b for a comma-separated list."""
    if arg.choices or arg.offers:
        return "|" + "|".join(arg.choices or arg.offers)
    if arg.name == "connect":
        return "uri"
    names = [column.name for column in command.columns] if command else []
    if arg.name == "columns" and names:
        return "," + ",".join(names)
    if arg.name == "sort" and names:
        return "|" + "|".join(names)
    if arg.name == "topic":
        return "|" + "|".join([*children(()), *TOPICS])
    if arg.kind == spec.WIRE:
        return "|" + "|".join(sorted(c.wire for c in catalog.walk() if c.wire))
    if arg.kind == spec.WORDS and command and command.scope != "guest":
        return HERE
    return arg.kind if arg.kind in _ASKED else spec.TEXT


def options(command: Command | None) -> list[Arg]:
    """The options of a command, or those that may stand before any."""
    args = for_command(command) if command else COMMON
    return [arg for arg in args if not arg.positional]


def positionals(command: Command | None) -> list[Arg]:
    """What a command takes besides options, in order."""
    return [arg for arg in for_command(command) if arg.positional] if command else []


def paths() -> list[tuple[str, ...]]:
    """What a command line may have reached: nothing, a group, a command."""
    groups = [(group,) for group in catalog.groups()]
    return [(), *groups, *(command.words for command in catalog.walk())]


def command(path: tuple[str, ...]) -> Command | None:
    """The command at the end of a path; None at the root or a group."""
    return None if children(path) else catalog.load(path)


def children(path: tuple[str, ...]) -> dict[str, str]:
    """The words that go on from the root or a group, and what each is about."""
    if len(path) > 1 or (path and not catalog.is_group(path[0])):
        return {}
    found = {word: catalog.load((*path, word)).summary for word in catalog.leaves(path)}
    if not path:
        found |= {group: catalog.group_summary(group) for group in catalog.groups()}
    return dict(sorted(found.items()))


def slot(command: Command | None, arg: Arg) -> str:
    """The kind of a positional, with a star when it takes all words that are left."""
    return kind(command, arg) + ("*" if arg.many else "")


class CommonOptions:
    """The options of all commands, a line each; those of several are written once.

    groups  lines that always come together
    sets    the groups, by their numbers, of one entry or more
    own     what an entry has besides
    of      the number of an entry's set
    """

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        owners: dict[str, set[str]] = {}
        for key, texts in lines.items():
            for text in texts:
                owners.setdefault(text, set()).add(key)
        together: dict[frozenset[str], list[str]] = {}
        for text, keys in owners.items():
            together.setdefault(frozenset(keys), []).append(text)
        shared = {
            keys: texts
            for keys, texts in together.items()
            if (len(keys) - 1) * sum(map(len, texts)) >= _WORTH
        }
        self.groups = list(shared.values())
        of = {key: [n for n, keys in enumerate(shared) if key in keys] for key in lines}
        self.sets = sorted({tuple(numbers) for numbers in of.values()})
        self.of = {key: self.sets.index(tuple(numbers)) for key, numbers in of.items()}
        self.own = {
            key: [text for text in texts if frozenset(owners[text]) not in shared]
            for key, texts in lines.items()
        }
