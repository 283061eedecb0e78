"""Agents on a byte stream: framing, synchronisation and deadlines for UNIX sockets and vsock.

The agent's parser and its unread replies outlive connections, so every connection, and every
call after one that went wrong, begins with 0xFF + guest-sync-delimited; what arrives before the
0xFF of its reply is stale. Source: QEMU qga/main.c, docs of guest-sync-delimited in
qga/qapi-schema.json.
"""

from __future__ import annotations

import random
import select
import socket
import time
from collections.abc import Callable, Sequence

from qga_cli import wire
from qga_cli.errors import BadReply, NotAnswering, OutcomeUnknown, Unreachable
from qga_cli.interrupt import POLL

_SYNC_PATIENCE = 5.0  # seconds; as libvirt's QEMU_AGENT_WAIT_TIME
_RECEIVE = 256 * 1024
_SYNC_REPLY = 128  # bytes; an honest one has 24 at most

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.counters import Counters


class SocketHost:
    """A host whose agents have a socket each, and which knows no more of a guest than its name.

    The methods are those of HostConnection.
    """

    def facts(self, name: str) -> None:
        """Nothing is known."""

    def counters(self) -> dict[str, Counters]:
        """Nobody counts."""
        return {}

    def spread(self) -> None:
        """No call waits for another one."""

    def watch(self, wake: Callable[[str], None]) -> bool:
        """There are no events."""
        return False

    def close(self) -> None:
        """Nothing is held."""


class StreamTransport:
    """One agent on a socket that can be connected to. `connect` gets the seconds it may take."""

    read_chunk = 2**20
    write_chunk = 512 * 1024
    program: Sequence[str] = ()
    audit: Sequence[str] = ()

    def __init__(
        self,
        connect: Callable[[float], socket.socket],
        label: str,
        guest: str = "",
        where: str = "",
    ) -> None:
        self._connect = connect
        self._label = label
        self._guest = guest
        self._where = where or label
        self._socket: socket.socket | None = None
        self._synced = False
        self._buffer = bytearray()
        self._searched = 0  # how far the buffer is known to hold no newline

    def call(self, text: str, timeout: float) -> str:
        """Send one line and return the next one; see Transport.call."""
        deadline = time.monotonic() + timeout
        self._prepare(deadline)
        try:
            self._send(text.encode("ascii") + b"\n", deadline)
        except (TimeoutError, OSError) as error:
            self._lost(error)
            raise OutcomeUnknown(
                f"sending to {self._label} broke off: {error.strerror or error}"
            ) from error
        try:
            # The reply to a guest-sync-delimited of our caller begins with 0xFF.
            line = self._line(deadline, wire.limit(text))
        except TimeoutError as error:
            self._synced = False
            raise OutcomeUnknown(f"the agent did not reply within {timeout:g} s") from error
        except OSError as error:
            self._lost(error)
            raise OutcomeUnknown(
                f"the agent's connection closed before it replied ({error})"
            ) from error
        return wire.reply_text(line.removeprefix(wire.DELIMITER))

    def resync(self) -> None:
        """Begin the next call with a synchronisation."""
        self._synced = False

    def identity(self) -> tuple[str, str]:
        """Where it is; the guest's name only if the template that found it has a place for it."""
        return self._where, self._guest

    def state(self) -> str:
        """Nobody to ask on a bare socket."""
        return ""

    def ports(self) -> None:
        """Nobody here can plug any."""

    def close(self) -> None:
        """Close the connection; the agent keeps its open handles."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._synced = False
        self._buffer.clear()
        self._searched = 0

    def _prepare(self, deadline: float) -> None:
        """Connected and in step with the agent, or NotDelivered."""
        if self._socket is None:
            self._socket = self._connect(max(0.01, deadline - time.monotonic()))
            self._socket.setblocking(False)
            self._synced = False
        if self._buffer or self._is_ready(0, writing=False):
            self._synced = False  # something is there that nobody asked for
        if not self._synced:
            self._sync(min(deadline, time.monotonic() + _SYNC_PATIENCE))

    def _sync(self, deadline: float) -> None:
        token = random.getrandbits(31)
        request = wire.encode("guest-sync-delimited", {"id": token}).encode("ascii")
        try:
            self._send(wire.DELIMITER + request + b"\n", deadline)
            while True:
                line = self._line(deadline, wire.MAX_BULK)  # whatever an earlier client asked for
                _, mark, reply = line.rpartition(wire.DELIMITER)
                if mark and _is_sync_reply(reply, token):
                    break
        except TimeoutError as error:
            raise NotAnswering(
                f"no agent answers on {self._label}",
                hint="is qemu-ga running in the guest? A QEMU socket serves one client at a time: "
                "libvirt, or another tool, may hold it",
            ) from error
        except OSError as error:
            self._lost(error)
            raise NotAnswering(
                f"{self._label} closed the connection: {error.strerror or error}"
            ) from error
        self._synced = True

    def _send(self, data: bytes, deadline: float) -> None:
        assert self._socket is not None
        view = memoryview(data)
        while view:
            self._wait(deadline, writing=True)
            view = view[self._socket.send(view) :]

    def _line(self, deadline: float, limit: int) -> bytes:
        """The next line, without its newline. Raises TimeoutError, OSError, BadReply."""
        assert self._socket is not None
        while True:
            end = self._buffer.find(b"\n", self._searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                self._searched = 0
                return line
            self._searched = len(self._buffer)
            if self._searched > limit:
                self.close()
                raise BadReply(f"the agent's reply is longer than {limit >> 20} MiB")
            self._wait(deadline, writing=False)
            data = self._socket.recv(_RECEIVE)
            if not data:
                raise ConnectionResetError("end of file")
            self._buffer += data

    def _wait(self, deadline: float, *, writing: bool) -> None:
        # Past the deadline nothing is looked at: an agent that never stops talking is always ready.
        while (left := deadline - time.monotonic()) > 0:
            if self._is_ready(min(left, POLL), writing=writing):
                return
        raise TimeoutError

    def _is_ready(self, seconds: float, *, writing: bool) -> bool:
        assert self._socket is not None
        waiter = select.poll()  # select takes no descriptor above 1023, and a program has many
        waiter.register(self._socket, select.POLLOUT if writing else select.POLLIN)
        return bool(waiter.poll(seconds * 1000))

    def _lost(self, error: BaseException) -> None:
        if not isinstance(error, TimeoutError):
            self.close()
        self._synced = False


def unreachable(label: str, error: OSError, hint: str) -> Unreachable:
    """The error for a socket that cannot be connected."""
    return Unreachable(f"cannot connect to {label}: {error.strerror or error}", hint=hint)


def _is_sync_reply(line: bytes, token: int) -> bool:
    if len(line) > _SYNC_REPLY:  # parsed, it could take many times its length in memory
        return False
    try:
        return wire.parse(line).get("return") == token
    except BadReply:
        return False  # a stale line that was cut short; the real reply is still to come
