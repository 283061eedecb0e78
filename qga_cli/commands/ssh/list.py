"""guest-ssh-get-authorized-keys."""

from __future__ import annotations

from qga_cli import openssh, spec
from qga_cli.spec import Arg, Column, Command, Example

USER = Arg("user", spec.USER, "Name of the user in the guest", positional=True, wire="username")


def _parts(keys: dict[str, list[str]]) -> list[dict[str, str]]:
    return [{"key": line, **_described(line)} for line in keys["keys"]]


def _described(line: str) -> dict[str, str]:
    """Type, fingerprint and comment: what `ssh-keygen -l` prints."""
    key = openssh.parse(line)
    if key is None:
        return {"comment": line}
    described = {"type": key.type, "fingerprint": key.fingerprint, "comment": key.comment}
    return described | ({"options": key.options} if key.options else {})


COMMAND = Command(
    "guest-ssh-get-authorized-keys",
    "List the SSH keys that may log in as a user",
    since="5.2",
    args=[USER],
    result={"keys": [str]},
    rows=_parts,
    empty="no keys",
    columns=[
        Column("type", leaves=2),
        Column("fingerprint", leaves=1),
        Column("comment"),
        Column("options", extra=True),
        Column("key", extra=True),
    ],
    run="network.ssh_keys:list_keys",
    notes=(
        "From ~/.ssh/authorized_keys; without that file there are none. "
        "Windows agents have it since 9.1."
    ),
    examples=[
        Example("qga ssh list web1 root", "fingerprints, as ssh-keygen -l prints them"),
        Example("qga ssh list web1 root --columns key --no-header", "the lines of the file"),
    ],
)
