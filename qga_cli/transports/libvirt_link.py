"""Connections to libvirt: opened late, opened again when broken, never waited for without end."""

from __future__ import annotations

import os

from qga_cli.errors import QgaError, Unreachable
from qga_cli.threads import Bell, Lock, all_within, start
from qga_cli.transports.libvirt_calls import LibvirtConnection, LibvirtError, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PATIENCE = 30.0  # seconds for a host; TCP alone would try for two minutes
_GOODBYE = 1.0  # seconds for closing


class Link:
    """One connection, and by how many agents it is used at present."""

    __slots__ = ("_connection", "_lock", "_uri", "users")

    def __init__(self, uri: str | None) -> None:
        self._uri = uri
        self._connection: LibvirtConnection | None = None
        self._lock = Lock()
        self.users = 0

    def connection(self) -> LibvirtConnection:
        """The open connection; a broken one is replaced. Raises Unreachable."""
        with self._lock:
            if self._connection is None or not self._connection.is_alive():
                self._connection = open_connection(self._uri)
            return self._connection

    def let_go(self) -> LibvirtConnection | None:
        """The open connection, if there is one: the caller's to close from now on."""
        connection, self._connection = self._connection, None
        return connection


def close_connections(connections: Iterable[LibvirtConnection]) -> None:
    """Close them, within a second; the daemons finish what is in flight.

    libvirt waits for the host to answer, without end if that has lost power.
    """

    def closing(connection: LibvirtConnection) -> Callable[[], None]:
        def close() -> None:
            try:
                connection.close()
            except LibvirtError:  # broken already: nobody left to care
                pass

        return close

    all_within(_GOODBYE, map(closing, connections))


def open_connection(uri: str | None) -> LibvirtConnection:
    """Open `uri`; None is libvirt's own choice (environment, libvirt.conf). Raises Unreachable.

    In a thread that is left alone when the host does not answer: not even the daemon of this one
    can be counted on, and libvirt would wait for it without end.
    """
    try:
        return _open_in_time(uri)
    except LibvirtError as error:
        raise host_error(error, uri) from error


def host_error(error: LibvirtError, uri: str | None) -> QgaError:
    """For a failure that concerns the host, not one guest."""
    # Imported late: the good path need not compile patterns for texts of errors.
    from qga_cli.transports.libvirt_errors import connect_error

    return connect_error(error, uri)


def is_remote(uri: str | None) -> bool:
    """Whether it is on another machine, where each connection may cost a login."""
    uri = uri or os.environ.get("LIBVIRT_DEFAULT_URI", "")
    return uri.partition("://")[2][:1] not in ("", "/")


def _open_in_time(uri: str | None) -> LibvirtConnection:
    results: list[LibvirtConnection | Exception] = []
    bell = Bell()

    def work() -> None:
        try:
            results.append(connect(uri))
        except Exception as error:  # raised in the thread that waits
            results.append(error)
        bell.ring()

    start(work)
    if not bell.wait(_PATIENCE):
        raise Unreachable(
            f"no connection to {uri or 'libvirt'} within {_PATIENCE:g} s",
            hint="is the host up, and its port open for this machine?"
            if is_remote(uri)
            else "its daemon is stuck: restarting libvirtd (or virtqemud) leaves guests be",
        )
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result
