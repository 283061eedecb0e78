"""The options every command takes, and what fills them when the command line does not."""

from __future__ import annotations

import os

from qga_cli import catalog, spec
from qga_cli.cli import values
from qga_cli.config import Setting
from qga_cli.errors import UsageError
from qga_cli.spec import Arg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.config import Config

ENVIRONMENT = {
    "connect": "QGA_CONNECT",
    "output": "QGA_OUTPUT",
    "timeout": "QGA_TIMEOUT",
    "channel": "QGA_CHANNEL",
}
# What docker, incus and kubectl call them.
ALSO = {"output": ("--format",), "no-header": ("--no-headers",)}
FORMATS = ("table", "json", "jsonl", "yaml", "csv", "tsv", "raw")


def _output(choices: Sequence[str]) -> Arg:
    return Arg("output", spec.CHOICE, "Output format", short="-o", choices=choices,
               metavar="FORMAT")  # fmt: skip


COMMON = (
    Arg("connect", spec.TEXT, "Host: a libvirt URI, unix:PATH, vsock:CID:PORT, or pve", short="-c",
        metavar="URI"),
    _output(FORMATS),
    Arg("timeout", spec.DURATION, "Give up after this time, for example 30s or 5m",
        metavar="TIME"),
    Arg("explain", spec.FLAG, "Print what would be sent, and how virsh sends it; send nothing"),
    Arg("audit", spec.HOST_PATH, "Append a JSON line for each agent call, and one for the command, "
        "to this file"),
    Arg("verbose", spec.COUNT, "Say what is done; -vv each agent call, -vvv its JSON", short="-v"),
)  # fmt: skip

STATES = ("running", "paused", "suspended", "shut-off", "crashed", "all")
SELECT = (
    Arg("label", spec.LABEL, "Only guests whose title or metadata matches", short="-l", many=True,
        metavar="KEY=GLOB"),
    Arg("state", spec.CHOICE, "Only guests in this state (default for patterns: running; list, "
        "top, metrics, exporter: all)", choices=STATES),
    Arg("parallel", spec.POSITIVE, "How many guests at a time", short="-j", metavar="N",
        default="32"),
)  # fmt: skip

FLEET = (
    Arg("fail-fast", spec.FLAG, "Start no further guest after one has failed"),
    Arg("as-completed", spec.FLAG, "Print each guest when it is done, not in order"),
    Arg("gather", spec.FLAG, "Print equal outputs once, under the names of their guests"),
)

VIEW = (
    Arg("columns", spec.TEXT, "Columns of a table, tsv or csv, comma-separated", metavar="A,B"),
    Arg("no-header", spec.FLAG, "Leave the header line out"),
    Arg("sort", spec.TEXT, "Sort a table, tsv or csv by it; -COLUMN for descending",
        metavar="COLUMN"),
)  # fmt: skip

WATCH = (
    Arg("watch", spec.DURATION, "Ask again at this interval, for example 2s; Ctrl-C ends it",
        metavar="TIME"),
)  # fmt: skip


def words_after_dashes(args: Sequence[Arg]) -> Arg | None:
    """The argument that must follow `--`, because a list of any length comes before it."""
    if any(arg.positional and arg.many and arg.kind != spec.WORDS for arg in args):
        return next((arg for arg in args if arg.kind == spec.WORDS), None)
    return None


def names_with_value(args: Sequence[Arg]) -> set[str]:
    """The options that a word follows, as they are typed."""
    return {
        name
        for arg in args
        if not arg.positional and arg.takes_value
        for name in (*arg.names, *ALSO.get(arg.name, ()))
    }


def takes_numbers(args: Sequence[Arg]) -> bool:
    """Whether -5 may be an argument, not an option."""
    return any(arg.positional and arg.kind == spec.INT for arg in args)


# Those of any command, for settings and for help.
EVERY = (*COMMON, *SELECT, *FLEET, *VIEW, *WATCH)
# The common options of a command, by its scope (see spec.py).
_GUESTS = (Arg("guest", spec.GUEST, "Guest: name, list, glob, @group", positional=True,
               metavar="VM"),)  # fmt: skip
_COMMON = {
    "none": COMMON,
    "fleet": COMMON + SELECT,
    "guest": COMMON + SELECT + FLEET,
    "places": COMMON + SELECT + FLEET[:2],  # nothing to gather
    "inside": COMMON + SELECT + FLEET[:2],  # nothing to gather
}


_for_command: dict[spec.Command, tuple[Arg, ...]] = {}


def for_command(command: spec.Command) -> tuple[Arg, ...]:
    """Every argument `command` takes: the guests, its own, and the common ones that apply.

    Its own come first, and win: a common option of the same name goes, one of the same letter
    keeps its long name only.
    """
    if command not in _for_command:
        _for_command[command] = _compose(command)
    return _for_command[command]


