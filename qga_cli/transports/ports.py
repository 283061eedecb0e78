"""Ports of our own beside the agent's: what a transport that has any offers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Ports(Protocol):
        """virtio-serial ports of a running guest, beside its agent's. For the agent's thread.

        Every method raises NoChannel for what the host refuses.
        """

        uri: str | None  # of the host, the guest's UUID, and the files to log in: for the process
        guest: str  # that unplugs what we leave behind
        audit: Sequence[str]

        def apart(self) -> Ports:
            """The same, for another thread: over a connection of its own, to be closed."""

        def close(self) -> None:
            """Let go of that connection. Never raises."""

        def near(self) -> bool:
            """Whether one more connection costs next to nothing: each stream takes one."""

        def boot(self) -> str:
            """A name for this run of the guest, another one after its next start."""

        def may_plug(self) -> bool:
            """Whether plugging would not have to wait for another work on the guest."""

        def check_writing(self) -> None:
            """Raise NoChannel where a port that is written can crash the host's daemon."""

        def plugged(self, prefix: str) -> Sequence[Plugged]:
            """The ports whose names begin so."""

        def plug(self, name: str) -> None:
            """Plug a new port; no two may ever have the same name."""

        def unplug(self, name: str) -> None:
            """Unplug it; both ends find it closed at once."""

        def open(self, name: str, *, writing: bool = False) -> PortStream:
            """Open the host's end, to read or to write. Raises PortTaken when it is open."""

        def unplug_unused(self, name: str, *, left_open: bool = False) -> bool:
            """Unplug a port that nobody uses; whether that was so.

            Another qga may take an idle port at any moment, so it is held between the look and the
            end. `left_open`: only one that a program of the guest still has open.
            """

        def is_used(self, name: str) -> bool:
            """Whether somebody has the host's end open just now, or has just unplugged it."""

    class PortStream(Protocol):
        """The host's end of a port. The guest's closing is not seen. For one thread at a time."""

        def read(self) -> bytes:
            """Some bytes, at least one. Raises OutcomeUnknown when the port is lost."""

        def write(self, data: bytes) -> None:
            """Send all of it; what the guest has not read when we close is lost. As `read`."""

        def close(self) -> None:
            """Let go of it. Never while a thread reads or writes: unplug the port before."""


class Plugged:
    """A port of a guest. `is_open`: a program in the guest has opened it."""

    __slots__ = ("is_open", "name")

    def __init__(self, name: str, *, is_open: bool) -> None:
        self.name = name
        self.is_open = is_open
