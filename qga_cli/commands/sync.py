"""guest-sync."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

ID = Arg("id", spec.INT, "Number to echo; a random one by default", metavar="N")

COMMAND = Command(
    "guest-sync",
    "Check that the agent answers this call, not an earlier one",
    since="0.15.0",
    args=[ID],
    result=int,
    patience=5,
    run="verbs.confirmed:echo",
    notes="Prints the number that the agent echoed; another one than was sent is an error.",
    examples=[
        Example("qga sync web1", "one round trip"),
        Example("qga sync web1 --id 42", "prints 42"),
    ],
)
