"""The host's end of a tunnel, and how a guest comes to have the other one."""

from __future__ import annotations

import os
import queue
import re
import select
import threading
import time

from qga_cli.errors import BadReply, Interrupted, OutcomeUnknown, QgaError, TimedOut, Unsupported
from qga_cli.inside import modules, network, script
from qga_cli.inside.network.frames import FAILED, LISTEN, OPEN, OPENED, Broken
from qga_cli.inside.network.mux import Mux
from qga_cli.interrupt import Interrupt
from qga_cli.network.address import written
from qga_cli.network.link import Presence, hear, open_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from qga_cli.inside.network.connection import TunnelConnection
    from qga_cli.network.address import Address
    from qga_cli.network.link import TunnelLink
    from qga_cli.verbs.job import Job

_HELLO = 60.0  # seconds for the guest's program to begin; Python takes two in a slow guest
_PIECE = 262144  # bytes given to the link at once
_TOOLS = ("python3", "perl")
_WHERE = re.compile(rb"(\d{1,5}) ([0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,15})?)")  # port, address: printed
_LINE = 100  # bytes of the line that says which of them it is
_LAST = 1.0  # seconds for what is being written when the tunnel is closed
_WAIT = 1.0  # seconds between two looks whether we are to end


class Tunnel(Mux):
    """The host's end. `first`: our connections have odd numbers.

    `came` says what to ask the guest when somebody comes to a listening socket of ours, `called`
    decides where a connection of the guest's leads. A guest that breaks the rules ends the tunnel,
    and so does a signal noted in `interrupt` while an answer of the guest's is awaited.
    """

    first = 1

    def __init__(self, link: TunnelLink, interrupt: Interrupt | None = None) -> None:
        super().__init__()
        self._link = link
        self._interrupt = interrupt or Interrupt()
        self._presence = Presence(link)
        self._errands: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._awake, self._wake = os.pipe()
        self._busy = False
        self._lost: QgaError | None = None
        self._reached: dict[int, Callable[[str | None], object]] = {}
        self.called: Callable[[int, int], None] | None = None
        self.came: Callable[[TunnelConnection, int], bytes] | None = None
        self._gone: dict[int, Callable[[], object]] = {}
        self._there: tuple[str | None, bytes] | None = None
        self._listening: set[int] = set()  # sockets of the guest, by the numbers of their LISTENs
        self._questions: dict[int, tuple[str | None, bytes] | None] = {}  # LISTENs, their answers
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def connect(
        self,
        address: Address,
        reader: int = -1,
        writer: int = -1,
        socket: Any = None,
        *,
        reached: Callable[[str | None], object],
        gone: Callable[[], object] = bool,
    ) -> TunnelConnection:
        """Have the guest dial it for a socket of ours, or for two descriptors."""
        connection = self.join(socket)
        if socket is None:
            connection.reader, connection.writer = reader, writer
        self.expect(connection, reached, gone)
        self.send(OPEN, connection.number, address.told())
        return connection

    def expect(
        self,
        connection: TunnelConnection,
        reached: Callable[[str | None], object],
        gone: Callable[[], object] = bool,
    ) -> None:
        """Call `reached` with the guest's answer, and `gone` when the connection is closed."""
        self._reached[connection.number] = reached
        self._gone[connection.number] = gone

    def ask_to_listen(
        self, host: str, port: int, named: Callable[[int], object] = bool
    ) -> tuple[str, int]:
        """Have the guest listen: where it does. Raises QgaError with its reason.

        `named` is told the number of this socket first: somebody may come to it at once.
        """
        number, self._next = self._next, self._next + 2
        named(number)
        self._questions[number] = None
        self.send(LISTEN, number, f"{port} {host}".encode())
        error, payload = self._await(lambda: self._questions[number])
        del self._questions[number]
        if error is not None:
            raise QgaError(f"the guest cannot listen on {written(host, port)}: {error}")
        where = _WHERE.fullmatch(payload)
        if not where or not 0 < int(where[1]) < 65536:
            raise BadReply("the guest does not say where it listens")
        return where[2].decode(), int(where[1])

    def greet(self) -> None:
        """Wait for the guest's end. Raises TimedOut, OutcomeUnknown."""
        self._await(lambda: self._there)

    def turn(self, also: Sequence[int] = ()) -> Collection[int]:
        """Wait for events and handle them. Returns which descriptors were ready.

        `also` are further ones to wait for. Raises QgaError when the link breaks.
        """
        if self._lost:
            raise self._lost
        self._presence.check()
        self._hand_over()
        poll = self.watch()
        poll.register(self._awake, select.POLLIN)
        for number in (self._link.fileno(), *also):
            poll.register(number, select.POLLIN)
        events = poll.poll(_WAIT * 1000)
        try:
            self.serve(events)
            ready = dict(events)
            if self._awake in ready:
                os.read(self._awake, 512)
            if self._link.fileno() in ready:
                self._presence.heard()
                self._read()
        except Broken as error:
            raise BadReply(f"the guest's end of the tunnel breaks the rules: {error}") from error
        self._hand_over()
        return ready

    def close(self) -> None:
        """Close all connections and sockets, and end the program in the guest."""
        self.drop_all()
        self._errands.put(None)
        self._link.close()
        self._writer.join(_LAST)
        if not self._writer.is_alive():  # one that a guest holds up ends with this process
            awake, wake, self._wake = self._awake, self._wake, -1
            os.close(awake)
            os.close(wake)

    def wake(self) -> None:
        """Have `turn` return soon; from another thread, or a signal's handler."""
        if self._wake >= 0:
            os.write(self._wake, b"!")

    def asked(self, number: int, payload: bytes) -> None:
        """A connection to a listening socket in the guest."""
        listener = int.from_bytes(payload[:4], "big")
        if self.called is None or listener not in self._listening:
            raise Broken("a connection that nobody waits for")
        self.called(number, listener)

    def accepted(self, connection: TunnelConnection, listener: int) -> bytes:
        assert self.came is not None  # who listens has set it
        return self.came(connection, listener)

    def command(self, kind: int, number: int, payload: bytes) -> None:
        """The guest's greeting, or an answer to LISTEN."""
        error = None if kind == OPENED else payload.decode("utf-8", "replace")[:200]
        if kind not in (OPENED, FAILED):
            raise Broken("a frame of an unknown kind")
        if number == 0:
            self._there = error, payload
        elif number in self._questions:
            self._questions[number] = error, payload
            if error is None:
                self._listening.add(number)
        elif number >= self._next:
            raise Broken("an answer to no question")

    def answered(self, connection: TunnelConnection, error: str | None, payload: bytes) -> None:
        reached = self._reached.pop(connection.number, None)
        if reached:
            reached(error)

    def over(self, connection: TunnelConnection) -> None:
        self._reached.pop(connection.number, None)
        gone = self._gone.pop(connection.number, None)
        if gone:
            gone()

    def _await(
        self, answer: Callable[[], tuple[str | None, bytes] | None]
    ) -> tuple[str | None, bytes]:
        until = time.monotonic() + _HELLO
        while (found := answer()) is None:
            if self._interrupt.count:
                raise Interrupted(self._interrupt.signum)
            if time.monotonic() > until:
                raise TimedOut(f"the guest does not answer within {_HELLO:g} s")
            self.turn()
        return found

    def _read(self) -> None:
        try:
            data = self._link.read(0)
        except TimedOut:
            return  # a part of what may be the end mark
        if not data:
            raise OutcomeUnknown("the program that carries the connections has ended in the guest")
        self.feed(data)

    def _hand_over(self) -> None:
        """Give the writing thread the next piece, if it has written the last one."""
        if self.out and not self._busy:
            self._busy = True
            piece = bytes(self.out[:_PIECE])
            del self.out[:_PIECE]
            self._errands.put(piece)

    def _write(self) -> None:
        """Runs in a thread, because writing to the link waits for the guest to read."""
        while (piece := self._errands.get()) is not None:
            try:
                self._link.write(piece)
            except QgaError as error:
                self._lost = error
            self._busy = False
            os.write(self._wake, b"!")


