"""The calls of libvirt that qga makes, on libvirt-python's C module.

`libvirt.py`, which wraps the same module for everybody, is 10,000 lines and `typing`: loading it
took longer than a ping. Its methods hand over to one C function each, as these do, and the
functions' names and arguments are made from libvirt's API, which only grows. None and -1 are their
failures. Only events need `libvirt.py` itself: the C module calls it back by name.
"""

from __future__ import annotations

from qga_cli.transports import libvirt_binding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# include/libvirt/libvirt-domain.h, libvirt-stream.h
STATS_STATE = 1  # VIR_DOMAIN_STATS_STATE
LIVE, CONFIG = 1, 2  # VIR_DOMAIN_AFFECT_LIVE, _CONFIG
XML_INACTIVE = 2  # VIR_DOMAIN_XML_INACTIVE
JOB_NONE = 0  # VIR_DOMAIN_JOB_NONE
MIGRATION_IN, MIGRATION_OUT = 4, 5  # VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN, _OUT
NONBLOCK = 1  # VIR_STREAM_NONBLOCK
NO_SUPPORT, INVALID_ARG, NO_DOMAIN = 3, 8, 42  # VIR_ERR_*, of virterror.h

_loaded: list[Any] = []  # libvirtmod and libvirtmod_qemu


class LibvirtError(Exception):
    """A call that failed. Its str() is libvirt's message, in the daemon's language.

    code  of include/libvirt/virterror.h; -1 when libvirt gave none
    text  the message as the source has it, without the prefix that is translated
    """

    def __init__(self, code: int, message: str, text: str) -> None:
        super().__init__(message)
        self.code = code
        self.text = text


class LibvirtConnection:
    """A virConnect, closed with its last reference."""

    __slots__ = ("raw",)

    def __init__(self, raw: object) -> None:
        self.raw: object | None = raw

    def __del__(self) -> None:
        if self.raw is not None:
            _loaded[0].virConnectClose(self.raw)

    def close(self) -> None:
        """Let go of it; libvirt closes it when its domains and streams have gone too."""
        raw = self.hand_over()
        if raw is not None:
            _call("virConnectClose", raw)

    def hand_over(self) -> object:
        """The C module's object, which is the caller's to close from now on."""
        raw, self.raw = self.raw, None
        return raw

    def is_alive(self) -> bool:
        """Whether calls can still be made."""
        return bool(_call("virConnectIsAlive", self.raw))

    def uri(self) -> str:
        """What it is connected to."""
        return str(_call("virConnectGetURI", self.raw))

    def release(self) -> int:
        """Of the daemon's libvirt: major * 1,000,000 + minor * 1,000 + patch."""
        return int(_call("virConnectGetLibVersion", self.raw))

    def domain_by_name(self, name: str) -> Domain:
        """Raises ValueError for what is no text, or holds a NUL."""
        return Domain(self, _call("virDomainLookupByName", self.raw, name))

    def domain_by_uuid(self, uuid: str) -> Domain:
        """By its UUID as a text."""
        return Domain(self, _call("virDomainLookupByUUIDString", self.raw, uuid))

    def domain_by_id(self, number: int) -> Domain:
        """By the number that it has while it runs."""
        return Domain(self, _call("virDomainLookupByID", self.raw, number))

    def domains(self) -> list[Domain]:
        """All of them, running or not."""
        return [Domain(self, raw) for raw in _call("virConnectListAllDomains", self.raw, 0)]

    def domain_stats(self, kinds: int, flags: int) -> list[tuple[Domain, dict[str, Any]]]:
        """VIR_DOMAIN_STATS_* of all of them, in one round trip."""
        found = _call("virConnectGetAllDomainStats", self.raw, kinds, flags)
        return [(Domain(self, raw), stats) for raw, stats in found]

    def stream(self, flags: int) -> Flow:
        """A stream that is joined to nothing yet."""
        return Flow(self, _call("virStreamNew", self.raw, flags))


