"""Which guests a word on the command line means. Pure text: nobody is asked here.

    web1                one guest, by name, UUID or id
    web1,db1            several
    'web*'  '*'         every running guest whose name matches
    @group  HOST/VM     from the configuration; HOST may be a glob: '*/web*'
    web1.qga            web1, as `qga ssh config` has ssh call it

Only the syntax tells a fleet from one guest: a glob that matches one guest is still a fleet.
"""

from __future__ import annotations

from qga_cli.errors import QgaError, UsageError
from qga_cli.hostpath import rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qga_cli.transports import ListedGuest

SUFFIX = ".qga"  # of guests' names in ssh's world: `qga ssh config`
_GLOB = frozenset("*?[")


class Target:
    """One guest to address: where, and under which name. `label` is what the user sees.

    `state` is the guest's when its host was asked, else "". With `error` it stands for a whole
    host that could not be asked.
    """

    __slots__ = ("error", "label", "name", "state", "uri")

    def __init__(
        self,
        uri: str | None,
        name: str,
        label: str,
        state: str = "",
        error: QgaError | None = None,
    ) -> None:
        self.uri = uri
        self.name = name
        self.label = label
        self.state = state
        self.error = error

    def from_root(self) -> Target:
        """The same, for a process that works in /."""
        if not (self.uri and self.uri.startswith("unix:")):
            return self
        uri = f"unix:{rooted(self.uri.removeprefix('unix:'))}"
        return Target(uri, self.name, self.label, self.state, self.error)

    def typable(self, hint: str) -> str:
        """`hint` with this guest for VM, as a shell wants it; virsh knows hosts by URI only.

        A node of Proxmox has no virsh: `qm` has the same words, and takes VMIDs only.
        """
        if " VM" not in hint:
            return hint
        import re

        known = self.uri and not self.uri.startswith(("unix:", "vsock:"))  # to virsh
        virsh = f"virsh -c {_word(self.uri)}" if self.uri and known else "virsh"

        def fill(match: re.Match[str]) -> str:
            if match[1] and self.uri == "pve":
                return f"qm {match[1]} {self.name if self.name.isdecimal() else 'VMID'}"
            if match[1]:
                return f"{virsh} {match[1]} {_word(self.name)}"
            return f" {_word(self.label)}"

        return re.sub(r"(?:virsh (\S+))? VM\b", fill, hint)


class Selector:
    """One word, on one host: `host` is that host's name in the configuration, "" for none."""

    __slots__ = ("host", "uri", "word")

    def __init__(self, uri: str | None, word: str, host: str = "") -> None:
        self.uri = uri
        self.word = word
        self.host = host

    @property
    def label(self) -> str:
        """The word as a user types it."""
        return f"{self.host}/{self.word}" if self.host else self.word

    @property
    def place(self) -> str:
        """What its host is called."""
        return self.host or self.uri or "libvirt"

    def target(self, guest: ListedGuest | None = None) -> Target:
        """The guest it means: `guest`, or the one that has this name."""
        if guest is None:
            return Target(self.uri, self.word, self.label)
        shown = guest.name if is_glob(self.word) else self.word
        label = f"{self.host}/{shown}" if self.host else shown
        return Target(self.uri, guest.name, label, guest.state)


def is_fleet(text: str) -> bool:
    """Whether `text` asks for fleet output: by its syntax, not by how many guests it finds."""
    return text.startswith("@") or "," in text or is_glob(text)


def is_glob(word: str) -> bool:
    """Whether a word is a pattern. A guest with such a character in its name goes by its UUID."""
    return not _GLOB.isdisjoint(word)


def selectors(
    text: str,
    default: str | None,
    hosts: Mapping[str, str],
    groups: Mapping[str, Sequence[str]],
) -> list[Selector]:
    """The words of `text` with groups and hosts filled in. Raises UsageError."""
    return [
        selector
        for word in _words(text, groups, ())
        for selector in _on_hosts(word, default, hosts)
    ]


def _word(text: str) -> str:
    import shlex

    return ("-- " if text.startswith("-") else "") + shlex.quote(text)


def _words(text: str, groups: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> list[str]:
    words: list[str] = []
    for word in text.split(","):
        if not word:
            raise UsageError(f"an empty guest name in {text!r}")
        if not word.startswith("@"):
            words.append(word)
            continue
        if word[1:] not in groups:
            known = ", ".join(f"@{name}" for name in groups) or "none"
            raise UsageError(f"no group {word} in the configuration", hint=f"groups: {known}")
        if word in inside:
            raise UsageError(f"group {word} contains itself")
        for member in groups[word[1:]]:
            words += _words(member, groups, (*inside, word))
    return words


def _on_hosts(word: str, default: str | None, hosts: Mapping[str, str]) -> list[Selector]:
    word = word.removesuffix(SUFFIX) or word
    host, slash, name = word.rpartition("/")
    if not slash or (host not in hosts and not is_glob(host)):
        return [Selector(default, word)]
    if not name:
        raise UsageError(f"{word!r} names a host and no guest", hint=f"{word}'*' is all of them")
    known = [host]
    if is_glob(host):
        from fnmatch import fnmatchcase

        known = [one for one in hosts if fnmatchcase(one, host)]
    if not known:
        names = ", ".join(hosts) or "none"
        raise UsageError(f"no host matches {host!r} in the configuration", hint=f"hosts: {names}")
    return [Selector(hosts[one], name, one) for one in known]
