"""A command line that was not understood: what is wrong with it, and what to type."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Sequence

from qga_cli import spec
from qga_cli.cli import synonyms
from qga_cli.cli.options import for_command, names_with_value
from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.spec import Command

_GUESTS = "`qga list` shows the guests; '*' is every one that runs"


def explain(command: Command, words: Sequence[str], said: str) -> UsageError:
    """The error for `words`, of which a parser has `said` something in its own words."""
    said = said.rstrip(".")
    said = said[:1].lower() + said[1:]
    help_ = f"`qga {command.name} --help` shows how"
    option = re.match(r"no such option:? '?(-[^\s']+)", said, re.I)
    if option:
        number = next((word for word in words if re.fullmatch(r"-\d+", word)), "")
        if number and command.name == "tail":  # read as options of a letter each
            return UsageError(f"no option {number}", hint=f"-n {number[1:]}")
        return UsageError(f"no option {option[1]}", hint=_option(command, option[1]) or help_)
    extra = re.match(r"got unexpected extra argument(?:\(s\)|s)? \((.*)\)$", said)
    if extra:
        return UsageError(f"too many words: {extra[1]!r}", hint=_extra(command, words) or help_)
    missing = re.match(r"missing argument '?([^']+)'?", said)
    if missing:
        hint = _GUESTS if missing[1] == "VM" and command.name != "shell" else help_
        return UsageError(f"{missing[1]} is missing", hint=hint)
    return UsageError(said, hint=help_)


def _option(command: Command, typed: str) -> str:
    name = typed.partition("=")[0]
    known = synonyms.option(command.name, name)
    if known:
        return known
    names = [f"--{arg.name}" for arg in for_command(command) if not arg.positional]
    close = difflib.get_close_matches(name, names, 2, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else ""


def _loose(command: Command, words: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    valued = names_with_value(for_command(command))
    before = ["", *words]
    return [
        word
        for last, word in zip(before, words, strict=False)
        if not word.startswith("-") and last not in valued
    ]


def _extra(command: Command, words: Sequence[str]) -> str:
    """Where a guest and something else was given to what takes guests, or places, only."""
    loose = _loose(command, words)
    slots = [arg for arg in for_command(command) if arg.positional]
    if len(loose) < 2 or not slots:
        return ""
    guest, *rest = loose
    if slots[0].kind == spec.PLACE and rest[0].startswith("/"):
        return f"{guest}:{rest[0]}"
    if slots[0].kind == spec.GUEST and command.name == "shell":
        return f"`qga exec {guest} -- {shlex.join(rest)}`"
    if slots[0].kind == spec.GUEST and len(slots) == 1:
        return f"several guests are one word: `qga {command.name} {','.join(loose)}`"
    return ""
