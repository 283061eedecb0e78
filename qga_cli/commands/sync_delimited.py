"""guest-sync-delimited."""

from qga_cli.commands.sync import ID
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-sync-delimited",
    "Reset the agent's parser and check that it answers this call",
    since="1.1",
    args=[ID],
    result=int,
    patience=5,
    run="verbs.confirmed:echo",
    notes=(
        "For raw sockets, where every connection of qga begins with it anyway. libvirt takes the "
        "0xFF byte before the reply for a broken link and never uses the agent again, so it is "
        "refused there."
    ),
    examples=[Example("qga -c unix:/run/web1.qga sync-delimited web1", "on a raw socket")],
)
