"""guest-fsfreeze-freeze-list."""

from qga_cli import spec
from qga_cli.commands.fs.freeze import FOR
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-fsfreeze-freeze-list",
    "Freeze some filesystems of the guest",
    since="2.2",
    args=[
        Arg("mountpoints", spec.MOUNTPOINT, "Mount points, as `qga fs list` shows them",
            positional=True, many=True, metavar="MOUNTPOINT"),
        FOR,
    ],
    result=int,
    rows=lambda count, seconds=0.0: f"{count} filesystem{'' if count == 1 else 's'} frozen",
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    patience=600,
    run="freeze.verbs:freeze",
    notes=(
        "Prints the number of filesystems frozen (a terminal has it in words). "
        "The agent passes over a mount point that it "
        "does not know without a word, so they are looked up first."
    ),
    examples=[Example("qga fs freeze-list --for 60s db1 /var/lib/mysql", "the database only")],
)  # fmt: skip
