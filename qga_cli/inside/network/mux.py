"""Many connections through one link, each with its own back-pressure. Both ends run this.

    dialing ──▶ open ──▶ half closed, either way ──▶ gone
       └──────────┴─────────────────┴── failed, reset

What a connection's peer sends waits in `pending` until the connection takes it; the peer may send
what was granted and no more, so neither end ever holds more than GRANTED bytes of a connection.
"""

import _socket
import select

from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.dialing import (
    Resolver,
    dial_next,
    is_connected,
    is_name,
    without_delay,
    written_out,
)
from qga_cli.inside.network.frames import (
    CONNECTIONS,
    DATA,
    END,
    FAILED,
    FLOOD,
    FULL,
    GRANTED,
    HEADER,
    LONGEST,
    OPEN,
    OPENED,
    RESET,
    WINDOW,
    Broken,
    frame,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FRAMES = 4  # of one connection in one turn


class Mux:
    """One end of a tunnel. Whoever runs it writes `out` to the link and feeds what comes."""

    first = 2  # number of a connection of ours

    def __init__(self) -> None:
        self.out = bytearray()
        self.connections: dict[int, TunnelConnection] = {}
        self.listeners: dict[int, tuple[Any, int]] = {}
        self._inbox = bytearray()
        self._next = self.first
        self._highest = 0  # number of the other side's
        self._resolver = Resolver()

    # What the host's and the guest's end do differently.

    def asked(self, number: int, payload: bytes) -> None:
        """OPEN has come: dial, or refuse."""
        raise Broken("a connection that nobody waits for")

    def command(self, kind: int, number: int, payload: bytes) -> None:
        """A frame has come that belongs to no connection."""
        raise Broken("a frame of an unknown kind")

    def answered(self, connection: TunnelConnection, error: "str | None", payload: bytes) -> None:
        """The other side has dialed, or could not."""

    def accepted(self, connection: TunnelConnection, listener: int) -> bytes:
        """What OPEN tells of a connection that has come to a listening socket of ours."""
        return b""

    def over(self, connection: TunnelConnection) -> None:
        """Called when a connection has been closed."""

    # The link.

    def feed(self, data: bytes) -> None:
        """Act on what has come through the link. Raises Broken."""
        inbox = self._inbox
        inbox += data
        at = 0
        while len(inbox) - at >= HEADER.size:
            kind, number, length = HEADER.unpack_from(inbox, at)
            if length > LONGEST:
                raise Broken("a frame that is too long")
            begin = at + HEADER.size
            if len(inbox) < begin + length:
                break
            at = begin + length
            self._act(kind, number, bytes(inbox[begin:at]))
        del inbox[:at]

    def send(self, kind: int, number: int, payload: bytes = b"") -> None:
        """Append a frame to `out`. Raises Broken when too much waits there."""
        self.out += frame(kind, number, payload)
        if len(self.out) > FLOOD:
            raise Broken("nobody reads the link")

    def _act(self, kind: int, number: int, payload: bytes) -> None:
        if kind not in (OPENED, FAILED, DATA, WINDOW, END, RESET):
            self._begin(kind, number, payload)
            return
        connection = self.connections.get(number)
        if connection is None:
            if kind in (OPENED, FAILED):
                self.command(kind, number, payload)
            elif number > max(self._highest, self._next):
                raise Broken("a frame of a connection that never was")
        elif kind == DATA:
            self._take(connection, payload)
        elif kind == WINDOW:
            self._grant(connection, payload)
        elif kind == END:
            connection.ended = True
            self._flush(connection)
        elif kind == RESET:
            self._drop(connection, abort=True)
        elif not connection.waiting:
            raise Broken("an answer to no question")
        else:
            connection.waiting = False
            error = payload.decode("utf-8", "replace")[:200] if kind == FAILED else None
            self.answered(connection, error, payload)
            if kind == FAILED:
                self._drop(connection, abort=True)

    def _begin(self, kind: int, number: int, payload: bytes) -> None:
        if kind != OPEN:
            self.command(kind, number, payload)
        elif number <= self._highest or number % 2 == self.first % 2:
            raise Broken("a number that is not new")
        else:
            self._highest = number
            if len(self.connections) >= CONNECTIONS:
                self.send(FAILED, number, b"too many connections at a time")
            else:
                self.asked(number, payload)

    def _take(self, connection: TunnelConnection, payload: bytes) -> None:
        connection.allowed -= len(payload)
        if connection.allowed < 0 or connection.ended or connection.waiting:
            raise Broken("more than was granted")
        connection.pending += payload
        self._flush(connection)

    def _grant(self, connection: TunnelConnection, payload: bytes) -> None:
        connection.credit += int.from_bytes(payload[:4], "big")
        if connection.credit > GRANTED:
            raise Broken("a grant of more than was sent")

    # Connections.

    def join(self, socket: "Any" = None) -> TunnelConnection:
        """A new connection of ours; `open_with` tells the other side."""
        if len(self.connections) >= CONNECTIONS:
            raise Broken("too many connections at a time")
        connection = TunnelConnection(self._next, socket)
        self._next += 2
        connection.waiting = True
        self.connections[connection.number] = connection
        return connection

    def dial(self, number: int, host: str, port: int) -> None:
        """Connect somewhere for the other side's connection; "" is this machine."""
        connection = self._dialing(number)
        connection.candidates = written_out(host, port)
        if connection.candidates:
            self._dial(connection)
        elif not is_name(host):
            self.fail(connection, "no host's name")
        elif not self._resolver.has_room():  # the other side has given up others meanwhile
            self.fail(connection, "too many names are being looked up")
        else:
            self._resolver.begin(number, host, port)

    def dial_path(self, number: int, path: bytes) -> None:
        """The same for a UNIX socket."""
        connection = self._dialing(number)
        connection.candidates = [(_socket.AF_UNIX, path)]
        self._dial(connection)

    def fail(self, connection: TunnelConnection, why: str) -> None:
        """Tell the other side that it could not be dialed."""
        self.send(FAILED, connection.number, why.encode("utf-8", "replace")[:200])
        self._drop(connection)

    def listen(self, host: str, port: int, tag: int) -> "tuple[str, int]":
        """Listen there; the address. Raises OSError."""
        family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
        socket = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        try:
            socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
            socket.bind((host, port))
            socket.listen(128)
            socket.setblocking(False)
        except OSError:
            socket.close()
            raise
        self.listeners[socket.fileno()] = (socket, tag)
        name = socket.getsockname()
        return str(name[0]), int(name[1])

    def drop_all(self) -> None:
        """Close all listening sockets and reset all connections."""
        for socket, _ in self.listeners.values():
            socket.close()
        self.listeners.clear()
        for connection in list(self.connections.values()):
            self._drop(connection, abort=True)

    def _dialing(self, number: int) -> TunnelConnection:
        connection = TunnelConnection(number)
        connection.dialing = True
        self.connections[number] = connection
        return connection

    def _dial(self, connection: TunnelConnection) -> None:
        if not dial_next(connection):
            self.fail(connection, connection.why or "no address")

    def _dialed(self, connection: TunnelConnection) -> None:
        if is_connected(connection):
            self.send(OPENED, connection.number)
        else:
            self._dial(connection)

    def _flush(self, connection: TunnelConnection) -> None:
        """Write to the connection what has come for it; grant the other side more."""
        if connection.dialing:
            return
        try:
            granted = connection.write_pending()
        except OSError as error:
            self.reset(connection, error)
            return
        if granted:
            self.send(WINDOW, connection.number, granted.to_bytes(4, "big"))
        if connection.ended and not connection.pending and connection.writer >= 0:
            connection.end_writing()
            if connection.sent_end:
                self._drop(connection)

    def _pull(self, connection: TunnelConnection) -> None:
        """Send the other side what can be read from the connection, a few frames at most: others
        want their turn."""
        for _ in range(_FRAMES):
            try:
                data = connection.read()
            except OSError as error:
                self.reset(connection, error)
                return
            if data is None:
                return
            if not data:
                connection.sent_end = True
                self.send(END, connection.number)
                if connection.writer < 0:
                    self._drop(connection)
                return
            self.send(DATA, connection.number, data)
            # A descriptor that is no socket of ours may wait.
            if len(data) < LONGEST or connection.socket is None:
                return
            if len(self.out) >= FULL or not connection.credit:
                return

    def reset(self, connection: TunnelConnection, error: OSError) -> None:
        """Tell the other side that this connection has failed, and close it."""
        connection.trouble = error
        self.send(RESET, connection.number)
        self._drop(connection, abort=True)

    def _drop(self, connection: TunnelConnection, abort: bool = False) -> None:
        if self.connections.pop(connection.number, None):
            connection.close(abort)
            self.over(connection)

    # Waiting.

    def watch(self) -> "Any":
        """A poll object with every descriptor that can make progress."""
        poll = select.poll()
        poll.register(self._resolver.bell, select.POLLIN)
        if len(self.connections) < CONNECTIONS:
            for number in self.listeners:
                poll.register(number, select.POLLIN)
        for connection in self.connections.values():
            for number, events in connection.wanted(len(self.out) < FULL).items():
                poll.register(number, events)
        return poll

    def serve(self, events: "list[tuple[int, int]]") -> None:
        """Read, write, accept and connect where a poll says it is possible."""
        ready = dict(events)
        if self._resolver.bell in ready:
            for number, candidates, why in self._resolver.take():
                connection = self.connections.get(number)
                if connection:
                    connection.candidates, connection.why = candidates, why
                    self._dial(connection)
        for number in [number for number in self.listeners if number in ready]:
            if len(self.connections) < CONNECTIONS:  # there may be room for one, and two have come
                self._accept(*self.listeners[number])
        for connection in list(self.connections.values()):
            if connection.dialing:
                if connection.writer in ready:
                    self._dialed(connection)
                continue
            if connection.pending and connection.writer in ready:
                self._flush(connection)
            may = connection.may_send and connection.number in self.connections
            if may and connection.reader in ready and len(self.out) < FULL:
                # The last in the next turn: the link may have no room for others in this one.
                self.connections[connection.number] = self.connections.pop(connection.number)
                self._pull(connection)

    def _accept(self, listener: "Any", tag: int) -> None:
        try:
            number, _ = listener._accept()
        except OSError:
            return  # who came has gone, or there are too many files: it is tried again
        socket = _socket.socket(fileno=number)
        socket.setblocking(False)
        without_delay(socket)
        connection = self.join(socket)
        self.send(OPEN, connection.number, self.accepted(connection, tag))
