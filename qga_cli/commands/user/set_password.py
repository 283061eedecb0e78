"""guest-set-user-password."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-set-user-password",
    "Set a user's password",
    since="2.3",
    args=[
        Arg("user", spec.USER, "Name of the user in the guest", positional=True, wire="username"),
        Arg("password", spec.SECRET, "New password"),
        Arg("crypted", spec.FLAG, "It is hashed already, as in /etc/shadow; not for Windows",
            default=False),
    ],
    result={},
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    notes=(
        "Asks twice on a terminal; in scripts use --password-stdin or --password-file. A newline "
        "at the end is not part of the password. It is never an argument, and never traced."
    ),
    examples=[
        Example("qga user set-password web1 root", "asks for it"),
        Example("pass vm/web1 | qga user set-password web1 root --password-stdin", "does not"),
        Example(
            "mkpasswd | qga user set-password web1 root --password-stdin --crypted", "as a hash"
        ),
    ],
)  # fmt: skip
