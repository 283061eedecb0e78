"""Ports of our own in a libvirt guest: plugged, listed, opened as streams, unplugged.

A name is plugged once only. libvirt makes the socket of a port before it asks QEMU, and takes an
older one of that path away (qemuOpenChrChardevUNIXSocket): a second port of the same name is
refused, but the first one is deaf from then on.

A stream has a connection, and one thread, to itself, and is read or written, not both. On a shared
connection every call reads into memory what a slow reader of the stream has not taken yet; a guest
that does not read would stop all calls, for libvirtd takes nothing from a client with five
unfinished messages (max_client_requests); and until libvirt 10.2 a second thread may call just when
the first goes to wait, and is not heard before something arrives (virNetClientIO).

Nothing is written where libvirtd is older than 12.8 and newer than 9.0. There, when QEMU's end of a
port goes away (unplugged, or the guest was destroyed) while libvirtd still holds data for it,
daemonStreamHandleWrite queues one message twice: first the error, then, as it has kept the old
status, a reply too. libvirtd then frees memory twice and dies, or its main loop never ends. Seen
with 11.3; 9.0 looks at the status that the error has set, 12.8 sends no second reply.
"""

from __future__ import annotations

import contextlib
import threading
import time

from qga_cli.errors import NoChannel, OutcomeUnknown, PortTaken, Unreachable
from qga_cli.transports.libvirt_calls import JOB_NONE, LIVE, NONBLOCK, LibvirtError
from qga_cli.transports.libvirt_link import open_connection
from qga_cli.transports.ports import Plugged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.transports.libvirt_calls import Domain, Flow, LibvirtConnection

_CHUNK = 256 * 1024  # bytes; VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX is 262,120
_OPERATION_FAILED = 9  # VIR_ERR_OPERATION_FAILED
UNSAFE_TO_WRITE = range(9_001_000, 12_008_000)  # releases of libvirt; see above
_OFTEN = 0.05  # seconds between two looks at what a guest says unasked
_GONE = 5.0  # seconds for a port that is being unplugged to go
_PASSING = 1.0  # seconds, where libvirt refuses to unplug it: it does for one that is going
_PAUSE = 0.02  # seconds between two looks whether it has
# An alias that libvirt gives may be another device's by the time we name it: those it gives again.
_NEW = "<channel type='unix'><target type='virtio' name='{}'/><alias name='{}'/></channel>"
_BEGIN, _END = "<channel ", "</channel>"


class LibvirtPorts:
    """The ports of one domain. See Ports."""

    def __init__(self, domain: Domain, uri: str | None, *, apart: bool = False) -> None:
        self._domain = domain
        self.uri = uri
        self.guest = domain.uuid()
        self.audit: Sequence[str] = ()
        self._apart = apart

    def apart(self) -> LibvirtPorts:
        """With a connection of their own."""
        connection = _connect(self.uri)
        return LibvirtPorts(_look_up(connection, self.guest), self.uri, apart=True)

    def close(self) -> None:
        """Close that connection."""
        if self._apart:
            _close(self._domain.connection)

    def near(self) -> bool:
        """Over ssh it takes a process, a login, perhaps a password."""
        return "ssh" not in self._domain.connection.uri().partition(":")[0]

    def boot(self) -> str:
        """libvirt counts a host's starts of guests: another start, another number."""
        return f"{self.guest}.{self._domain.id() or -1}"

    def may_plug(self) -> bool:
        """A migration, save or dump holds the guest's lock, and plugging would wait for it."""
        try:
            return self._domain.job() == JOB_NONE
        except LibvirtError:
            return True  # a driver without jobs

    def check_writing(self) -> None:
        try:
            release = self._domain.connection.release()
        except LibvirtError as error:
            raise NoChannel(f"the host does not tell its release: {error}") from error
        if release in UNSAFE_TO_WRITE:
            said = f"{release // 1_000_000}.{release // 1000 % 1000}"
            raise NoChannel(
                f"libvirt {said} can crash when a port is written",
                hint="use --channel auto or never; libvirt up to 9.0 and from 12.8 is sound",
            )

    def plugged(self, prefix: str) -> list[Plugged]:
        """From the live XML; libvirt writes it, always in the same way, so no parser is loaded."""
        return [
            Plugged(name, is_open=" state='connected'" in element)
            for name, element in self._elements(prefix)
        ]

    def plug(self, name: str) -> None:
        """Into the running guest, never into its definition."""
        alias = f"ua-{name.replace('.', '-')}"  # VIR_DOMAIN_USER_ALIAS_CHARS has no dot
        try:
            self._domain.attach(_NEW.format(name, alias), LIVE)
        except LibvirtError as error:
            raise NoChannel(f"no port can be plugged: {error}") from error

    def unplug(self, name: str) -> None:
        """By its alias, and waiting here; nothing for a port that is not there.

        virDomainDetachDeviceFlags waits for QEMU's event: libvirt 12.8 about every third time until
        its own 5 seconds are over (qemuDomainWaitForDeviceRemoval), though it has come.
        """
        alias = self._alias(name)
        if not alias:
            return
        refused: LibvirtError | None = None
        try:
            self._domain.detach_alias(alias, LIVE)
        except LibvirtError as error:  # or somebody else is just unplugging it
            refused = error
        patience = _PASSING if refused else _GONE
        deadline = time.monotonic() + patience
        while self._alias(name):
            if time.monotonic() > deadline:
                why = refused or f"it is still there after {patience:g} s"
                raise NoChannel(f"the port {name} cannot be unplugged: {why}") from refused
            time.sleep(_PAUSE)

    def open(self, name: str, *, writing: bool = False) -> Inflow | Outflow:
        """Over a connection of its own."""
        connection = _connect(self.uri)
        domain = _look_up(connection, self.guest)
        try:
            if writing:
                return Outflow(connection, _open(domain, name, NONBLOCK))
            return Inflow(connection, _open(domain, name))
        except NoChannel:
            _close(connection)
            raise

    def is_used(self, name: str) -> bool:
        """By trying: nobody else wants a port that another program may still have."""
        try:
            stream = _open(self._domain, name)
        except NoChannel:  # or it has gone since it was listed
            return True
        with contextlib.suppress(LibvirtError):
            stream.abort()
        return False

    def unplug_unused(self, name: str, *, left_open: bool = False) -> bool:
        """By holding it meanwhile."""
        try:
            stream = _open(self._domain, name)
        except NoChannel:  # it is used, or has gone
            return False
        try:
            if left_open and not any(port.is_open for port in self.plugged(name)):
                return False
            self.unplug(name)
            return True
        finally:
            with contextlib.suppress(LibvirtError):  # it has gone with its port
                stream.abort()

    def _alias(self, name: str) -> str:
        """Of a port that is plugged; empty for another."""
        for found, element in self._elements(name):
            if found == name:
                return element.partition("<alias name='")[2].partition("'")[0]
        return ""

    def _elements(self, prefix: str) -> list[tuple[str, str]]:
        """Names that begin with `prefix`, each with its element of the live XML."""
        try:
            xml = self._domain.xml()
        except LibvirtError as error:
            raise NoChannel(f"no ports can be listed: {error}") from error
        found = []
        mark = f"<target type='virtio' name='{prefix}"
        at = xml.find(mark)
        while at >= 0:
            begin, end = xml.rfind(_BEGIN, 0, at), xml.find(_END, at)
            name = prefix + xml[at + len(mark) :].partition("'")[0]
            found.append((name, xml[begin : end + len(_END)]))
            at = xml.find(mark, end)
        return found


