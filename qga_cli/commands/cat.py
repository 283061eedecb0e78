"""The verb `cat`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Print files of guests",
    since="0.15.0",
    args=[
        Arg("places", spec.PLACE, "Files", positional=True, many=True, metavar="VM:PATH"),
        spec.CHANNEL,
    ],
    run="files.cat:cat",
    scope="inside",
    notes=(
        "Bytes are exact in a pipe. On a terminal, control characters are spelled out, for a "
        "guest is not trusted; `-o raw` sends them. With many guests (`@web:/etc/fstab`), each "
        "line begins with the guest's name.\n\n"
        "Symbolic links on the way are followed, as in the guest itself, whoever has made them: "
        "where another user of the guest may write, he chooses what is printed."
    ),
    examples=[
        Example("qga cat web1:/etc/fstab", "one file"),
        Example("qga cat db1:/dump.gz | zcat", "any bytes"),
    ],
)
