"""The verb `mkdir`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Make folders in guests",
    since="2.5",
    args=[
        Arg("places", spec.PLACE, "Folders", positional=True, many=True, metavar="VM:PATH"),
        Arg("parents", spec.FLAG, "Missing parents too; no error if it is there", short="-p"),
    ],
    changes=True,
    run="files.rm_mkdir_mv:mkdir",
    scope="inside",
    examples=[Example("qga mkdir -p web1:/srv/www/static", "with its parents")],
)
