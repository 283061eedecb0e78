"""guest-fsfreeze-freeze."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-fsfreeze-freeze",
    "Freeze every freezable filesystem of the guest",
    since="0.15.0",
    result=int,
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    patience=600,
    notes=(
        "Prints the number of filesystems frozen. Nothing thaws them but `qga fs thaw`: an agent "
        "on Linux has no timer. Windows thaws by itself after about 10 seconds."
    ),
    examples=[Example("qga fs freeze web1; lvcreate ...; qga fs thaw web1", "around a snapshot")],
)
