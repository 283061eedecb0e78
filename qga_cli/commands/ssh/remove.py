"""guest-ssh-remove-authorized-keys."""

from qga_cli.commands.ssh.add import KEYS
from qga_cli.commands.ssh.list import USER
from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-ssh-remove-authorized-keys",
    "Remove SSH keys from a user",
    since="5.2",
    args=[USER, KEYS],
    result={},
    changes=True,
    run="network.ssh_keys:remove",
    notes=(
        "Keys are compared by type and key material: comments and options do not count, and every "
        "line with the key goes. Says how many went; exit code 1 when none did. Windows "
        "agents have it since 9.1."
    ),
    examples=[Example("qga ssh remove web1 root @old.pub", "whatever its comment")],
)
