"""guest-fsfreeze-thaw."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-fsfreeze-thaw",
    "Thaw the guest's frozen filesystems",
    since="0.15.0",
    result=int,
    rows=lambda count, seconds=0.0: f"{count} filesystem{'' if count == 1 else 's'} thawed",
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    patience=600,
    run="freeze.verbs:thaw",
    notes="Prints the number of filesystems thawed; 0 when none was frozen. Safe to repeat.",
    examples=[Example("qga fs thaw web1", "let the guest write again")],
)
