"""guest-ssh-add-authorized-keys."""

from qga_cli import spec
from qga_cli.commands.ssh.list import USER
from qga_cli.spec import Arg, Command, Example

KEYS = Arg("key", spec.KEY, "OpenSSH public key, or @FILE with one on each line (@-: stdin)",
           positional=True, many=True, wire="keys")  # fmt: skip

COMMAND = Command(
    "guest-ssh-add-authorized-keys",
    "Let SSH keys log in as a user",
    since="5.2",
    args=[USER, KEYS, Arg("reset", spec.FLAG, "Remove all other keys of the user")],
    result={},
    changes=True,
    run="network.ssh_keys:add",
    notes=(
        "Appends to ~/.ssh/authorized_keys, which is made if need be; a key that is there already, "
        "whatever its comment, is not added again. One that is there with other options (`from=` "
        "...) is refused, with exit code 1: sshd would go by the first line. Windows agents have "
        "it since 9.1. It is done with the user's own rights, by guest-exec where that may be used."
    ),
    examples=[
        Example("qga ssh add web1 root @~/.ssh/id_ed25519.pub", "your own key"),
        Example("qga ssh add 'web*' deploy @new.pub --reset", "new.pub and no other"),
    ],
)
