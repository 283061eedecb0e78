"""guest-ssh-remove-authorized-keys."""

from qga_cli.commands.ssh.add import KEYS
from qga_cli.commands.ssh.list import USER
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-ssh-remove-authorized-keys",
    "Let SSH keys log in as a user no longer",
    since="5.2",
    args=[USER, KEYS],
    result={},
    changes=True,
    notes=(
        "The whole line is compared, comment included; a key that is not there is passed over "
        "without a word, so look with `qga ssh list`. Windows agents have it since 9.1."
    ),
    examples=[Example("qga ssh remove web1 root @old.pub", "as it was added")],
)
