"""The screen of `qga COMMAND --help`: its own options, an example or two, the way to the rest.

It is made from the record and not by Typer, whose help differs from release to release and takes
30 ms to import.
"""

from __future__ import annotations

import re
import shutil
import textwrap

from qga_cli.cli.options import EVERY, for_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qga_cli.spec import Arg, Command

_SHARED = {arg.name for arg in EVERY}
_NARROW, _WIDE = 40, 100  # columns that lines are folded to, at least and at most
_TERM = 26  # columns of an option and its value; a longer one gets a line of its own
_EXAMPLES = 3  # shown; the manual page has the rest
_NOTES = 240  # characters of the notes; the manual page has the rest


def screen(command: Command) -> str:
    """The whole screen, folded to the terminal's width."""
    width = min(max(shutil.get_terminal_size().columns, _NARROW), _WIDE)
    args = for_command(command)
    slots = [arg for arg in args if arg.positional]
    options = [arg for arg in args if not arg.positional]
    own = [arg for arg in options if arg.name not in _SHARED or arg in command.args]
    columns = next((arg for arg in options if arg.name == "columns"), None)
    shared = [arg.names[0] for arg in options if arg not in own and arg is not columns]
    parts = [
        folded(f"Usage: {usage(command, '[OPTION...]')}", width, "         "),
        folded(command.summary + ".", width),
    ]
    notes = _first_sentences(command.notes)
    if notes:
        parts.append(folded(notes, width))
    parts.append(_list("Arguments", [(arg.slot, _says(arg)) for arg in slots], width))
    wanted = [*own, columns] if columns else own
    parts.append(_list("Options", [(term(arg), _says(arg)) for arg in wanted], width))
    common = f"Common options, see `qga help options`: {' '.join(shared)}"
    parts.append(folded(common, width, "  "))
    parts.append(_examples(command, width))
    parts.append(folded(" ".join(_more(command)), width))
    return "\n".join(part for part in parts if part)


def usage(command: Command, options: str = "") -> str:
    """The command line, as in `qga fs list VM`; with `options` where they may stand."""
    slots = [arg for arg in for_command(command) if arg.positional]
    words = [arg.slot if arg.required else f"[{arg.slot}]" for arg in slots]
    return " ".join([f"qga {command.name}", *filter(None, [options]), *words])


def term(arg: Arg) -> str:
    """An option as it is listed: `-o, --output FORMAT`."""
    return ", ".join(arg.names) + (f" {arg.slot}" if arg.takes_value else "")


def _says(arg: Arg) -> str:
    text = arg.help
    if arg.choices and "|".join(arg.choices) != arg.metavar:
        text += f": {', '.join(arg.choices)}"
    if arg.default not in (None, False):
        text += f" (default {arg.default})"
    return text


def _first_sentences(notes: str) -> str:
    """The beginning of the notes, in whole sentences."""
    paragraph = " ".join(notes.split("\n\n")[0].split())
    shown = ""
    for sentence in re.findall(r".+?[.;](?= |$)|.+$", paragraph):
        if shown and len(shown) + len(sentence) > _NOTES:
            break
        shown += sentence
    return re.sub(r";$", ".", shown.strip())


def _list(title: str, rows: list[tuple[str, str]], width: int) -> str:
    return f"{title}:\n{listed(rows, width)}" if rows else ""


def listed(rows: list[tuple[str, str]], width: int) -> str:
    """Terms, and what is said of each beside it; below it, where the term is too long."""
    left = min(max((len(term) for term, _ in rows), default=0), _TERM, width // 2)
    lines = []
    for term, says in rows:
        indent = " " * (left + 4)
        if len(term) > left:
            lines.append(f"  {term}\n")
            term = ""
        lines.append(folded(says, width, indent, first=f"  {term:<{left}}  "))
    return "".join(lines)


def _examples(command: Command, width: int) -> str:
    """Each example with what it is for beside it, or above where the terminal is too narrow."""
    if not command.examples:
        return ""
    shown = command.examples[:_EXAMPLES]
    left = max(len(example.line) for example in shown)
    rows = [f"  {example.line:<{left}}  # {example.says}\n" for example in shown]
    if max(map(len, rows)) > width + 1:
        rows = [
            folded(f"# {example.says}", width, "  # ", first="  ") + f"  {example.line}\n"
            for example in shown
        ]
    return "".join(["Examples:\n", *rows])


def _more(command: Command) -> Iterator[str]:
    if command.wire:
        yield f"Wire name {command.wire}, since qemu-ga {command.since}."
    yield f"`qga help {command.name}` says all of it; exit codes: `qga help exit-codes`."


def folded(text: str, width: int, indent: str = "", *, first: str = "") -> str:
    """`text` folded at blanks, never inside a word, each line ended."""
    lines = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "".join(line + "\n" for line in lines)
