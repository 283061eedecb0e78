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
        Arg("human-readable", spec.FLAG, "Sizes such as 1.5K in a pipe too", short="-h"),
        Arg("all", spec.FLAG, "Names that begin with a dot too", short="-a"),
    ],
    columns=[
        Column("mode", kind=spec.WORD, leaves=5),
        Column("owner", leaves=2),
        Column("group", leaves=1),
        Column("size", kind=spec.BYTES),
        Column("modified", kind=spec.MOMENT, leaves=4),
        Column("name"),
        Column("target", leaves=3),
    ],
    empty="the folder is empty",
    run="files.ls:ls",
    scope="inside",
    notes=(
        "Symbolic links on the way are followed, as in the guest itself, whoever has made them: "
        "where another user of the guest may write, he chooses what is listed. A link at PATH that "
        "leads to a folder is followed, too; one to a file is listed itself."
    ),
    examples=[
        Example("qga ls web1:/var/log", "names, one on a line"),
        Example("qga ls -l web1:/var/log --sort -size", "the largest first"),
        Example("qga ls -l 'web1:/etc/*.conf'", "what matches there, by its path"),
    ],
)
