"""The verb `forward`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Forward ports of this host into the guest, or of the guest to this host",
    since="2.5",
    args=[
        Arg("forward", spec.ADDRESS, "Port of this host, and where it leads in the guest",
            positional=True, required=False, many=True,
            metavar="[BIND:]PORT:[HOST:]PORT..."),
        Arg("command", spec.WORDS, "Program of this host to run meanwhile", positional=True,
            required=False, many=True, metavar="[-- CMD...]"),
        Arg("reverse", spec.ADDRESS, "Port of the guest, and where it leads from this host",
            short="-R", many=True, metavar="[BIND:]PORT:[HOST:]PORT"),
        spec.CHANNEL,
    ],
    changes=True,
    lasts=True,
    run="network.forward:verb",
    notes=(
        "Listens on 127.0.0.1 unless BIND says otherwise; HOST is the guest itself unless it is "
        "named, and unix:PATH may stand for [HOST:]PORT. With -R the guest listens, on its own "
        "127.0.0.1, and each connection goes to that one address, as this host sees it: whoever "
        "has a login in the guest can reach it then. Port 0 picks a free one. What leads where is "
        "printed, a line for each, once it stands. Many connections at a time, each at its own "
        "pace. With CMD it ends with CMD, and with its exit code; CMD has the first port in "
        "QGA_PORT and all in QGA_PORTS. Otherwise it ends with Ctrl-C. Whatever ends it, nothing "
        "goes on listening, here or in the guest."
    ),
    examples=[
        Example("qga forward web1 8080:80", "http://localhost:8080 is the guest's web server"),
        Example("qga forward db1 0:5432 -- sh -c 'pg_dump -h localhost -p $QGA_PORT app'",
                "a program of this host uses a database of the guest"),
        Example("qga forward web1 -R 3142:3142", "the guest's apt uses a proxy of this host"),
    ],
)  # fmt: skip