def dig(job: Job, channel: str) -> Tunnel:
    """Start a tunnel to the job's guest, by its python3 or perl. Raises Unsupported."""
    tools = list(_TOOLS)
    while True:
        sizes = [str(len(program(tool))) for tool in _TOOLS]
        words = ["sh", "-c", script("network/pick"), "qga-tunnel", *sizes, *tools]
        tool = ""
        link = open_link(job, job.agent, words, channel, bare=True)
        try:
            tool, rest = _first_line(link, job.interrupt)
            if tool not in tools:
                raise Unsupported(
                    f"the guest has none of {', '.join(_TOOLS)}: nothing there can carry "
                    "connections",
                    hint="install one of them in the guest",
                )
            job.say(1, f"{job.agent.name}: connections are carried by {tool}")
            link.write(program(tool))
            tunnel = Tunnel(link, job.interrupt)
            tunnel.feed(rest)
            tunnel.greet()
            return tunnel
        except (OutcomeUnknown, Broken) as error:
            link.close()
            if tool not in tools:
                raise
            job.say(1, f"{job.agent.name}: {tool} cannot: {error}")
            tools.remove(tool)
        except BaseException:
            link.close()
            raise


def _first_line(link: TunnelLink, interrupt: Interrupt) -> tuple[str, bytes]:
    said, until = b"", time.monotonic() + _HELLO
    while b"\n" not in said and len(said) < _LINE:
        piece = hear(link, interrupt, until)
        if not piece:
            break
        said += piece
    line, _, rest = said.partition(b"\n")
    return line.decode("ascii", "replace"), rest


def program(language: str) -> bytes:
    """The source of the guest's end in this language, as one text."""
    if language == "perl":
        with open(os.path.join(network.__path__[0], "relay.pl"), "rb") as file:
            return file.read()
    text = modules("network", "frames", "connection", "dialing", "mux", "relay")
    return f"{text}\nserve()\n".encode()
