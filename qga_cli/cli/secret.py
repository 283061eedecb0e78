"""A password: from standard input, a file, or a person asked twice; never from the command line."""

from __future__ import annotations

import re
import sys
from getpass import getpass

from qga_cli import hostpath
from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# crypt(5): $id$parameters and salt$hash, the shortest of 22 characters; "!" before it locks, "!"
# or "*" alone lets no password in. DES's 13 letters look like a password, so they are no hash here.
_HASH = rb"!{0,2}\$[a-z0-9-]{1,12}[$,][./A-Za-z0-9$=,-]*[./A-Za-z0-9]{22,}|!{1,2}|!?\*"


def secret(name: str, values: dict[str, Any]) -> bytes:
    """From standard input, a file, or a person asked twice. Raises UsageError."""
    piped, file = values.get(f"{name}-stdin"), values.get(f"{name}-file")
    if piped and file:
        raise UsageError(f"--{name}-stdin and --{name}-file exclude each other")
    if piped:
        said = hostpath.read_whole(sys.stdin.buffer, f"the {name}")
    elif file:
        try:
            said = hostpath.content(file, f"the {name}")
        except OSError as error:
            raise UsageError(f"--{name}-file: {file}: {error.strerror}") from error
    elif sys.stdin.isatty():
        said = _asked(name)
    else:
        raise UsageError(
            f"no {name} given, and standard input is no terminal to ask on",
            hint=f"pipe it in with --{name}-stdin, or name a file with --{name}-file",
        )
    said = said.removesuffix(b"\n").removesuffix(b"\r")
    if not said:
        raise UsageError(f"the {name} is empty")
    if values.get("crypted") and not re.fullmatch(_HASH, said):
        raise UsageError(
            f"--crypted: this {name} is no hash as in /etc/shadow: nobody could log in with it",
            hint="`mkpasswd` or `openssl passwd -6` makes one; '*' and '!' forbid any password",
        )
    return said


def _asked(name: str) -> bytes:
    try:
        first, second = getpass(f"New {name}: "), getpass("Again: ")
    except EOFError as error:
        raise UsageError(f"no {name} given") from error
    if first != second:
        raise UsageError(f"the two {name}s differ", hint="nothing has been changed")
    return first.encode("utf-8", "surrogateescape")
