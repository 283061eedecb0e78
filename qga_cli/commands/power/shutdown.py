"""guest-shutdown."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-shutdown",
    "Ask the guest to power off, halt or reboot",
    since="0.15.0",
    args=[
        Arg(
            "mode",
            spec.CHOICE,
            "How; powerdown by default",
            choices=("powerdown", "halt", "reboot"),
        ),
    ],
    changes=True,
    notes=(
        "The agent sends no reply when it succeeds: exit code 0 says that the guest was asked and "
        "did not refuse within 3 seconds. `qga wait VM --for stopped` waits for the end. A guest "
        "that is slow to stop may answer for some time before it reboots."
    ),
    examples=[
        Example("qga power shutdown web1", "power off"),
        Example("qga power shutdown web1 --mode reboot && qga wait web1", "until it answers"),
    ],
)
