"""Which guests a word on the command line means.

    web1                one guest, by name, UUID or id
    web1,db1            several
    'web*'  '*'         every running guest whose name matches
    @group  HOST/VM     from the configuration; HOST may be a glob: '*/web*'

Only the syntax tells a fleet from one guest: a glob that matches one guest is still a fleet.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from qga_cli.errors import NoGuest, QgaError, UsageError
from qga_cli.transports import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports import Host, Transport

_GLOB = frozenset("*?[")
_CALLS_PER_CONNECTION = 4  # libvirt takes 5 at once (max_client_requests); one is for others


class Target:
    """One guest to address: where, and under which name. `label` is what the user sees."""

    __slots__ = ("label", "name", "uri")

    def __init__(self, uri: str | None, name: str, label: str) -> None:
        self.uri = uri
        self.name = name
        self.label = label


class Hosts:
    """The hosts of one run: `default` behind --connect, the others from the configuration."""

    def __init__(
        self,
        default: str | None,
        named: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._default = default
        self._named = named or {}
        self._groups = groups or {}
        self._open: dict[tuple[str | None, int], Host] = {}

    def resolve(self, text: str) -> list[Target]:
        """The guests `text` names, in its order, each once. Raises NoGuest, UsageError."""
        found: dict[tuple[str | None, str], Target] = {}
        for word in self._words(text, ()):
            for target in self._expand(word):
                found.setdefault((target.uri, target.name), target)
        if not found:
            raise NoGuest(f"no running guest matches {text!r}", hint="`qga list` shows them all")
        return list(found.values())

    def transport(self, target: Target, slot: int = 0) -> "Transport":
        """The way to a target's agent; `slot` spreads a fleet over connections."""
        return self._host(target.uri, slot // _CALLS_PER_CONNECTION).open(target.name)

    def close(self) -> None:
        """Close every connection."""
        for host in self._open.values():
            host.close()
        self._open.clear()

    def _words(self, text: str, inside: tuple[str, ...]) -> list[str]:
        words: list[str] = []
        for word in text.split(","):
            if not word:
                raise UsageError(f"an empty guest name in {text!r}")
            if not word.startswith("@"):
                words.append(word)
                continue
            if word[1:] not in self._groups:
                known = ", ".join(f"@{name}" for name in self._groups) or "none"
                raise UsageError(f"no group {word} in the configuration", hint=f"groups: {known}")
            if word in inside:
                raise UsageError(f"group {word} contains itself")
            for member in self._groups[word[1:]]:
                words += self._words(member, (*inside, word))
        return words

    def _expand(self, word: str) -> list[Target]:
        host, slash, name = word.rpartition("/")
        if not slash or (host not in self._named and not _GLOB & set(host)):
            return self._on_host(self._default, word, "")
        hosts = [known for known in self._named if fnmatchcase(known, host)]
        if not hosts:
            raise UsageError(f"no host matches {host!r} in the configuration")
        return [
            target for known in hosts for target in self._on_host(self._named[known], name, known)
        ]

    def _on_host(self, uri: str | None, name: str, host: str) -> list[Target]:
        prefix = f"{host}/" if host else ""
        if not _GLOB & set(name):
            return [Target(uri, name, prefix + name)]
        return [
            Target(uri, guest.name, prefix + guest.name)
            for guest in self._host(uri, 0).guests()
            if guest.state in ("running", "") and fnmatchcase(guest.name, name)
        ]

    def _host(self, uri: str | None, connection: int) -> "Host":
        key = (uri, connection)
        if key not in self._open:
            self._open[key] = connect(uri)
        return self._open[key]


def is_fleet(text: str) -> bool:
    """Whether `text` asks for fleet output: by its syntax, not by how many guests it finds."""
    return text.startswith("@") or "," in text or bool(_GLOB & set(text))


def blame(error: QgaError, target: Target) -> QgaError:
    """`error` with VM in its hint replaced by the guest's name, ready to be typed."""
    error.hint = error.hint.replace(" VM", f" {target.label}")
    return error
