"""Turns command records into Typer commands. The only file that knows Typer's ways.

Typer's public functions only, of every release since 0.7: its objects changed twice in a year
(0.26 vendored click, 0.29 brought pydantic), so nothing here walks them. What --help prints is
ours, for Typer's changes from release to release.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence

import typer

from qga_cli import spec
from qga_cli.cli.command_help import screen
from qga_cli.cli.mistakes import explain
from qga_cli.cli.options import ALSO, for_command, takes_numbers, words_after_dashes
from qga_cli.errors import UsageError
from qga_cli.spec import Arg, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """What `words` say for `command`; prints help and exits for --help. Raises UsageError."""
    found: dict[str, Any] = {}
    # Rich help takes 70 ms more and repeats what plain text says.
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    _add(app, command, command.words[-1], found.update)
    tail = words_after_dashes(for_command(command))
    if tail:
        before, after = _at_dashes(command, words, tail)
        _invoke(app, command, before)
        return found | {tail.name: after}
    _invoke(app, command, words)
    for arg in for_command(command):
        if arg.kind == spec.WORDS and (found.get(arg.name) or [])[:1] == ["--"]:
            found[arg.name] = found[arg.name][1:]
            if arg.required and not found[arg.name]:
                raise _nothing_follows(command)
    return found


def _at_dashes(command: Command, words: Sequence[str], tail: Arg) -> tuple[list[str], list[str]]:
    """The words before the first `--`, with one word in place of the rest; and the rest."""
    before, after = list(words), []
    needed = tail.required or "--" in before
    if "--" in before:
        at = before.index("--")
        before, after = before[:at], before[at + 1 :]
    if needed and not after and not {"-h", "--help"} & set(before):
        raise _nothing_follows(command)
    return [*before, "--", "CMD"], after


def _nothing_follows(command: Command) -> UsageError:
    return UsageError(
        "the command to run is missing: it follows `--`",
        hint=f"`qga {command.name} --help` shows how",
    )


def _add(
    app: typer.Typer, command: Command, word: str, take: Callable[[dict[str, Any]], object]
) -> None:
    args = for_command(command)
    names = {arg.name.replace("-", "_") + "_": arg for arg in args}  # "for" is a word of Python

    def callback(**given: object) -> None:
        take({arg.name: given[name] for name, arg in names.items()})

    tail = words_after_dashes(args)
    parameters = [_parameter(name, arg, one=arg is tail) for name, arg in names.items()]
    parameters.append(_help(command))
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    callback.__annotations__ = {p.name: p.annotation for p in parameters}
    interspersed = tail is not None or not any(arg.kind == spec.WORDS for arg in args)
    app.command(
        word,
        add_help_option=False,
        context_settings={
            "allow_interspersed_args": interspersed,
            "ignore_unknown_options": takes_numbers(args),
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
        info = typer.Argument(default, metavar=arg.slot)
    else:
        short = [arg.short] if arg.short else []
        declared = [f"--{arg.name}", *ALSO.get(arg.name, ()), *short]
        info = typer.Option(
            0 if arg.kind == spec.COUNT else default, *declared,
            metavar=arg.metavar or None, count=arg.kind == spec.COUNT,
        )  # fmt: skip
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=info, annotation=kind)


def _help(command: Command) -> inspect.Parameter:
    """The option --help, which counts before a required argument is missed."""

    def show(asked: bool) -> None:
        if asked:
            sys.stdout.write(screen(command))
            raise typer.Exit

    short = [] if any(arg.short == "-h" for arg in command.args) else ["-h"]
    info = typer.Option(False, "--help", *short, is_eager=True, callback=show)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter("help", keyword, default=info, annotation=bool)


def _invoke(app: typer.Typer, command: Command, words: Sequence[str]) -> None:
    """Run Typer without letting it exit or print errors of its own."""
    try:
        code = app(list(words), prog_name=f"qga {command.name}", standalone_mode=False)
    except Exception as error:
        # Typer's usage errors are click's, vendored or not: known by what they can do.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        raise explain(command, words, describe()) from error
    if isinstance(code, int):  # not what a callback returns: --help has been answered
        sys.exit(code)
