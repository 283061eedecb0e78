"""The verb `tail`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Print the end of a guest's file; -f follows it",
    since="0.15.0",
    args=[
        Arg("place", spec.PLACE, "File", positional=True, metavar="VM:PATH"),
        Arg("lines", spec.INT, "How many lines", short="-n", default=10, metavar="N"),
        Arg("follow", spec.FLAG, "Go on with what is appended, across rotation and truncation",
            short="-f"),
    ],
    run="files.tail:tail",
    scope="inside",
    notes=(
        "Symbolic links on the way are followed, as in the guest itself, whoever has made them: "
        "where another user of the guest may write, he chooses what is shown."
    ),
    examples=[
        Example("qga tail -f web1:/var/log/syslog", "until Ctrl-C"),
        Example("qga tail -f @web:/var/log/nginx/error.log", "of each guest of a group"),
        Example("qga tail -n 100 web1:/var/log/dpkg.log", "the last 100 lines"),
    ],
)  # fmt: skip
