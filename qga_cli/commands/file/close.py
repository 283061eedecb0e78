"""guest-file-close."""

from qga_cli.commands.file.read import HANDLE
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-file-close",
    "Close a file in the guest",
    since="0.15.0",
    args=[HANDLE],
    result={},
    changes=True,
    notes=(
        "Writes what the agent has buffered: an error here, such as a full disk, means that data "
        "is lost. The handle is not to be used again even then."
    ),
    examples=[Example('qga file close web1 "$h"', "after the last read or write")],
)
