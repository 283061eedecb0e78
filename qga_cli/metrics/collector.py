"""Asks all guests at once, each at most every few seconds, none waiting for another."""

from __future__ import annotations

import threading
import time

from qga_cli.errors import FileError, NoGuest, QgaError, UsageError
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import is_glob
from qga_cli.interrupt import Interrupt
from qga_cli.metrics.once import Once
from qga_cli.metrics.reading import GuestReader, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.guests.hosts import Hosts
    from qga_cli.guests.targets import Target
    from qga_cli.transports import HostConnection, ListedGuest, Transport
    from qga_cli.transports.counters import Counters
    from qga_cli.transports.libvirt_xml import GuestFacts

_STUCK = 2  # calls for one host's counters that may hang before no further one is begun

_AGAIN = 2.0  # seconds for the call after one that hangs, which passes over what holds it
_GONE = 3600.0  # seconds after which a guest that nobody has asked about is forgotten


class Look:
    """What one round has found: each host, with what keeps us from it, and each guest.

    `counters` are the hosts', by guest; `taken` is when that was (time.monotonic), `took` how many
    seconds all of it lasted.
    """

    __slots__ = ("counters", "hosts", "readings", "taken", "took")

    def __init__(self, hosts: dict[str, QgaError | None], readings: Sequence[Reading]) -> None:
        self.hosts = hosts
        self.readings = readings
        self.counters: dict[str, Counters] = {}
        self.taken = time.monotonic()
        self.took = 0.0


class Collector:
    """Looks at guests, for several threads at once.

    A guest has `patience` seconds, a host too. What is younger than `keep` seconds is not asked
    again.
    """

    def __init__(self, hosts: Hosts, *, parallel: int, patience: float, keep: float = 0.0) -> None:
        self._hosts = hosts
        self._parallel = parallel
        self._patience = patience
        self._keep = keep
        self._readers: dict[tuple[str | None, str], GuestReader] = {}
        self._shared: dict[str | None, SharedHost] = {}
        self._lock = threading.Lock()

    def look(
        self,
        text: str,
        interrupt: Interrupt,
        within: float | None = None,
        *,
        among: str | None = None,
    ) -> Look:
        """Look at the guests that `text` names, running or not, for `within` seconds at most.

        `among`, for a stranger's `text`: at no others than this names; "" is all that hosts list.
        However a guest is named, it is called by its host and its real name, as others ask for it
        too. Raises NoGuest, UsageError; FileError when the audit file cannot be written.
        """
        begun = time.monotonic()
        places = self._hosts.places(text)
        hosts: dict[str, QgaError | None] = dict.fromkeys(places.values())
        try:
            found = self._find(text, among, self._limit(within))
        except (NoGuest, UsageError, FileError):
            raise
        except QgaError as error:  # there is one host, and it cannot be asked
            found = []
            hosts = dict.fromkeys(places.values(), error)
        for target in found:
            if target.error:
                hosts[target.label] = target.error
        targets = [target for target in found if not target.error]
        prefixes = self._hosts.prefixes(text if among is None else among or "*")
        for target in targets:
            prefix = prefixes.get(target.uri)
            target.label = f"{prefix}/{target.name}" if prefix else target.name
        taken = time.monotonic()
        tallies = {uri: self._host(uri).count() for uri in {target.uri for target in targets}}
        end = None if within is None else begun + within
        look = Look(hosts, self._read(targets, interrupt, end))
        look.taken = taken
        until = taken + self._limit(within)
        counted = {uri: self._counted(uri, tally, until, end) for uri, tally in tallies.items()}
        for target in targets:
            counters = counted[target.uri].get(target.name)
            if counters:
                look.counters[target.label] = counters
        look.took = time.monotonic() - begun
        return look

    def _find(self, text: str, among: str | None, limit: float) -> list[Target]:
        """The guests that `text` names. Raises NoGuest for one by name that is not `among` those.

        No host is asked but theirs. A host may know guests by words that are no names of theirs.
        """
        if among is None:
            return self._hosts.find(text, "all", host=self._host, timeout=limit)
        if among and not self._hosts.places(text).keys() <= self._hosts.places(among).keys():
            raise NoGuest(f"{text!r} names guests of other hosts than {among!r}")
        everyone = among or self._hosts.all_beside(text)
        ours = self._hosts.find(everyone, "all", host=self._host, timeout=limit)
        known = {(target.uri, target.name) for target in ours if not target.error}
        found = self._hosts.find(text, "all", host=self._host, timeout=limit)
        inside = [target for target in found if target.error or (target.uri, target.name) in known]
        if len(inside) < len(found) and not is_glob(text):
            raise NoGuest(f"{text!r} names guests that {everyone!r} does not")
        return inside

    def _counted(
        self, uri: str | None, tally: Tally, until: float, end: float | None
    ) -> dict[str, Counters]:
        """What a host has counted; of one that a stuck QEMU holds, what the others have."""
        counted = tally.result(until - time.monotonic())
        if not tally.is_alive():
            return counted
        left = _AGAIN if end is None else min(_AGAIN, end - time.monotonic())
        return self._host(uri).count().result(left)

    def _read(
        self, targets: Sequence[Target], interrupt: Interrupt, end: float | None
    ) -> list[Reading]:
        readers = [self._reader(target) for target in targets]
        readings = [
            reader.recent(target, self._keep)
            for reader, target in zip(readers, targets, strict=True)
        ]
        limit = self._limit(None if end is None else end - time.monotonic())
        stale = [index for index, reading in enumerate(readings) if reading is None]
        fleet = Fleet(
            [targets[index] for index in stale],
            lambda number, _: readers[stale[number]].read(limit),
            interrupt,
            parallel=self._parallel,
            limit=limit,
        )
        for number, outcome in fleet.outcomes():
            index, error = stale[number], outcome.error
            if isinstance(error, QgaError) and not isinstance(error, FileError):
                readings[index] = readers[index].failed(targets[index], error, limit)
            elif error:  # a bug, or the audit file: it says nothing about the guest
                if isinstance(error, FileError):
                    error.guest = None
                raise error
            else:
                readings[index] = outcome.value
            if end is not None and time.monotonic() > end - limit:
                fleet.stop()
        return [
            reading or _not_asked(target) for reading, target in zip(readings, targets, strict=True)
        ]

    def _limit(self, left: float | None) -> float:
        """Time limit in seconds for one guest or host, out of what is left for all."""
        return self._patience if left is None else max(0.1, min(self._patience, left / 2))

    def _reader(self, target: Target) -> GuestReader:
        with self._lock:
            key = target.uri, target.name
            if key not in self._readers:
                for one in [one for one, reader in self._readers.items() if reader.idle > _GONE]:
                    del self._readers[one]
                self._readers[key] = GuestReader(self._hosts, target, self._patience)
            return self._readers[key]

    def _host(self, uri: str | None) -> SharedHost:
        with self._lock:
            if uri not in self._shared:
                self._shared[uri] = SharedHost(self._hosts.host(uri), self._patience)
            return self._shared[uri]