class Domain:
    """A virDomain."""

    __slots__ = ("connection", "raw")

    def __init__(self, connection: LibvirtConnection, raw: object) -> None:
        self.connection = connection
        self.raw = raw

    def __del__(self) -> None:
        _loaded[0].virDomainFree(self.raw)

    def name(self) -> str:
        """As its host has it."""
        return str(_call("virDomainGetName", self.raw))

    def uuid(self) -> str:
        """As a text with dashes."""
        return str(_call("virDomainGetUUIDString", self.raw))

    def id(self) -> int | None:
        """The number of this run, by which libvirt counts; None while it does not run."""
        number: int = _loaded[0].virDomainGetID(self.raw)
        return number if number >= 0 else None

    def state(self) -> tuple[int, int]:
        """VIR_DOMAIN_* and the reason for it."""
        state, reason = _call("virDomainGetState", self.raw, 0)[:2]
        return state, reason

    def xml(self, flags: int = 0) -> str:
        """Its description."""
        return str(_call("virDomainGetXMLDesc", self.raw, flags))

    def is_active(self) -> bool:
        """Whether it runs, or is paused."""
        return bool(_call("virDomainIsActive", self.raw))

    def is_persistent(self) -> bool:
        """Whether it has a definition that outlives a run."""
        return bool(_call("virDomainIsPersistent", self.raw))

    def attach(self, xml: str, flags: int) -> None:
        """Plug a device."""
        _call("virDomainAttachDeviceFlags", self.raw, xml, flags)

    def detach(self, xml: str, flags: int) -> None:
        """Unplug a device."""
        _call("virDomainDetachDeviceFlags", self.raw, xml, flags)

    def detach_alias(self, alias: str, flags: int) -> None:
        """Begin to unplug the device of that alias, and do not wait for it."""
        _call("virDomainDetachDeviceAlias", self.raw, alias, flags)

    def job(self) -> int:
        """The kind of job that holds it: VIR_DOMAIN_JOB_*."""
        return int(_call("virDomainGetJobInfo", self.raw)[0])

    def job_operation(self) -> int | None:
        """What that job does: VIR_DOMAIN_JOB_OPERATION_*; None when there is no job."""
        found: int | None = _call("virDomainGetJobStats", self.raw, 0).get("operation")
        return found

    def open_channel(self, name: str, stream: Flow) -> None:
        """Join a stream to the host's end of a channel."""
        _call("virDomainOpenChannel", self.raw, name, stream.raw, 0)

    def ask_agent(self, text: str, timeout: int) -> str:
        """An agent's reply to one request, within so many seconds."""
        reply = _loaded[1].virDomainQemuAgentCommand(self.raw, text, timeout, 0)
        if reply is None:
            raise _failed("virDomainQemuAgentCommand")
        return str(reply)


class Flow:
    """A virStream."""

    __slots__ = ("connection", "raw")

    def __init__(self, connection: LibvirtConnection, raw: object) -> None:
        self.connection = connection
        self.raw = raw

    def __del__(self) -> None:
        _loaded[0].virStreamFree(self.raw)

    def receive(self, most: int) -> bytes | None:
        """What has come, waiting for it; empty at the end. None with NONBLOCK and nothing there."""
        data = _call("virStreamRecv", self.raw, most)
        return data if isinstance(data, bytes) else None

    def send(self, data: bytes) -> int:
        """How many bytes were taken."""
        return int(_call("virStreamSend", self.raw, data))

    def abort(self) -> None:
        """End it."""
        _call("virStreamAbort", self.raw)


def connect(uri: str | None) -> LibvirtConnection:
    """Open `uri`; None is libvirt's own choice (environment, libvirt.conf)."""
    if not _loaded:
        module, qemu = libvirt_binding.load()
        # Else libvirt's default handler prints every error. It is told once for the process.
        module.virRegisterErrorHandler(_keep_quiet, None)
        _loaded[:] = module, qemu
    return LibvirtConnection(_call("virConnectOpen", uri))


def _call(name: str, *args: object) -> Any:
    result = getattr(_loaded[0], name)(*args)
    if result is None or result == -1:
        raise _failed(name)
    return result


def _failed(name: str) -> LibvirtError:
    said = _loaded[0].virGetLastError()  # this thread's: code, domain, message, level, str1, str2
    if said is None:
        return LibvirtError(-1, f"{name} failed", f"{name} failed")
    message = said[2] or f"{name} failed"
    return LibvirtError(said[0], message, said[5] or message)


def _keep_quiet(_context: object, _error: object) -> None:
    pass
