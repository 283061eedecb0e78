"""guest-file-flush."""

from qga_cli.commands.file.read import HANDLE
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-file-flush",
    "Write what the agent has buffered for an open file",
    since="0.15.0",
    args=[HANDLE],
    result={},
    changes=True,
    examples=[Example('qga file flush web1 "$h"', "a full disk shows here at the latest")],
)
