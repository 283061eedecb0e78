"""guest-get-memory-block-info."""

from qga_cli.spec import BYTES, Column, Command, Example

COMMAND = Command(
    "guest-get-memory-block-info",
    "Show the size of one memory block",
    since="2.3",
    result={"size": int},
    columns=[Column("size", kind=BYTES)],
    systems=["Linux"],
    examples=[Example("qga memory info web1", "128M, say; bytes in a pipe")],
)
