"""Connects to a name or an address, without waiting: one candidate after the other.

name ──▶ Resolver (a thread) ──▶ candidates ──▶ dial_next ──▶ under way ──▶ is_connected
                                                    ▲                        │ no: the next
                                                    └────────────────────────┘
"""

import _socket
import errno
import os
from _thread import start_new_thread

from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.frames import CONNECTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LOCAL = ((_socket.AF_INET, "127.0.0.1"), (_socket.AF_INET6, "::1"))
_MOST = 8  # addresses of a name that are tried
_NAME = 253  # characters of a host's name


def written_out(host: str, port: int) -> "list[tuple[int, Any]]":
    """Candidates for a host that needs no look-up: an address, or "" for this machine."""
    if not host:
        return [(family, (name, port)) for family, name in _LOCAL]
    if "%" in host:
        return []  # an interface belongs to it, whose number the resolver knows
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    return []


def is_name(host: str) -> bool:
    """Whether it is short and printable, so that a resolver may be asked for it."""
    return len(host) <= _NAME and host.isprintable()


class Resolver:
    """Looks names up, each in a thread of its own; `bell` can be read when one is done."""

    def __init__(self) -> None:
        self.bell, self._ring = os.pipe()
        self._found: list[tuple[int, list[tuple[int, Any]], str]] = []
        self._under_way = 0

    def has_room(self) -> bool:
        """Whether one more may be looked up. One goes on when nobody waits for it any more."""
        return self._under_way < CONNECTIONS

    def begin(self, number: int, host: str, port: int) -> None:
        """Look up a name for that connection."""
        self._under_way += 1
        start_new_thread(self._resolve, (number, host, port))

    def take(self) -> "list[tuple[int, list[tuple[int, Any]], str]]":
        """Results since the last call: a connection's number, candidates, or why there are none."""
        os.read(self.bell, 512)
        found = []
        while self._found:
            found.append(self._found.pop(0))
            self._under_way -= 1
        return found

    def _resolve(self, number: int, host: str, port: int) -> None:
        try:
            found = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
            told = (number, [(one[0], one[4]) for one in found[:_MOST]], "")
        except (OSError, UnicodeError) as error:
            told = (number, [], "{}: {}".format(host, getattr(error, "strerror", "") or error))
        self._found.append(told)
        os.write(self._ring, b"!")


def dial_next(connection: TunnelConnection) -> bool:
    """Begin to connect to the next candidate; False when none is left, see its `why`."""
    while connection.candidates:
        family, address = connection.candidates.pop(0)
        try:
            kind = _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
            socket = _socket.socket(family, kind)
            number = socket.connect_ex(address)
        except OSError as error:
            connection.why = connection.why or str(error.strerror or error)
            continue
        if number in (0, errno.EINPROGRESS):
            connection.socket = socket
            connection.reader = connection.writer = socket.fileno()
            return True
        socket.close()
        connection.why = connection.why or os.strerror(number)
    return False


def is_connected(connection: TunnelConnection) -> bool:
    """Whether what was dialed is there, once it can be written to. If not, it is closed."""
    number = connection.socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if number:
        connection.socket.close()
        connection.socket = None
        connection.reader = connection.writer = -1
        connection.why = connection.why or os.strerror(number)
        return False
    connection.dialing = False
    without_delay(connection.socket)
    return True


def without_delay(socket: "Any") -> None:
    """Switch off Nagle's algorithm: small pieces are sent at once."""
    if socket.family != _socket.AF_UNIX:
        socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
