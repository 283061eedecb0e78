"""guest-file-write."""

from qga_cli import spec
from qga_cli.commands.file.read import HANDLE
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "guest-file-write",
    "Write standard input to an open file",
    since="0.15.0",
    args=[
        HANDLE,
        Arg("data", spec.STDIN, "Bytes to write", wire="buf-b64"),
        Arg("count", spec.SIZE, "Write only so many of them"),
    ],
    result={"count": int, "eof": bool},
    columns=[Column("count"), Column("eof", kind=spec.YESNO)],
    changes=True,
    notes=(
        "The agent buffers: `qga file flush` or `file close` tells whether the guest has taken "
        "the data. Through libvirt about 150 KB pass in one call. To copy files, use `qga cp`."
    ),
    examples=[Example('echo hello | qga file write web1 "$h"', "six bytes")],
)
