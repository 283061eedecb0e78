"""What the audit file has of a whole command: what was typed, for which guests, and its end."""

from __future__ import annotations

from qga_cli.policy.audit import typed
from qga_cli.spec import GUEST, PLACE, WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from qga_cli.spec import Command


def told(
    command: Command, words: Sequence[str], values: Mapping[str, Any], guests: str, code: int
) -> dict[str, Any]:
    """The line's own members. `guests` is the word that names them, "" where a verb finds them."""
    name = next((arg.name for arg in command.args if arg.kind == WORDS), "")
    program = values.get(name)
    if program and command.scope == "none":  # rsh, whose first word is the guest, as ssh's
        guests, program = program[0].rpartition("@")[2], program[1:]
    guests = guests or ",".join(dict.fromkeys(_named(command, values)))
    return {
        "command": command.name,
        "line": ["qga", *typed(words)],
        **({} if program is None else {"program": program}),
        **({"guests": guests} if guests else {}),
        "exit": code,
    }


def _named(command: Command, values: Mapping[str, Any]) -> Iterator[str]:
    """The guests among a verb's own words, and before the colons of its places."""
    for arg in command.args:
        given = values.get(arg.name, ())
        for text in given if isinstance(given, list) else [given]:
            if arg.kind == GUEST and text:
                yield text
            elif arg.kind == PLACE and text[:1] not in "/.":  # see guests.place
                yield from text.split(":")[:-1][:1]
