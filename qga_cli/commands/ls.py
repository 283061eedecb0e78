"""The verb `ls`."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "",
    "List a folder of a guest",
    since="2.5",
    args=[
        Arg("place", spec.PLACE, "Folder, file or pattern", positional=True, metavar="VM:PATH"),
        Arg("long", spec.FLAG, "Mode, owner, group, size and time too", short="-l"),
        Arg("all", spec.FLAG, "Names that begin with a dot too", short="-a"),
    ],
    columns=[
        Column("mode"),
        Column("owner"),
        Column("group"),
        Column("size", kind=spec.BYTES),
        Column("modified", kind=spec.MOMENT),
        Column("name"),
        Column("target"),
    ],
    run="files.ls:ls",
    scope="inside",
    examples=[
        Example("qga ls web1:/var/log", "names, one on a line"),
        Example("qga ls -l web1:/var/log --sort -size", "the largest first"),
        Example("qga ls -l 'web1:/etc/*.conf'", "what matches there, by its path"),
    ],
)
