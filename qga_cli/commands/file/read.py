"""guest-file-read."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

HANDLE = Arg("handle", spec.INT, "Handle that `file open` printed", positional=True)

COMMAND = Command(
    "guest-file-read",
    "Read from an open file",
    since="0.15.0",
    args=[HANDLE, Arg("count", spec.SIZE, "Bytes to read at most; 4096 by default, up to 48M")],
    result={"count": int, "buf-b64": bytes, "eof": bool},
    columns=[
        Column("count"),
        Column("eof", kind=spec.YESNO),
        Column("data", "buf-b64", spec.OUTPUT),
    ],
    changes=True,  # the handle's position
    notes=(
        "Bytes that are not text are shown as \\xNN; with -o json such data stays base64. "
        "Through libvirt at most 3 MB pass in one call. To print whole files, use `qga cat`."
    ),
    examples=[
        Example('qga file read web1 "$h" --count 64K', "the next 64 KiB"),
        Example('qga file read web1 "$h" -o json | jq -r \'."buf-b64"\'', "the data alone"),
    ],
)
