"""The options every command takes, described like any other argument."""

from collections.abc import Sequence

from qga_cli import spec
from qga_cli.spec import Arg

FORMATS = ("table", "json", "jsonl", "yaml", "csv", "tsv", "raw")

COMMON = (
    Arg("connect", spec.TEXT, "Host: a libvirt URI, unix:PATH, or vsock:CID:PORT", short="-c",
        metavar="URI"),
    Arg("output", spec.CHOICE, "Output format", short="-o", choices=FORMATS, metavar="FORMAT"),
    Arg("timeout", spec.DURATION, "Give up after this time, for example 30s or 5m",
        metavar="TIME"),
    Arg("verbose", spec.COUNT, "Tell the steps; -vv each agent call, -vvv its JSON", short="-v"),
)  # fmt: skip

FLEET = (
    Arg("parallel", spec.INT, "How many guests at a time", short="-j", metavar="N"),
    Arg("fail-fast", spec.FLAG, "Begin no further guest after one has failed"),
    Arg("as-completed", spec.FLAG, "Print each guest when it is done, not in order"),
)

VIEW = (
    Arg("columns", spec.TEXT, "Columns to show, comma-separated", metavar="A,B"),
    Arg("no-header", spec.FLAG, "Leave the header line out"),
    Arg("sort", spec.TEXT, "Sort by this column; -COLUMN for descending", metavar="COLUMN"),
)

WATCH = (
    Arg("watch", spec.DURATION, "Ask again every so often, for example 2s; Ctrl-C ends it",
        metavar="TIME"),
)  # fmt: skip


def words_after_dashes(args: Sequence[Arg]) -> Arg | None:
    """The command line that needs its `--`, for a list of any length stands before it."""
    if any(arg.positional and arg.many and arg.kind != spec.WORDS for arg in args):
        return next((arg for arg in args if arg.kind == spec.WORDS), None)
    return None


def takes_numbers(args: Sequence[Arg]) -> bool:
    """Whether -5 may be an argument, not an option."""
    return any(arg.positional and arg.kind == spec.INT for arg in args)


def for_command(command: spec.Command) -> tuple[Arg, ...]:
    """Every argument `command` takes: the guests, its own, and the common ones that apply."""
    own = {arg.name for arg in command.args}
    guests = (Arg("guest", spec.GUEST, "Guest: name, list, glob, @group", positional=True,
                  metavar="VM"),) if command.scope == "guest" else ()  # fmt: skip
    common = COMMON + (FLEET if command.scope != "none" else ())
    common += _view(command) if command.columns else ()
    common += WATCH if command.columns and not command.changes else ()
    visible = tuple(shown for arg in command.args for shown in _visible(arg))
    return guests + visible + tuple(arg for arg in common if arg.name not in own)


def _view(command: spec.Command) -> tuple[Arg, ...]:
    """The options for a command's columns, with their names."""
    names = ", ".join(column.name for column in command.columns)
    return (Arg("columns", spec.TEXT, f"Columns to show, of {names}", metavar="A,B"), *VIEW[1:])


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
