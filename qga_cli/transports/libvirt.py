"""Agents of libvirt's guests, through virDomainQemuAgentCommand.

libvirt does its own guest-sync, carries replies up to 4 MiB (REMOTE_STRING_MAX) and requests up
to its socket buffer, and breaks for good past 10 MiB (QEMU_AGENT_MAX_RESPONSE): chunks stay far
below both.
"""

import math
import time

from qga_cli.errors import NoGuest, QgaError, Unreachable, Unsupported
from qga_cli.transports import Guest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import libvirt

_STATES = (
    "no state", "running", "blocked", "paused", "shutting down", "shut off", "crashed",
    "suspended",
)  # fmt: skip
_NOT_FOUND = (42, 8)  # VIR_ERR_NO_DOMAIN; VIR_ERR_INVALID_ARG for what cannot be a UUID
_MAX_REQUEST = 200_000  # bytes of one line: above it qemuAgentIOWrite garbles it (safewrite)


class LibvirtHost:
    """A libvirt connection. `uri` None is libvirt's own choice (environment, libvirt.conf)."""

    def __init__(self, uri: str | None) -> None:
        try:
            import libvirt
        except ImportError as error:
            raise Unreachable(
                f"libvirt's Python binding is missing ({error})",
                hint="install Debian's python3-libvirt, or libvirt-dev and then "
                "`pip install libvirt-python`; raw sockets (-c unix:PATH) work without it",
            ) from error
        libvirt.registerErrorHandler(_keep_quiet, None)  # else libvirt writes to stderr itself
        try:
            self._connection = libvirt.open(uri)
        except libvirt.libvirtError as error:
            raise _host_error(error, uri) from error
        self.uri = uri or ""

    def guests(self) -> list[Guest]:
        """Every domain, running or not, by name."""
        import libvirt

        try:
            domains = self._connection.listAllDomains()
            return sorted((_guest(domain) for domain in domains), key=lambda guest: guest.name)
        except libvirt.libvirtError as error:
            raise _host_error(error, self.uri) from error

    def open(self, name: str) -> "LibvirtTransport":
        """The agent of a guest by name, UUID or id, in this order."""
        import libvirt

        lookups = [self._connection.lookupByName]
        if len(name) in (32, 36):
            lookups.append(self._connection.lookupByUUIDString)
        if name.isdigit() and len(name) < 10:
            lookups.append(lambda number: self._connection.lookupByID(int(number)))
        for lookup in lookups:
            try:
                return LibvirtTransport(lookup(name))
            except libvirt.libvirtError as error:
                if error.get_error_code() not in _NOT_FOUND:
                    raise _host_error(error, self.uri) from error
        raise NoGuest(f"no guest named {name!r}", hint=self._hint(name))

    def close(self) -> None:
        """Close the connection; the daemon finishes what is in flight."""
        import contextlib

        import libvirt

        with contextlib.suppress(libvirt.libvirtError):  # broken already: nobody left to care
            self._connection.close()

    def _hint(self, name: str) -> str:
        import difflib

        try:
            names = [guest.name for guest in self.guests()]
            where = self._connection.getURI()
        except QgaError:
            return ""
        close = difflib.get_close_matches(name, names, 3)
        if close:
            return "did you mean " + " or ".join(close) + "?"
        count = f"{len(names)} guests" if len(names) != 1 else "1 guest"
        return f"{where} has {count}; see `qga list`, or choose another host with --connect"


class LibvirtTransport:
    """One domain's agent."""

    read_chunk = 2**20
    write_chunk = 120 * 1024

    def __init__(self, domain: "libvirt.virDomain") -> None:
        import libvirt_qemu

        self._domain = domain
        self._command = libvirt_qemu.qemuAgentCommand

    def call(self, text: str, timeout: float) -> str:
        """See Transport.call. libvirt counts whole seconds, so they are rounded up."""
        import libvirt

        if '"guest-sync-delimited"' in text:
            raise Unsupported(
                "guest-sync-delimited cannot pass through libvirt: its 0xFF byte ends the "
                "guest's agent link",
                hint="use guest-sync, or a raw socket (-c unix:PATH)",
            )
        if len(text) > _MAX_REQUEST:
            raise Unsupported(
                f"a request of {len(text):,} bytes does not pass through libvirt "
                f"(at most {_MAX_REQUEST:,})"
            )
        seconds = max(1, math.ceil(timeout))
        started = time.monotonic()
        try:
            return str(self._command(self._domain, text, seconds, 0))
        except libvirt.libvirtError as error:
            raise self._error(error, time.monotonic() - started, seconds) from error
        except UnicodeDecodeError as error:
            # libvirt-python decodes the message strictly, and the message quotes the agent.
            raise self._error(None, time.monotonic() - started, seconds) from error

    def resync(self) -> None:
        """libvirt synchronises by itself."""

    def state(self) -> str:
        """The domain's run state in virsh's words, or migrating; "gone" when it is no more."""
        import libvirt

        try:
            state = _STATES[self._domain.state()[0]]
        except libvirt.libvirtError as error:
            return "gone" if error.get_error_code() in _NOT_FOUND else ""
        return "migrating" if state == "running" and self._migrating() else state

    def close(self) -> None:
        """The connection belongs to the host."""

    def _migrating(self) -> bool:
        import libvirt

        try:
            job = self._domain.jobStats().get("operation")
        except libvirt.libvirtError:
            return False  # a driver without jobs
        return job in (
            libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN,
            libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT,
        )

    def _error(
        self, error: "libvirt.libvirtError | None", elapsed: float, timeout: int
    ) -> QgaError:
        from qga_cli.transports.libvirt_errors import translate

        return translate(error, elapsed=elapsed, timeout=timeout, state=self.state)


def _guest(domain: "libvirt.virDomain") -> Guest:
    id = domain.ID()
    return Guest(
        domain.name(), domain.UUIDString(), id if id >= 0 else None, _STATES[domain.state()[0]]
    )


def _host_error(error: "libvirt.libvirtError", uri: str | None) -> QgaError:
    # Imported late: the good path need not compile patterns for texts of errors.
    from qga_cli.transports.libvirt_errors import connect_error

    return connect_error(error, uri)


def _keep_quiet(_context: object, _error: object) -> None:
    """libvirt's default handler prints every error."""
