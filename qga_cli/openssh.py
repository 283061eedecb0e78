"""Lines of authorized_keys, read as sshd reads them: OPTIONS TYPE BASE64 COMMENT."""

from __future__ import annotations

import base64
import re

# A blank inside double quotes ends no option; \" is a quote inside of them (sshd, auth2-pubkey).
_OPTIONS = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')


class Key:
    """One public key. Two lines with equal `type` and `blob` let the same person in."""

    def __init__(self, options: str, type: str, blob: bytes, comment: str) -> None:
        self.options = options
        self.type = type
        self.blob = blob
        self.comment = comment

    @property
    def material(self) -> tuple[str, bytes]:
        """The part that makes it the same key; options and comments do not count."""
        return self.type, self.blob

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it was lost: strings after their lengths, the type first (RFC 4253).

        A certificate has numbers too, after the type.
        """
        fields, rest = [], self.blob
        while rest and (end := 4 + int.from_bytes(rest[:4], "big")) <= len(rest):
            fields.append(rest[4:end])
            rest = rest[end:]
        known = fields[:1] == [self.type.encode()]
        return known and ("-cert-" in self.type or not rest) and len(fields) > 1

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        import hashlib

        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse(line: str) -> Key | None:
    """The key of a line; None for what is none."""
    line = line.strip()
    plain = _read("", line)
    if plain or line.startswith("#"):
        return plain
    options = _OPTIONS.match(line)
    return _read(options[0], line[options.end() :].strip()) if options else None


def _read(options: str, text: str) -> Key | None:
    words = text.split(None, 2)
    # AAAA: base64 of a length below 2^24, with which every key begins.
    if len(words) < 2 or not words[1].startswith("AAAA"):
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except ValueError:
        return None
    return Key(options, words[0], blob, words[2] if len(words) > 2 else "")
