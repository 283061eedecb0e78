"""The verb `rm`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Remove files of guests",
    since="2.5",
    args=[
        Arg("places", spec.PLACE, "Files", positional=True, many=True, metavar="VM:PATH"),
        Arg("recursive", spec.FLAG, "Folders, with all that is in them", short="-r"),
        Arg("force", spec.FLAG, "No error for what is not there", short="-f"),
    ],
    changes=True,
    run="files.rm_mkdir_mv:rm",
    scope="inside",
    notes="The guest's own rm, which asks nothing.",
    examples=[
        Example("qga rm web1:/tmp/a web1:/tmp/b", "two files"),
        Example("qga rm -f 'web*:/run/maintenance'", "in each of them"),
    ],
)
