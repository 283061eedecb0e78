"""guest-suspend-hybrid."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-suspend-hybrid",
    "Suspend the guest, with a copy of its memory on its disk",
    since="1.1",
    systems=["Linux"],
    changes=True,
    notes=(
        "Needs pm-utils or systemd in the guest. `virsh dompmwakeup VM` wakes it. "
        "The agent sends no reply when it succeeds: exit code 0 says that it did not refuse, and a "
        "line on stderr in which state the guest is then. An agent of 5.2 does nothing, and says "
        "nothing, where systemd and pm-utils are missing."
    ),
    examples=[Example("qga power suspend-hybrid web1", "sleep, safe from a power cut")],
)