def _compose(command: spec.Command) -> tuple[Arg, ...]:
    own = tuple(shown for arg in command.args for shown in _visible(arg))
    names = {arg.name for arg in command.args}
    shorts = {arg.short for arg in command.args if arg.short}
    common = [
        _without_short(arg) if arg.short in shorts else arg
        for arg in (*_COMMON[command.scope], *_view(command))
        if arg.name not in names
    ]
    # What a verb composes is no reply of an agent.
    if not command.wire and (command.columns or command.result):
        composed = _output([form for form in FORMATS if form != "raw"])
        common = [composed if arg.name == "output" else arg for arg in common]
    return (*(_GUESTS if command.scope == "guest" else ()), *own, *common)


def _view(command: spec.Command) -> tuple[Arg, ...]:
    """The options for a command's columns, with their names; none where it has no columns."""
    if not command.columns:
        return ()
    names = ", ".join(column.name for column in command.columns)
    columns = Arg("columns", spec.TEXT, f"Columns of a table, tsv or csv: {names}", metavar="A,B")
    return (columns, *VIEW[1:], *(() if command.changes else WATCH))


def _visible(arg: Arg) -> tuple[Arg, ...]:
    """What an argument is on the command line: nothing if piped in, ways to read it if secret."""
    if arg.kind == spec.STDIN:
        return ()
    if arg.kind == spec.SECRET:
        return (
            Arg(f"{arg.name}-stdin", spec.FLAG, f"Read the {arg.name} from standard input"),
            Arg(f"{arg.name}-file", spec.HOST_PATH, f"Read the {arg.name} from this file"),
        )
    return (arg,)


def fill(command: spec.Command, raw: dict[str, Any], config: Config) -> dict[str, Any]:
    """`raw` with what was not given: from the environment, then the command's table, then all's.

    Raises UsageError with file and line for a command or an option that does not exist, or a wrong
    value.
    """
    for path, setting in config.settings.items():
        if path[0] == "defaults" and len(path) > 2 and not catalog.has(path[1:-1]):
            named = " ".join(path[1:-1])
            dotted = f"write [defaults.{named.replace(' ', '.')}]"
            hint = dotted if catalog.has(named.split()) else ""
            raise UsageError(f"{setting.origin}: no command {named!r}", hint=hint)
    filled = dict(raw)
    known = {arg.name: arg for arg in for_command(command) if not arg.positional}
    everywhere = {arg.name: arg for arg in (*EVERY, spec.CHANNEL)}
    environment = {
        name: Setting(os.environ[variable], variable)
        for name, variable in ENVIRONMENT.items()
        if os.environ.get(variable)
    }
    for settings, allowed, who in (
        (environment, everywhere, "no command has an"),
        (config.table("defaults", *command.words), known, f"`{command.name}` has no"),
        (config.table("defaults"), everywhere, "no command has an"),
    ):
        for name, setting in settings.items():
            if name not in allowed:
                raise UsageError(f"{setting.origin}: {who} option {name!r}")
            text = _text(allowed[name], setting)
            if command.lasts and name == "timeout" and allowed is everywhere:
                continue  # it would cut ssh off, a minute after each login
            # A command may take fewer values than others do: -o table means nothing to `raw`.
            if name in known and _takes(command, known[name], text):
                filled.setdefault(name, text)
            elif allowed is known:
                raise UsageError(f"{setting.origin}: no column {text!r} in `{command.name}`")
    if config.get("connect"):
        filled.setdefault("connect", config.get("connect"))
    return filled


def _takes(command: spec.Command, arg: Arg, text: Any) -> bool:
    if arg.name in ("columns", "sort"):
        names = {column.name for column in command.columns}
        given = text.split(",") if arg.name == "columns" else [text.removeprefix("-")]
        return names.issuperset(given)
    return not arg.choices or text in arg.choices


def _without_short(arg: Arg) -> Arg:
    """`arg` under its long name only: the command has another use for the letter."""
    return Arg(
        arg.name, arg.kind, arg.help, choices=arg.choices, metavar=arg.metavar, many=arg.many
    )


def _text(arg: Arg, setting: Setting) -> object:
    """The value as the command line would have it, tried out here where its origin is known."""
    value = setting.value
    if isinstance(value, list) and not arg.many:
        raise UsageError(f"{setting.origin}: {arg.name} should be one value, not a list")
    if arg.kind == spec.COUNT:
        if type(value) is not int:
            raise UsageError(f"{setting.origin}: {arg.name} should be a number")
        return value
    if arg.kind != spec.FLAG:
        value = [str(item) for item in value] if isinstance(value, list) else str(value)
    elif not isinstance(value, bool):
        raise UsageError(f"{setting.origin}: {arg.name} should be true or false")
    try:
        for text in value if arg.many and isinstance(value, list) else [value]:
            values.value(arg, text)
    except UsageError as error:
        raise UsageError(f"{setting.origin}: {error.message}", hint=error.hint) from error
    return [value] if arg.many and not isinstance(value, list) else value
