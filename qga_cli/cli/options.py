"""The options every command takes, described like any other argument."""

from qga_cli import spec
from qga_cli.spec import Arg

FORMATS = ("table", "json", "jsonl", "yaml", "csv", "tsv", "raw")

COMMON = (
    Arg("connect", spec.TEXT, "Host: a libvirt URI, unix:PATH, or vsock:CID:PORT", short="-c",
        metavar="URI"),
    Arg("output", spec.CHOICE, "Output format", short="-o", choices=FORMATS,
        metavar="FORMAT"),
    Arg("timeout", spec.DURATION, "Give up after this time, for example 30s or 5m",
        metavar="TIME"),
    Arg("explain", spec.FLAG, "Print what would be sent, and how virsh sends it; send nothing"),
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


def for_command(command: spec.Command) -> tuple[Arg, ...]:
    """Every argument `command` takes: the guests, its own, and the common ones that apply."""
    own = {arg.name for arg in command.args}
    guests = (Arg("guest", spec.GUEST, "Guest: name, list, glob, @group", positional=True,
                  metavar="VM"),) if command.scope == "guest" else ()  # fmt: skip
    common = COMMON + (FLEET if command.scope != "none" else ())
    common += VIEW if command.columns else ()
    visible = tuple(arg for arg in command.args if arg.kind != spec.STDIN)
    return guests + visible + tuple(arg for arg in common if arg.name not in own)
