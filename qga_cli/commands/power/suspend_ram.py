"""guest-suspend-ram."""

from qga_cli.spec import Command, Example

SILENT = (
    "The agent sends no reply when it succeeds: exit code 0 says that it did not refuse, and a "
    "line on stderr in which state the guest is then. An agent of 5.2 does nothing, and says "
    "nothing, where systemd and pm-utils are missing."
)
COMMAND = Command(
    "guest-suspend-ram",
    "Suspend the guest, keeping its memory",
    since="1.1",
    systems=["Linux", "Windows"],
    changes=True,
    notes="`virsh dompmwakeup VM` wakes it; the domain's <pm> must allow it. " + SILENT,
    examples=[Example("qga power suspend-ram web1", "sleep")],
)
