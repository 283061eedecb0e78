"""Agents of libvirt's guests, through virDomainQemuAgentCommand.

libvirt does its own guest-sync, carries replies up to 4 MiB (REMOTE_STRING_MAX) and requests up
to its socket buffer, and breaks for good past 10 MiB (QEMU_AGENT_MAX_RESPONSE): chunks stay far
below both.
"""

from __future__ import annotations

import time

from qga_cli.errors import NoGuest, QgaError, Unsupported
from qga_cli.threads import Lock
from qga_cli.transports import ListedGuest
from qga_cli.transports.libvirt_calls import (
    INVALID_ARG,
    MIGRATION_IN,
    MIGRATION_OUT,
    NO_DOMAIN,
    NO_SUPPORT,
    STATS_STATE,
    LibvirtError,
)
from qga_cli.transports.libvirt_link import Link, close_connections, host_error, is_remote
from qga_cli.wire import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qga_cli.transports.counters import Counters
    from qga_cli.transports.libvirt_calls import Domain, LibvirtConnection
    from qga_cli.transports.libvirt_ports import LibvirtPorts
    from qga_cli.transports.libvirt_xml import GuestFacts

_STATES = (
    "no state", "running", "blocked", "paused", "shutting down", "shut off", "crashed",
    "suspended",
)  # fmt: skip
_MOVES = (2, 11)  # VIR_DOMAIN_PAUSED_MIGRATION and _POSTCOPY
_NOT_FOUND = (NO_DOMAIN, INVALID_ARG)  # the second for what cannot be a UUID
_AGENTS = 4  # on one connection: libvirt takes 5 calls at once (max_client_requests)
_LONGEST = 2**31 - 1  # seconds: libvirt takes an int
_MAX_REQUEST = 200_000  # bytes of one line: above it qemuAgentIOWrite garbles it (safewrite)


class LibvirtHost:
    """A libvirt host, connected when first needed. `uri` None lets libvirt choose.

    A connection carries few calls at once, so agents are spread over as many as it takes.
    """

    def __init__(self, uri: str | None) -> None:
        self.uri = uri or ""
        self._uri = uri
        self._links = [Link(uri)]
        self._room = _AGENTS
        self._reserved = 0  # of the links, for questions about the host
        self._lock = Lock()

    def guests(self) -> list[ListedGuest]:
        """Every domain, running or not, by name."""
        connection = self.connection()
        try:
            try:
                found = connection.domain_stats(STATS_STATE, 0)  # one round trip for all
                states = [(domain, stats["state.state"]) for domain, stats in found]
            except LibvirtError as error:
                if error.code != NO_SUPPORT:
                    raise
                states = [(domain, domain.state()[0]) for domain in connection.domains()]
        except LibvirtError as error:
            raise host_error(error, self._uri) from error
        guests = [_guest(domain, state) for domain, state in states]
        return sorted(guests, key=lambda guest: guest.name)

    def open(self, name: str) -> LibvirtTransport:
        """The agent of a guest by name, UUID or id, in this order."""
        link = self._lease()
        try:
            domain = self._look_up(link.connection(), name)
        except BaseException:
            self._give_back(link)
            raise
        return LibvirtTransport(domain, lambda: self._give_back(link), self._uri)

    def facts(self, name: str) -> GuestFacts:
        """What the domain's XML says about the guest."""
        from qga_cli.transports.libvirt_xml import read_facts

        return read_facts(self.domain(name))

    def counters(self) -> dict[str, Counters]:
        """Those of libvirt, all in one call, which may hang: on a connection of its own."""
        from qga_cli.transports.libvirt_stats import counters

        link = self._lease(_AGENTS)
        try:
            return counters(link.connection())
        finally:
            self._give_back(link, _AGENTS)

    def spread(self) -> None:
        """One agent on a connection, and none on the first; over a network it is few, as ever.

        Until libvirt 10.2 a thread's call may not be heard before that of another one, which hangs,
        is answered: see libvirt_ports.
        """
        self._room = _AGENTS if is_remote(self._uri) else 1
        self._reserved = 1

    def watch(self, wake: Callable[[str], None]) -> bool:
        """Call `wake` with a guest's name whenever it, or its agent, comes or goes."""
        from qga_cli.transports.libvirt_events import watch

        return watch(self._uri, wake)

    def about(self) -> str:
        """Which host answers, and its release. Raises Unreachable."""
        connection = self.connection()
        try:
            number = connection.release()
        except LibvirtError as error:
            raise host_error(error, self._uri) from error
        release = f"{number // 10**6}.{number // 1000 % 1000}.{number % 1000}"
        return f"{connection.uri()}, libvirt {release}"

    def connection(self) -> LibvirtConnection:
        """The first connection, for questions about the host."""
        return self._links[0].connection()

    def domain(self, name: str) -> Domain:
        """The domain of this name, UUID or id. Raises NoGuest, Unreachable."""
        return self._look_up(self.connection(), name)

    def close(self) -> None:
        """Close the connections. Takes a second at most."""
        close_connections(filter(None, [link.let_go() for link in self._links]))

    def _lease(self, share: int = 1) -> Link:
        """A connection with room for one more agent, which now counts; with `share`, for more."""
        with self._lock:
            room = max(self._room, share) - share
            links = self._links[self._reserved :]
            link = next((link for link in links if link.users <= room), None)
            if link is None:
                link = Link(self._uri)
                self._links.append(link)
            link.users += share
            return link

    def _give_back(self, link: Link, share: int = 1) -> None:
        with self._lock:
            link.users -= share

    def _look_up(self, connection: LibvirtConnection, name: str) -> Domain:
        lookups: list[Callable[[str], Domain]] = [connection.domain_by_name]
        if len(name) in (32, 36):
            lookups.append(connection.domain_by_uuid)
        if name.isdecimal() and len(name) < 10:
            lookups.append(lambda number: connection.domain_by_id(int(number)))
        for lookup in lookups:
            try:
                return lookup(name)
            except ValueError:  # bytes that are no text, or a NUL: libvirt has no such name
                break
            except LibvirtError as error:
                if error.code not in _NOT_FOUND:
                    raise host_error(error, self._uri) from error
        raise NoGuest(f"no guest named {name!r}", hint=self._hint(connection, name))

    def _hint(self, connection: LibvirtConnection, name: str) -> str:
        import difflib

        if "/" in name:  # which libvirt allows in no name
            return "HOST/VM needs HOST in [hosts] of the configuration: see `qga config show`"
        try:
            guests = self.guests()
            where = connection.uri()
        except QgaError:
            return ""
        ends = (f"{name}:", f"{name},", f"{name}.qga")  # VM:PATH, VM,VM, and as ssh has it
        longer = next((one for one in guests if one.name.startswith(ends)), None)
        if longer:
            return (
                "a colon, a comma or a last .qga is no part of a name here; "
                f"guest {longer.name!r} can be named by its UUID: {longer.uuid}"
            )
        close = difflib.get_close_matches(name, [guest.name for guest in guests], 3)
        if close:
            return "did you mean " + " or ".join(close) + "?"
        count = f"{len(guests)} guests" if len(guests) != 1 else "1 guest"
        return f"{where} has {count}; see `qga list`, or choose another host with --connect"


