"""The verb `edit`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Edit a guest's file with an editor of this host",
    since="0.15.0",
    args=[Arg("place", spec.PLACE, "File", positional=True, metavar="VM:PATH")],
    patience=spec.FOREVER,
    run="files.edit:edit",
    scope="none",
    notes=(
        "Runs $VISUAL, $EDITOR or vi on a private copy. It is written back at once or not at all, "
        "with the old mode and owner, and never over a file that has changed in the guest "
        "meanwhile. A file that is not there yet is made; a link is followed in the guest. "
        "--timeout is that of the copy here, and of the one back."
    ),
    examples=[Example("qga edit web1:/etc/hosts", "then save and quit")],
)
