"""The configuration: /etc/qga/config.toml, then $XDG_CONFIG_HOME/qga/config.toml over it.

    connect = "qemu:///system"          the host when neither --connect nor QGA_CONNECT says one
    [hosts]                             HOST = URI, for HOST/VM
    [groups]                            NAME = ["web*", "db1"], for @NAME
    [defaults]                          OPTION = VALUE, for every command that has the option
    [defaults.exec]                     for one command; [defaults.fs.list] for one in a group
    [aliases]                           NAME = "a command line"
    [policy."GLOB"] [audit]             in /etc/qga only: see policy/guard.py

Each value keeps its origin, file and line. Reading a file is in file.py: most runs have
none to read.
"""

from __future__ import annotations

import os

from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SYSTEM = "/etc/qga/config.toml"


class Setting:
    """One value and where it was written: `/etc/qga/config.toml:7`."""

    __slots__ = ("origin", "value")

    def __init__(self, value: Any, origin: str) -> None:
        self.value = value
        self.origin = origin


class Config:
    """All settings by their path: ("hosts", "alpha"), ("defaults", "exec", "timeout")."""

    def __init__(self, settings: Mapping[tuple[str, ...], Setting] | None = None) -> None:
        self.settings = dict(settings or {})

    def get(self, *path: str) -> Any:
        """The value at `path`, None when it is not set."""
        setting = self.settings.get(path)
        return setting.value if setting else None

    def has(self, top: str) -> bool:
        """Whether anything is set in a top-level table."""
        return any(path[0] == top for path in self.settings)

    @property
    def guards(self) -> bool:
        """Whether something stands before each call: a policy, an audit file."""
        return self.has("policy") or self.has("audit")

    def table(self, *path: str) -> dict[str, Setting]:
        """The settings directly in a table, by their last name."""
        length = len(path)
        return {
            name[-1]: setting
            for name, setting in self.settings.items()
            if len(name) == length + 1 and name[:length] == path
        }

    def values(self, *path: str) -> dict[str, Any]:
        """The values directly in a table, by their last name."""
        return {name: setting.value for name, setting in self.table(*path).items()}

    def alias(self, name: str) -> list[str]:
        """The words that an alias stands for; none where there is none of that name. Raises
        UsageError."""
        alias = self.settings.get(("aliases", name))
        if alias is None:
            return []
        import shlex  # 3 ms, for an alias alone

        try:
            return shlex.split(alias.value)
        except ValueError as error:
            raise UsageError(f"{alias.origin}: alias {name}: {error}") from error


def paths() -> list[str]:
    """The files that are read, in this order; later ones win."""
    own = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return [SYSTEM, os.path.join(own, "qga", "config.toml")]


def load(files: Sequence[str] | None = None) -> Config:
    """What the files say; missing ones say nothing. Raises UsageError with file and line."""
    config = Config()
    for path in paths() if files is None else files:
        if _is_there(path):
            from qga_cli.config.file import read

            for name, (value, origin) in read(path, SYSTEM).items():
                config.settings[name] = Setting(value, origin)
    return config


def _is_there(path: str) -> bool:
    """Whether to read it. One that cannot be looked at may hold a policy: reading it fails, and so
    it does where a link leads to what is not there just now."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        links = os.path.islink(path) or os.path.islink(os.path.dirname(path))
        return path == SYSTEM and links
    except OSError:
        return path == SYSTEM
    return True
