"""guest-set-vcpus."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-set-vcpus",
    "Switch processors of the guest on and off",
    since="1.5",
    args=[
        Arg("cpu", spec.VCPUS, "Id from `cpu list`, and its new state", positional=True,
            many=True, wire="vcpus"),
    ],
    result=int,
    systems=["Linux"],
    changes=True,
    patience=60,
    run="verbs.confirmed:vcpus",
    notes="In the order given, ending at the first that fails. Prints how many were set.",
    examples=[Example("qga cpu set web1 2=off 3=off", "leave the guest two of four")],
)  # fmt: skip
