"""qga help."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Open the manual page of a command or a topic",
    since="",
    args=[
        Arg("topic", spec.TEXT, "A command such as `exec` or `fs list`, or one of `options`, "
            "`configuration`, `targets`, `output`, `exit-codes`, `transports`", positional=True,
            required=False, many=True, metavar="TOPIC"),
    ],
    patience=spec.FOREVER,
    scope="none",
    run="cli.manual:show_manual",
    notes="Without man(1), or without its pages, prints what `--help` says.",
    examples=[
        Example("qga help exec", "everything about exec"),
        Example("qga help targets", "how guests are named"),
    ],
)  # fmt: skip
