"""Where a file is: `VM:PATH`, a path of this host, or `-`. Only text; nothing is looked up.

The rules of docker cp and scp: the first colon ends the guest's name; what begins with `/` or `.`
is a path of ours, colons or not. A guest has no working folder, so its relative paths begin at `/`.
Several slashes are one, and one at the end says *folder*. `..` is left to whoever has the links
on the way: what it means cannot be told from the text.

>>> parse("web1:/etc/hosts").guest, parse("web1:etc/hosts").path, parse("./a:b").guest
('web1', '/etc/hosts', '')
>>> parse("web1:C:\\\\data\\\\f.txt").name
'f.txt'
"""

import re

from qga_cli.errors import UsageError

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Place:
    """One end of a copy. `guest` is "" for this host; `path` is "-" for a standard stream."""

    __slots__ = ("guest", "path", "windows")

    def __init__(self, guest: str, path: str) -> None:
        self.guest = guest
        self.path = path
        self.windows = bool(guest and _WINDOWS.match(path))

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.guest}:{self.path}" if self.guest else self.path

    @property
    def is_stream(self) -> bool:
        """Whether it is standard input or output."""
        return not self.guest and self.path == "-"

    @property
    def name(self) -> str:
        """The last part of the path; "" where there is none: `/`, `.`, `..`."""
        parts = [part for part in self._parts if part != "."]
        if not parts or parts[-1] == ".." or (self.windows and len(parts) == 1):
            return ""
        return parts[-1]

    @property
    def is_contents(self) -> bool:
        """Whether it can only mean what is in the folder: its last part is no name to go by."""
        return not self.name or self._parts[-1] == "."

    @property
    def is_folder(self) -> bool:
        """Whether it can only be a folder: `dir/`, `dir/.`, `..`."""
        return re.split(self._separator, self.path)[-1] in ("", ".", "..")

    @property
    def _parts(self) -> list[str]:
        return list(filter(None, re.split(self._separator, self.path)))

    @property
    def _separator(self) -> str:
        return r"[\\/]" if self.windows else "/"


def guest_place(text: str) -> Place:
    """The place in a guest that `text` names. Raises UsageError for any other."""
    place = parse(text)
    if not place.guest and "/" not in text and not text.startswith("."):
        raise UsageError(f"which file of {text}?", hint=f"{text}:/PATH")
    if not place.guest:
        raise UsageError(f"{text!r} names no guest", hint=f"VM:{text}")
    return place


def parse(text: str) -> Place:
    """The place `text` names. Raises UsageError."""
    if not text:
        raise UsageError("an empty path", hint="write VM:PATH, a path of this host, or -")
    guest, colon, path = text.partition(":")
    if not colon or text[0] in "/.":
        return Place("", text)
    if not guest:
        raise UsageError(
            f"no guest before the colon in {text!r}", hint=f"for a file of this host: ./{text}"
        )
    if not path:
        raise UsageError(f"no path after {text!r}", hint=f"{text}/ is the guest's root folder")
    if path[0] != "/" and not _WINDOWS.match(path):
        path = "/" + path
    return Place(guest, path)
