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
        spec.CHANNEL,
    ],
    changes=True,
    lasts=True,
    run="terminal.session:shell",
    notes=(
        "Keys, colours, window size, vim, top and the exit code are as with ssh, without network. "
        "Typed after Enter, ~. ends the session, ~? helps and ~~ types a tilde. "
        "The guest needs Python 3, or script(1) of util-linux; no file is left there. When this "
        "side is killed or loses its connection, the guest hangs up within a minute."
    ),
    examples=[
        Example("qga shell web1", "root's shell"),
        Example("qga shell -u www-data web1", "another user's"),
    ],
)  # fmt: skip
