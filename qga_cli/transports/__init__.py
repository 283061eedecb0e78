"""How bytes reach an agent: the seam, and the choice of a transport by the look of the URI."""

from __future__ import annotations

from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from qga_cli.transports.counters import Counters
    from qga_cli.transports.libvirt_xml import GuestFacts
    from qga_cli.transports.ports import Ports

    class Transport(Protocol):
        """The way to one guest's agent. One call at a time; foreign exceptions never pass."""

        read_chunk: int  # bytes of one guest-file-read that this way carries well
        write_chunk: int  # bytes of one guest-file-write that this way carries well
        program: Sequence[str]  # what the next guest-exec is for, told to the audit file
        audit: Sequence[str]  # the log, for another process that calls in our name: Audit.joined

        def call(self, text: str, timeout: float) -> str:
            """Send one request line, return the reply line.

            Raises NotDelivered when the agent did not get it, OutcomeUnknown when no reply came
            within `timeout` seconds or the link broke after sending.
            """

        def resync(self) -> None:
            """Distrust what may still be in flight: the last reply made no sense."""

        def identity(self) -> tuple[str, str]:
            """The host's URI, and the guest's own name there; "" for what cannot be known."""

        def state(self) -> str:
            """The guest's run state as the hypervisor tells it; "" when nobody can tell."""

        def ports(self) -> Ports | None:
            """Where ports of our own can be plugged into the guest; None where none can."""

        def close(self) -> None:
            """Let go of it. Never raises."""

    class HostConnection(Protocol):
        """A hypervisor, or a folder of sockets, that knows guests."""

        uri: str

        def guests(self) -> list[ListedGuest]:
            """Every guest it knows, running or not."""

        def facts(self, name: str) -> GuestFacts | None:
            """What it knows about one guest; None when it knows no more than its name."""

        def counters(self) -> dict[str, Counters]:
            """What it counts of its running guests, by name; nothing where it counts nothing."""

        def spread(self) -> None:
            """From now on, have no agent's call wait for that of another one, which may hang."""

        def watch(self, wake: Callable[[str], None]) -> bool:
            """Call `wake` with the name of a guest that changed; False when nobody tells."""

        def open(self, name: str) -> Transport:
            """The way to the guest of this name, UUID or id. Raises NoGuest, Unreachable."""

        def close(self) -> None:
            """Let go of it. Never raises."""


# States of a guest: it runs, as far as anybody can tell; it does not run here.
RUNNING, STOPPED = ("running", "blocked", ""), ("shut off", "crashed", "gone")


class ListedGuest:
    """A guest as its host lists it."""

    __slots__ = ("id", "name", "state", "uuid")

    def __init__(self, name: str, uuid: str = "", id: int | None = None, state: str = "") -> None:
        self.name = name
        self.uuid = uuid
        self.id = id
        self.state = state


def connect(uri: str | None) -> HostConnection:
    """The host at `uri`, connected when first used; None lets libvirt choose.

    Raises UsageError.
    """
    scheme, _, rest = (uri or "").partition(":")
    if scheme == "unix":
        from qga_cli.transports.unix import UnixHost

        return UnixHost(rest)
    if scheme == "vsock":
        from qga_cli.transports.vsock import VsockHost

        return VsockHost(rest)
    if uri == "pve":
        from qga_cli.transports.pve import PveHost

        return PveHost()
    if uri and "://" not in uri and "/" in uri:
        raise UsageError(
            f"cannot connect to {uri!r}", hint=f"for a socket, write unix:{uri}; for libvirt a URI"
        )
    if uri and not uri.isprintable():
        raise UsageError(f"cannot connect to {uri!r}", hint="a URI is printable text")
    from qga_cli.transports.libvirt import LibvirtHost

    return LibvirtHost(uri)
