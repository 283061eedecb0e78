"""guest-set-time."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-set-time",
    "Set the guest's clock",
    since="1.5",
    args=[
        Arg("time", spec.TIME, "Time: 2026-01-01T00:00:00Z, now (the host's), or nanoseconds",
            positional=True, required=False),
    ],
    result={},
    changes=True,
    notes=(
        "Without TIME the guest reads its hardware clock, which is right after a suspend or a "
        "restored snapshot. With TIME it sets both clocks. A time without a zone is UTC. Numbers "
        "that can only be seconds, milli- or microseconds are refused."
    ),
    examples=[
        Example("qga time set web1", "from the hardware clock"),
        Example("qga time set web1 now", "from the host's clock"),
    ],
)  # fmt: skip
