"""The [policy] tables: which command may go to which guest.

    [policy."db*"]                      in /etc/qga/config.toml only, by glob of guests' names
    allow = ["guest-get-*"]             nothing else; without this line everything
    deny = ["guest-exec*"]              not even if allowed
    read-only = true                    nothing that changes the guest

Every table whose glob matches must agree; what begins something passes where its end does, too.
What an agent answers even while frozen passes always: a policy must not keep anyone from a thaw.
A guest goes by libvirt's name for it, or by its CID.

A socket has only the name that a template makes of its path, and who runs us may bring a template
of his own. So names count that come from `connect` and [hosts] of the same file; any other socket
may be any guest's, and every table holds there.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from qga_cli import catalog
from qga_cli.config import SYSTEM
from qga_cli.errors import Forbidden
from qga_cli.wire import WHILE_FROZEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.config import Config, Setting

# What one command begins only another one can end: a program is asked for, a handle is closed.
_ENDED_BY = {"guest-exec": "guest-exec-status", "guest-file-open": "guest-file-close"}
_NAMELESS = (
    f"nobody vouches for which guest this socket is, so all tables hold; its path, or a template, "
    f"belongs into `connect` or [hosts] of {SYSTEM}"
)


class Policy:
    """The [policy] tables."""

    def __init__(self, config: Config) -> None:
        self._rules: dict[str, dict[str, Setting]] = {}
        self._vouched: dict[str, list[str]] = {}  # URIs of the administrator's, and his names
        for path, setting in config.settings.items():
            if path[0] == "policy":
                self._rules.setdefault(path[1], {})[path[2]] = setting
            elif path[0] in ("connect", "hosts") and setting.origin.startswith(f"{SYSTEM}:"):
                self._vouched.setdefault(setting.value, []).extend(path[1:])

    def names(self, uri: str, guest: str) -> Sequence[str]:
        """What a guest goes by; nothing for one that may be any. `guest`: what its way calls it."""
        if not uri.startswith("unix:"):
            return [guest]
        if uri not in self._vouched:
            return []
        file = os.path.basename(uri)
        return [guest] if guest else [*self._vouched[uri], file, os.path.splitext(file)[0]]

    def check(self, names: Sequence[str], command: str) -> None:
        """Raise Forbidden unless every table for a guest of these names lets the command pass."""
        if command in WHILE_FROZEN:
            return
        for pattern, rule in self._rules.items():
            if not names or any(fnmatchcase(name, pattern) for name in names):
                hint = _NAMELESS if not names and pattern != "*" else ""
                _check(rule, command, hint)
                if end := _ENDED_BY.get(command):
                    _check(rule, end, hint or f"{command} needs it, so it was not sent")


def _check(rule: dict[str, Setting], command: str, hint: str) -> None:
    allow, deny, read_only = (rule.get(name) for name in ("allow", "deny", "read-only"))
    broken = None
    if deny and _matches(command, deny.value):
        broken = deny
    elif allow and not _matches(command, allow.value):
        broken = allow
    elif read_only and read_only.value and _changes(command):
        broken = read_only
    if broken:
        raise Forbidden(f"{command} is denied by this host's policy ({broken.origin})", hint=hint)


def _matches(command: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(command, pattern) for pattern in patterns)


def _changes(command: str) -> bool:
    known = catalog.by_wire(command)
    return known is None or known.changes