class SharedHost:
    """A Directory for several threads, of which none must wait for a host that hangs."""

    def __init__(self, host: HostConnection, patience: float) -> None:
        host.spread()
        self._host = host
        self._patience = patience
        self._once = Once()
        self._tallies: list[Tally] = []
        self._lock = threading.Lock()

    def guests(self) -> list[ListedGuest]:
        found: list[ListedGuest] = self._once.do(self._host.guests, self._patience)
        return found

    def facts(self, name: str) -> GuestFacts | None:
        return self._host.facts(name)

    def open(self, name: str) -> Transport:
        return self._host.open(name)

    def count(self) -> Tally:
        """Have it count, meanwhile.

        A stuck QEMU may hold one such call until it goes on; the next call passes over it.
        """
        with self._lock:
            self._tallies = [one for one in self._tallies if one.is_alive()]
            tally = Tally(self._host)
            if len(self._tallies) < _STUCK:
                self._tallies.append(tally)
                tally.start()
            return tally


class Tally(threading.Thread):
    """A host's counters, awaited for a while."""

    def __init__(self, host: HostConnection) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._counted: dict[str, Counters] = {}

    def run(self) -> None:
        """Read the counters."""
        try:
            self._counted = self._host.counters()
        except QgaError:
            return  # that the host cannot be asked is told where its guests are listed

    def result(self, seconds: float) -> dict[str, Counters]:
        """What was counted; nothing if it has not come after so many seconds."""
        if self.ident is not None:
            self.join(max(0.0, seconds))
        return self._counted


def _not_asked(target: Target) -> Reading:
    """The reading of a guest that could not be asked in time."""
    reading = Reading(target)
    reading.agent = "not asked"
    return reading
