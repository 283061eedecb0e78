"""The hosts of one run: who is open, and which guests the words on the command line mean."""

from __future__ import annotations

from qga_cli.errors import NoGuest
from qga_cli.guests.targets import Target, is_fleet, is_glob, selectors
from qga_cli.interrupt import Interrupt
from qga_cli.threads import Lock, all_within
from qga_cli.transports import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qga_cli.config import Config
    from qga_cli.guests.selection import Directory
    from qga_cli.guests.targets import Selector
    from qga_cli.policy.guard import Guard
    from qga_cli.transports import HostConnection, Transport

_GOODBYE = 1.5  # seconds for all hosts to be closed, each of which takes one at most


class Hosts:
    """`default` is the value of --connect, the others and the groups are from the configuration.

    `labels` (key=glob) and `state` narrow every choice of guests; `timeout` in seconds bounds
    the wait for each host. Every call to an agent passes `guard`.
    """

    def __init__(
        self,
        default: str | None,
        named: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        *,
        labels: Sequence[str] = (),
        state: str = "",
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        guard: Guard | None = None,
        say: Callable[[int, str], None] | None = None,
    ) -> None:
        self._say = say
        self._named = named or {}
        self._groups = groups or {}
        self._default = self._named.get(default or "", default)
        self._labels = labels
        self._state = state
        self._timeout = timeout
        self.interrupt = interrupt or Interrupt()
        self.guard = guard
        self._open: dict[str | None, HostConnection] = {}
        self._lock = Lock()

    def resolve(self, text: str, *, look_up: bool = False) -> list[Target]:
        """The guests `text` names, in its order, each once. Raises NoGuest, UsageError.

        One guest is not looked up yet, unless asked for: whoever opens it will. The names in a
        fleet are, so that nothing is sent to any when one is unknown.
        """
        if not (is_fleet(text) or self._labels or self._state or look_up):
            return [selector.target() for selector in self._selectors(text)]
        found = self.find(text, self._state)
        if not found:
            what = self._state.replace("-", " ") or "running"
            filters = "".join(f" with {label}" for label in self._labels)
            raise NoGuest(
                f"no {what} guest matches {text!r}{filters}", hint="`qga list` shows them all"
            )
        return found

    def named(self, text: str) -> list[Target]:
        """As `resolve`, but names are taken as they are: hosts are asked for patterns only."""
        wanted = self._selectors(text)
        if any(is_glob(selector.word) for selector in wanted):
            return self.resolve(text)
        return [selector.target() for selector in wanted]

    def find(
        self,
        text: str,
        state: str = "",
        *,
        host: Callable[[str | None], Directory] | None = None,
        timeout: float | None = None,
    ) -> list[Target]:
        """As `resolve`, but the hosts are always asked, and nothing found is an empty list.

        A host that cannot be asked is a target with an error, unless it is the only one. `host`
        gives those that are asked, if not ours directly; `timeout` is for this once.
        """
        from qga_cli.guests.selection import find

        return find(
            host or self.host, self._selectors(text), self.interrupt, timeout or self._timeout,
            state=self._state or state, labels=self._labels,
        )  # fmt: skip

    def places(self, text: str) -> dict[str | None, str]:
        """The hosts on which `text` names guests: what each is called, by its URI."""
        return {selector.uri: selector.place for selector in self._selectors(text)}

    def prefixes(self, text: str) -> dict[str | None, str]:
        """What stands before the names of guests, HOST or nothing, by their hosts' URIs: as `text`
        has it, and for other hosts as the configuration calls them first."""
        found: dict[str | None, str] = {}
        for selector in self._selectors(text):
            found.setdefault(selector.uri, selector.host)
        for name, uri in self._named.items():
            found.setdefault(uri, name)
        return found

    def all_beside(self, text: str) -> str:
        """A pattern for all guests of the hosts on which `text` names some."""
        hosts = {selector.host: None for selector in self._selectors(text)}
        return ",".join(f"{host}/*" if host else "*" for host in hosts)

    def host(self, uri: str | None) -> HostConnection:
        """The host at a target's `uri`."""
        with self._lock:
            if uri not in self._open:
                if self._say:
                    self._say(1, f"host: {uri or 'the default of libvirt'}")
                self._open[uri] = connect(uri)
            return self._open[uri]

    def transport(self, target: Target) -> Transport:
        """The way to a target's agent. Raises NoGuest, Unreachable."""
        if target.error:
            raise target.error
        transport = self.host(target.uri).open(target.name)
        return self.guard.wrap(transport, target.uri, target.name) if self.guard else transport

    def change(
        self,
        target: Target,
        how: str,
        work: Callable[[], object],
        told: Mapping[str, object] | None = None,
    ) -> None:
        """Do what is no agent call, but for a policy to judge and for a log, which gets `told`.

        Raises Forbidden, FileError, and what `work` does.
        """
        if not self.guard:
            work()
            return
        transport = self.host(target.uri).open(target.name)
        try:
            self.guard.wrap(transport, target.uri, target.name).change(how, work, told)
        finally:
            transport.close()

    def close(self) -> None:
        """Close every connection. Raises FileError when the audit file is not complete."""
        try:
            if self.guard:
                self.guard.close()
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close every connection, but no audit file. Takes 1.5 seconds at most."""
        hosts = list(self._open.values())
        self._open.clear()
        all_within(_GOODBYE, [host.close for host in hosts])

    def _selectors(self, text: str) -> list[Selector]:
        return selectors(text, self._default, self._named, self._groups)


def guarding(config: Config, audit: str = "") -> Guard | None:
    """What the configuration and --audit put before agents; nothing, as a rule.

    Raises FileError for an audit file that cannot be written.
    """
    if not (audit or config.guards):
        return None
    from qga_cli.policy.guard import guard

    return guard(config, audit)
