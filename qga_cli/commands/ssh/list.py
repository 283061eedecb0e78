"""guest-ssh-get-authorized-keys."""

from __future__ import annotations

from collections.abc import Sequence

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

USER = Arg("user", spec.USER, "Name of the user in the guest", positional=True, wire="username")


def _parts(keys: dict[str, list[str]]) -> list[dict[str, str]]:
    return [{"key": line, **_described(line.split())} for line in keys["keys"]]


def _described(words: Sequence[str]) -> dict[str, str]:
    """Type, fingerprint and comment: what `ssh-keygen -l` prints."""
    import base64
    import hashlib

    for at, word in enumerate(words[1:], start=1):  # options may stand before the type
        if word.startswith("AAAA"):  # base64 of a length below 2^24, with which every key begins
            try:
                digest = hashlib.sha256(base64.b64decode(word, validate=True)).digest()
            except ValueError:
                break
            fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
            return {
                "type": words[at - 1],
                "fingerprint": fingerprint,
                "comment": " ".join(words[at + 1 :]),
            }
    return {"comment": " ".join(words)}  # not a key we can read


COMMAND = Command(
    "guest-ssh-get-authorized-keys",
    "List the SSH keys that may log in as a user",
    since="5.2",
    args=[USER],
    result={"keys": [str]},
    rows=_parts,
    columns=[
        Column("type"),
        Column("fingerprint"),
        Column("comment"),
        Column("key", extra=True),
    ],
    notes="From ~/.ssh/authorized_keys. Windows agents have it since 9.1.",
    examples=[
        Example("qga ssh list web1 root", "fingerprints, as ssh-keygen -l prints them"),
        Example("qga ssh list web1 root --columns key --no-header", "the lines of the file"),
    ],
)
