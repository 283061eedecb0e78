"""guest-fsfreeze-freeze."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

FOR = Arg("for", spec.DURATION, "Thaw after this time, even if qga or the shell has been killed",
          metavar="TIME", wire="")  # fmt: skip

COMMAND = Command(
    "guest-fsfreeze-freeze",
    "Freeze every freezable filesystem of the guest",
    since="0.15.0",
    args=[FOR],
    result=int,
    rows=lambda count, seconds=0.0: f"{count} filesystem{'' if count == 1 else 's'} frozen",
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    patience=600,
    run="freeze.verbs:freeze",
    notes=(
        "Prints the number of filesystems frozen (a terminal has it in words). "
        "Without --for nothing thaws them but `qga fs "
        "thaw`: an agent on Linux has no timer. Windows thaws by itself after about 10 seconds. "
        "With --for a process is left behind that thaws in time; it writes to the system log."
    ),
    examples=[
        Example("qga fs freeze --for 60s web1; lvcreate ...; qga fs thaw web1", "by hand"),
        Example("qga fs with-frozen web1 -- lvcreate ...", "better: thaws whatever happens"),
    ],
)
