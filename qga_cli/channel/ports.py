"""The ports of one guest that we use, in the course of one run.

A port has a random name: no two qga ever plug the same one, which would spoil it (see
transports/libvirt_ports.py), and nobody can guess it. Who opens a port's stream has the port:
libvirt lets no second one in.

    plug ─▶ idle ─▶ open (a stream on the host, then a program in the guest) ─▶ idle, or unplugged
              ▲                                                                   │
              └── found by the next run ◀─────────────────────────────────────────┘

Open in the guest and without a stream on the host: its owner has died, or has ended less than a
second ago, see memory.py. A process that outlives us unplugs what is ours then, and ends the
program at the guest's end; should that have died too, the next run unplugs.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import threading

from qga_cli.channel import COMING, PREFIX, PROGRAM, memory
from qga_cli.channel.plugged import ours, sweep
from qga_cli.channel.port import InPort, OutPort
from qga_cli.commands.ping import COMMAND as PING
from qga_cli.errors import NoChannel, NotConnected, PortTaken, QgaError
from qga_cli.survivor import Survivor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.agent import Agent
    from qga_cli.transports.ports import Ports, PortStream

_TRIES = 10  # ports plugged for one that nobody else takes
STAY = 4  # idle ports that may stay in a guest for the next run
# Seconds to wait for ports: where they may not pay, where they do, where nothing else will do.
# libvirt waits 30 for a guest's lock.
QUICK, PATIENT, THOROUGH = 0.1, 3.0, 30.0


class Channel:
    """Takes ports and gives them back. `close` when the run is over. For one thread."""

    def __init__(
        self, ports: Ports, trace: Callable[[int, str], None], *, patience: float = QUICK
    ) -> None:
        self._ports = ports
        self._trace = trace
        self._patience = patience
        self._taken: list[InPort | OutPort] = []
        self._stay: list[str] = []  # names of those that were given back, and stay plugged
        self._search: Search | None = None

    @classmethod
    def to(cls, agent: Agent, patience: float = QUICK) -> Channel:
        """To this agent's guest. Raises NoChannel where no port can be plugged."""
        ports = agent.transport.ports()
        if ports is None:
            raise NoChannel("only libvirt's guests can be given a port")
        return cls(ports, agent.trace, patience=patience)

    def take(self, reading: int, writing: int = 0) -> tuple[list[InPort], list[OutPort]]:
        """So many open ports to read from, and to write to. Raises NoChannel, Forbidden.

        It does not wait for long: a port that is plugged too late is there for the next run.
        """
        if self._search is None:
            self._search = Search(self._ports, self._trace)
        found = self._search.find([False] * reading + [True] * writing, self._patience)
        incoming = [InPort(name, stream) for name, stream in found[:reading]]
        outgoing = [OutPort(name, stream) for name, stream in found[reading:]]
        self._taken += [*incoming, *outgoing]
        self._trace(1, f"through ports of ours: {', '.join(name for name, _ in found)}")
        return incoming, outgoing

    def give_back(self, port: InPort | OutPort, *, clean: bool = True) -> None:
        """Close it. It may stay, idle, if the guest's program has let go of it as it should."""
        self._taken.remove(port)
        try:
            if not (clean and port.at_rest) or len(self._ports.plugged(PREFIX)) > STAY:
                self._ports.unplug(port.name)
            else:
                self._stay.append(port.name)
        except QgaError as error:  # the guest is gone, or its host: nothing is left to unplug
            self._trace(1, str(error))
        port.close()

    def closed_in_guest(self) -> None:
        """The guest's program has ended: the next run need not wait until libvirt has heard it."""
        memory.note_closed(self._stay)
        self._stay.clear()

    def is_open(self, port: InPort | OutPort) -> bool:
        """Whether somebody in the guest has it open just now."""
        return any(one.is_open for one in self._ports.plugged(port.name))

    def unplug(self, port: InPort | OutPort) -> None:
        """Unplug it under whoever has it open in the guest; it is to be given back still."""
        with contextlib.suppress(NoChannel):  # the guest is gone, or its host
            self._ports.unplug(port.name)

    def entrust(self, mark: str) -> None:
        """Have a program ended, the one with this mark, should we die; "" for none any more."""
        if self._search:
            self._search.tell(f"{PROGRAM}{mark}")

    def close(self) -> None:
        """Unplug the ports that we still have, and those that dead owners left."""
        for port in list(self._taken):
            self.give_back(port, clean=False)
        if self._search is None:
            return
        ours = self._search.names
        if self._search.close():
            with contextlib.suppress(QgaError):  # whoever comes next looks again
                sweep(self._ports, self._trace, ours)
        self._search = None


