"""guest-suspend-ram."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-suspend-ram",
    "Suspend the guest, keeping its memory",
    since="1.1",
    systems=["Linux", "Windows"],
    changes=True,
    notes=(
        "`virsh dompmwakeup VM` wakes it; the domain's <pm> must allow it. "
        "The agent sends no reply when it succeeds: exit code 0 says that it did not refuse."
    ),
    examples=[Example("qga power suspend-ram web1", "sleep")],
)
