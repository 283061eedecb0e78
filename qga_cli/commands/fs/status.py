"""guest-fsfreeze-status."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-fsfreeze-status",
    "Tell whether the guest's filesystems are frozen",
    since="0.15.0",
    result=("thawed", "frozen"),
    systems=["Linux", "Windows", "FreeBSD"],
    patience=5,
    examples=[Example("qga fs status web1", "prints thawed or frozen")],
)
