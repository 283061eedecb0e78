"""Turns command records into Typer commands. The only file that knows Typer's ways.

Typer's public functions only: its objects changed twice in a year (0.26 vendored click, 0.29
brought pydantic), so nothing here walks them.
"""

import contextlib
import inspect
import io
import re
import sys
from collections.abc import Callable, Sequence

import typer

from qga_cli import spec
from qga_cli.cli.options import for_command, takes_numbers, words_after_dashes
from qga_cli.errors import UsageError
from qga_cli.spec import Arg, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EPILOG = "Exit codes and topics: man qga"


def parse(command: Command, words: Sequence[str]) -> "dict[str, Any]":
    """What `words` say for `command`; prints help and exits for --help. Raises UsageError."""
    found: dict[str, Any] = {}
    app = _app()
    _add(app, command, command.words[-1], found.update)
    tail = words_after_dashes(for_command(command))
    if tail:
        before, after = _at_dashes(command, words)
        _invoke(app, "qga " + command.name, before)
        return found | {tail.name: after}
    _invoke(app, "qga " + command.name, words)
    for arg in for_command(command):
        if arg.kind == spec.WORDS and (found.get(arg.name) or [])[:1] == ["--"]:
            found[arg.name] = found[arg.name][1:]
            if arg.required and not found[arg.name]:
                raise _nothing_follows(command)
    return found


def _at_dashes(command: Command, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before the first `--`, with a word in place of the rest, and the rest."""
    before, after = list(words), []
    if "--" in before:
        at = before.index("--")
        before, after = before[:at], before[at + 1 :]
    if not after and not {"-h", "--help"} & set(before):
        raise _nothing_follows(command)
    return [*before, "--", "CMD"], after


def _nothing_follows(command: Command) -> UsageError:
    return UsageError(
        "the command to run is missing: it follows `--`",
        hint=f"`qga {command.name} --help` shows how",
    )


def _app() -> typer.Typer:
    # Rich help takes 70 ms more and repeats what plain text says.
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def _add(
    app: typer.Typer, command: Command, word: str, take: "Callable[[dict[str, Any]], object]"
) -> None:
    args = for_command(command)
    names = {arg.name.replace("-", "_") + "_": arg for arg in args}  # "for" is a word of Python

    def callback(**given: object) -> None:
        take({names[name].name: value for name, value in given.items()})

    tail = words_after_dashes(args)
    parameters = [_parameter(name, arg, one=arg is tail) for name, arg in names.items()]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    callback.__annotations__ = {p.name: p.annotation for p in parameters}
    interspersed = tail is not None or not any(arg.kind == spec.WORDS for arg in args)
    app.command(
        word,
        help=_help(command),
        short_help=command.summary,
        epilog=_EPILOG,
        context_settings={
            "allow_interspersed_args": interspersed,
            "ignore_unknown_options": takes_numbers(args),
            "help_option_names": ["-h", "--help"],
        },
    )(callback)


def _parameter(name: str, arg: Arg, *, one: bool) -> inspect.Parameter:
    kind: Any = str
    if arg.kind == spec.FLAG:
        kind = bool
    elif arg.kind == spec.COUNT:
        kind = int
    elif arg.many and not one:  # Typer takes one list of unknown length only
        kind = list[str]
    default: Any = False if kind is bool else ... if arg.required else None
    if arg.positional:
        metavar = arg.metavar + ("..." if arg.many and "..." not in arg.metavar else "")
        info = typer.Argument(default, help=arg.help, metavar=metavar, show_default=False)
    else:
        declared = [f"--{arg.name}", *([arg.short] if arg.short else [])]
        info = typer.Option(
            0 if arg.kind == spec.COUNT else default, *declared, help=_option_help(arg),
            metavar=arg.metavar or None, count=arg.kind == spec.COUNT, show_default=False,
        )  # fmt: skip
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=info, annotation=kind)


def _option_help(arg: Arg) -> str:
    shown = "|".join(arg.choices) == arg.metavar
    extra = f": {', '.join(arg.choices)}" if arg.choices and not shown else ""
    if arg.default not in (None, False):
        extra += f" (default {arg.default})"
    if arg.many:
        extra += "; can be repeated"
    return arg.help + extra


def _help(command: Command) -> str:
    parts = [command.summary + "."]
    if command.notes:
        parts.append(command.notes)
    if command.examples:
        width = max(len(example.line) for example in command.examples)
        lines = [f"  {e.line:<{width}}  # {e.says}" for e in command.examples]
        parts.append("\b\nExamples:\n" + "\n".join(lines))
    if command.wire:
        parts.append(f"Wire name {command.wire}, since qemu-ga {command.since}.")
    return "\n\n".join(parts)


def _invoke(app: typer.Typer, prog: str, words: Sequence[str]) -> None:
    """Run Typer without letting it exit or print errors of its own."""
    help = io.StringIO()
    try:
        with contextlib.redirect_stdout(help):
            code = app(list(words), prog_name=prog, standalone_mode=False)
    except Exception as error:
        # Typer's usage errors are click's, vendored or not: known by what they can do.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        said = describe().rstrip(".")
        said = said[:1].lower() + said[1:]
        raise UsageError(said, hint=f"`{prog} --help` shows how") from error
    sys.stdout.write(_plain(help.getvalue()))
    if isinstance(code, int):  # not what a callback returns: --help has been answered
        sys.exit(code)


def _plain(help: str) -> str:
    """Help without the braces that Typer sets around what is required, and without saying so."""
    usage, blank, rest = help.partition("\n\n")
    return re.sub(r"[{}]", "", usage) + blank + re.sub(r"\s+\[required\]", "", rest)