class Inflow:
    """A PortStream that is read."""

    def __init__(self, connection: LibvirtConnection, stream: Flow) -> None:
        self._connection = connection
        self._stream = stream

    def read(self) -> bytes:
        """What has come, waiting for it."""
        try:
            data = self._stream.receive(_CHUNK)
        except LibvirtError as error:
            raise _lost(error) from error
        if not data:
            raise OutcomeUnknown("the port has been taken away")
        return data

    def write(self, data: bytes) -> None:
        """Never for this one."""
        raise AssertionError("a port is read or written, not both")

    def close(self) -> None:
        with contextlib.suppress(LibvirtError):  # it is broken: nothing left to close
            self._stream.abort()
        _close(self._connection)


class Outflow(Inflow):
    """A port that is written. What a guest says there unasked is dropped.

    With VIR_STREAM_NONBLOCK only recv does not wait: data is sent as without it
    (virNetClientStreamSendPacket). While send waits, it queues without bound what arrives.
    """

    def __init__(self, connection: LibvirtConnection, stream: Flow) -> None:
        super().__init__(connection, stream)
        self._writing = threading.Event()
        self._closed = False
        threading.Thread(target=self._drain, daemon=True).start()

    def write(self, data: bytes) -> None:
        """All of it, waiting for the guest to take it."""
        view = memoryview(data)
        self._writing.set()
        try:
            while view:
                view = view[self._stream.send(bytes(view[:_CHUNK])) :]
        except LibvirtError as error:
            raise _lost(error) from error
        finally:
            self._writing.clear()

    def close(self) -> None:
        self._closed = True
        self._writing.set()  # ends the thread
        super().close()

    def _drain(self) -> None:
        while self._writing.wait() and not self._closed:
            try:
                while self._stream.receive(_CHUNK) is not None:
                    pass
            except LibvirtError:
                return  # the writer is told
            time.sleep(_OFTEN)


def _open(domain: Domain, name: str, flags: int = 0) -> Flow:
    try:
        stream = domain.connection.stream(flags)
        domain.open_channel(name, stream)
        return stream
    except LibvirtError as error:
        message = str(error)
        # "Active channel stream exists for this domain" (qemuDomainOpenChannel)
        if error.code == _OPERATION_FAILED:
            raise PortTaken(f"the port {name} is in use: {message}") from error
        raise NoChannel(f"the port {name} cannot be opened: {message}") from error


def _connect(uri: str | None) -> LibvirtConnection:
    try:
        return open_connection(uri)
    except Unreachable as error:  # with one connection that works, it is no more than a pity
        raise NoChannel(error.message, hint=error.hint) from error


def _look_up(connection: LibvirtConnection, guest: str) -> Domain:
    try:
        return connection.domain_by_uuid(guest)
    except LibvirtError as error:
        _close(connection)
        raise NoChannel(f"the guest cannot be found: {error}") from error


def _close(connection: LibvirtConnection) -> None:
    with contextlib.suppress(LibvirtError):  # broken already: nobody left to care
        connection.close()


def _lost(error: LibvirtError) -> OutcomeUnknown:
    return OutcomeUnknown(f"the port's stream has broken: {error}")