class LibvirtTransport:
    """One domain's agent."""

    read_chunk = 2**20
    write_chunk = 120 * 1024
    program: Sequence[str] = ()
    audit: Sequence[str] = ()

    def __init__(
        self,
        domain: Domain,
        release: Callable[[], None],
        uri: str | None = None,
    ) -> None:
        self._domain = domain
        self._uri = uri
        self._release: Callable[[], None] | None = release

    def call(self, text: str, timeout: float) -> str:
        """See Transport.call. libvirt counts whole seconds, so they are rounded up."""
        if name_of(text) == "guest-sync-delimited":
            raise Unsupported(
                "guest-sync-delimited cannot pass through libvirt: its 0xFF byte ends the "
                "guest's agent link",
                hint="use `qga sync`, or a raw socket (-c unix:PATH)",
            )
        if len(text) > _MAX_REQUEST:
            raise Unsupported(
                f"a request of {len(text):,} bytes does not pass through libvirt "
                f"(at most {_MAX_REQUEST:,})"
            )
        seconds = max(1, -int(-min(timeout, _LONGEST) // 1))  # rounded up
        started = time.monotonic()
        try:
            return self._domain.ask_agent(text, seconds)
        except LibvirtError as error:
            raise self._error(error, time.monotonic() - started, seconds) from error
        except UnicodeDecodeError as error:
            # libvirt-python decodes the message strictly, and the message quotes the agent.
            raise self._error(None, time.monotonic() - started, seconds) from error

    def resync(self) -> None:
        """libvirt synchronises by itself."""

    def identity(self) -> tuple[str, str]:
        """libvirt's name for the domain, whatever it was addressed by."""
        try:
            return self._domain.connection.uri(), self._domain.name()
        except LibvirtError as error:
            raise host_error(error, None) from error

    def state(self) -> str:
        """The domain's run state in virsh's words, or migrating; "gone" when it is no more."""
        try:
            number, reason = self._domain.state()
        except LibvirtError as error:
            return "gone" if error.code in _NOT_FOUND else ""
        state = _STATES[number]
        # For the last step of a migration it is paused too, and not for anybody to resume.
        moves = reason in _MOVES if state == "paused" else state == "running" and self._migrating()
        return "migrating" if moves else state

    def ports(self) -> LibvirtPorts:
        """Those of the domain."""
        from qga_cli.transports.libvirt_ports import LibvirtPorts

        return LibvirtPorts(self._domain, self._uri)

    def close(self) -> None:
        """Make room on the connection, which belongs to the host."""
        if self._release:
            self._release()
            self._release = None

    def _migrating(self) -> bool:
        try:
            return self._domain.job_operation() in (MIGRATION_IN, MIGRATION_OUT)
        except LibvirtError:
            return False  # a driver without jobs

    def _error(self, error: LibvirtError | None, elapsed: float, timeout: int) -> QgaError:
        from qga_cli.transports.libvirt_errors import translate

        return translate(error, elapsed=elapsed, timeout=timeout, state=self.state)


def _guest(domain: Domain, state: int) -> ListedGuest:
    return ListedGuest(domain.name(), domain.uuid(), domain.id(), _STATES[state])
