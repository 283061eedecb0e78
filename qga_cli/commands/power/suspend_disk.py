"""guest-suspend-disk."""

from qga_cli.commands.power.suspend_ram import SILENT
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-suspend-disk",
    "Write the guest's memory to its disk and power off",
    since="1.1",
    systems=["Linux", "Windows"],
    changes=True,
    notes="Hibernation, done by the guest, in its swap space. `virsh start` wakes it. " + SILENT,
    examples=[Example("qga power suspend-disk web1", "hibernate")],
)