class Search:
    """Finds ports in a thread of its own, and keeps the survivor that knows their names.

    libvirt may keep a call that plugs for half a minute; whoever waits can turn away from it.
    """

    def __init__(self, ports: Ports, trace: Callable[[int, str], None]) -> None:
        self.names: set[str] = set()
        self._ports = ports
        self._trace = trace
        self._survivor: Survivor | None = None
        self._lock = threading.Lock()
        self._working = self._late = self._closed = False

    def find(self, wanted: list[bool], patience: float) -> list[tuple[str, PortStream]]:
        """One open port for each that is wanted, True for one to write to."""
        box: queue.SimpleQueue[list[tuple[str, PortStream]] | QgaError] = queue.SimpleQueue()
        self._working = True
        threading.Thread(target=self._work, args=(wanted, box), daemon=True).start()
        with contextlib.suppress(queue.Empty):
            return _value(box.get(timeout=patience))
        with self._lock:
            if self._working:
                self._late = True
                raise NoChannel(f"the host plugs no port within {patience:g} s")
        return _value(box.get())

    def close(self) -> bool:
        """Let the survivor go; False when that has to wait for a port that is late."""
        with self._lock:
            self._closed = True
            if not self._working and self._survivor:
                self._survivor.release()
            return not self._working

    def _work(
        self,
        wanted: list[bool],
        box: queue.SimpleQueue[list[tuple[str, PortStream]] | QgaError],
    ) -> None:
        """Put them into the box, or what is in the way; close them when that comes too late."""
        found: list[tuple[str, PortStream]] = []
        answer: list[tuple[str, PortStream]] | QgaError = found
        try:
            # Two threads on one connection may miss each other's calls: see libvirt_ports.py.
            ports = self._ports.apart()
            try:
                self._fetch(ports, wanted, found)
            finally:
                ports.close()
        except QgaError as error:
            answer = error
        with self._lock:
            self._working = False
            if self._late:
                for _, stream in found:
                    stream.close()
            if self._late and self._closed and self._survivor:
                self._survivor.release()
            box.put(answer)

    def _fetch(self, ports: Ports, wanted: list[bool], found: list[tuple[str, PortStream]]) -> None:
        if any(wanted):
            ports.check_writing()
        idle = [port.name for port in ours(ports) if not port.is_open]
        self._begin()
        random.shuffle(idle)  # others choose just now too
        try:
            for writing in wanted:  # one by one: what was found before an error is dropped
                found.append(  # noqa: PERF401
                    self._reuse(ports, idle, writing) or self._plug(ports, writing)
                )
        except QgaError:
            drop(ports, found)
            found.clear()
            raise

    def _reuse(self, ports: Ports, idle: list[str], writing: bool) -> tuple[str, PortStream] | None:
        while idle:
            name = idle.pop()
            try:
                stream = ports.open(name, writing=writing)
            except PortTaken:
                continue  # by another qga, a moment ago
            except NoChannel as error:  # it has been unplugged
                self._trace(1, str(error))
                continue
            self._entrust(name)
            return name, stream
        return None

    def _plug(self, ports: Ports, writing: bool) -> tuple[str, PortStream]:
        if not ports.may_plug():
            raise NoChannel("another work holds the guest (a migration, save or dump)")
        for _ in range(_TRIES):
            name = PREFIX + os.urandom(8).hex()
            self._entrust(f"{COMING}{name}")
            ports.plug(name)
            self._entrust(name)
            self._trace(1, f"port {name} is plugged into the guest")
            try:
                return name, ports.open(name, writing=writing)
            except PortTaken:  # another qga that looks for idle ones was faster
                continue
        raise NoChannel(f"each of {_TRIES} new ports was taken by another qga")

    def _begin(self) -> None:
        if self._survivor:
            return
        words = [self._ports.uri or "", self._ports.guest, *self._ports.audit, "--"]
        try:
            self._survivor = Survivor("qga_cli.channel.reaper", words)
        except OSError as error:  # too many processes or files
            said = f"nothing can be started that would unplug it: {error.strerror}"
            raise NoChannel(said) from error

    def _entrust(self, word: str) -> None:
        self.tell(word)
        self.names.add(word)  # the guest may let go of it a moment after us

    def tell(self, word: str) -> None:
        """One word for the survivor, if there is one by now."""
        if self._survivor:
            self._survivor.tell(word)


def _value(found: list[tuple[str, PortStream]] | QgaError) -> list[tuple[str, PortStream]]:
    if isinstance(found, QgaError):
        raise found
    return found


def obstacle(agent: Agent) -> str:
    """Why ports are not even tried for without an order to; "" when they are."""
    ports = agent.transport.ports()
    if ports is None:
        return "no channel: only libvirt's guests can be given a port"
    if not ports.near():
        return "no channel: each port would cost a login over ssh"
    known = memory.forbids(ports.boot())
    return known and f"no channel, as before: {known}"


def lost(agent: Agent, error: QgaError) -> QgaError:
    """What to say of a port that is gone: the guest or its agent may tell more than `error`."""
    try:
        agent.call(PING)
    except NotConnected as failure:  # it was there a moment ago
        return failure.add(
            hint="it was stopped, or the guest is restarting: `qga wait VM` waits for it"
        )
    except QgaError as failure:
        return failure
    return error


def drop(ports: Ports, found: list[tuple[str, PortStream]]) -> None:
    """Close ports that nobody has used; a few of them may stay."""
    many = len(ports.plugged(PREFIX))
    for name, stream in found:
        if many > STAY:
            ports.unplug(name)  # while it is ours: another qga takes what is idle
            many -= 1
        stream.close()
