"""The verb `connect`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Connect standard input and output to an address that the guest can reach",
    since="2.5",
    args=[
        Arg("address", spec.ADDRESS, "Where to connect, as the guest sees it", positional=True,
            metavar="[HOST:]PORT|unix:PATH|sshd"),
        spec.CHANNEL,
    ],
    changes=True,
    lasts=True,
    run="network.connect:verb",
    notes=(
        "As `ssh -W` and `nc`: what is read from standard input goes there, what comes back to "
        "standard output, and either may end before the other. The guest needs no network: "
        "without HOST it is the guest itself. sshd is one that is started for this login, with the "
        "guest's own configuration, whether or not one listens there (sshd:PORT is the one that "
        "listens on PORT); the guest's host keys are noted where `qga ssh config` has ssh look "
        "for them. Connections are carried by python3 or perl of the guest; sshd needs neither. "
        "Exit code 1 with the guest's reason when it cannot connect."
    ),
    examples=[
        Example("printf 'GET /\\r\\n' | qga connect web1 80", "a page of the guest's"),
        Example("qga connect web1 sshd", "what ssh calls, see qga ssh config"),
        Example("qga connect db1 unix:/run/postgresql/.s.PGSQL.5432", "a UNIX socket"),
    ],
)  # fmt: skip
