"""guest-file-seek."""

from qga_cli import spec
from qga_cli.commands.file.read import HANDLE
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "guest-file-seek",
    "Move the position in an open file",
    since="0.15.0",
    args=[
        HANDLE,
        Arg("offset", spec.INT, "Bytes from there; may be negative", positional=True),
        Arg("whence", spec.WHENCE, "From the beginning, the position, or the end",
            choices=("set", "cur", "end"), default="set"),
    ],
    result={"position": int, "eof": bool},
    columns=[Column("position"), Column("eof", kind=spec.YESNO)],
    changes=True,
    examples=[
        Example('qga file seek web1 "$h" 0', "back to the beginning"),
        Example('qga file seek web1 "$h" -100 --whence end', "the last 100 bytes"),
    ],
)  # fmt: skip
