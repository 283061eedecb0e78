"""guest-suspend-disk."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-suspend-disk",
    "Write the guest's memory to its disk and power off",
    since="1.1",
    systems=["Linux", "Windows"],
    changes=True,
    notes=(
        "Hibernation, done by the guest, in its swap space. `virsh start` wakes it. "
        "The agent sends no reply when it succeeds: exit code 0 says that it did not refuse, and a "
        "line on stderr in which state the guest is then. An agent of 5.2 does nothing, and says "
        "nothing, where systemd and pm-utils are missing."
    ),
    examples=[Example("qga power suspend-disk web1", "hibernate")],
)
