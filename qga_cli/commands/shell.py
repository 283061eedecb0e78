"""The verb `shell`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Open a login shell in the guest, on a terminal",
    since="2.5",
    args=[
        Arg("user", spec.USER, "Whose shell", short="-u", default="root"),
        Arg("escape", spec.TEXT, "First key of ~. (end) and ~? (help); none for no such keys",
            default="~", metavar="KEY"),
    ],
    changes=True,
    run="terminal.session:shell",
    examples=[
        Example("qga shell web1", "root's shell"),
        Example("qga shell -u www-data web1", "another user's"),
    ],
)  # fmt: skip
