"""guest-suspend-hybrid."""

from qga_cli.commands.power.suspend_ram import SILENT
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-suspend-hybrid",
    "Suspend the guest, with a copy of its memory on its disk",
    since="1.1",
    systems=["Linux"],
    changes=True,
    notes="Needs pm-utils or systemd in the guest. `virsh dompmwakeup VM` wakes it. " + SILENT,
    examples=[Example("qga power suspend-hybrid web1", "sleep, safe from a power cut")],
)
