"""Every way a call can end badly, drawn once.

    QgaError                      exit code
    ├── UsageError                2    bad words on the command line or in a file we read
    ├── NotDelivered                   the agent did not get the command: safe to retry
    │   ├── Unreachable           3    no hypervisor or socket
    │   │   └── Denied            3    there is one, and this user may not use it
    │   ├── NoGuest               4    no such guest
    │   ├── NotRunning            4    shut off, paused, crashed
    │   └── AgentUnavailable      5    nobody answers for the agent
    │       ├── NotConfigured     5    the guest has no agent channel
    │       ├── NotConnected      5    no agent has opened the channel
    │       ├── LinkDead          5    libvirt has given up on this channel
    │       ├── Busy              5    another caller holds the agent
    │       ├── NotAnswering      5    connected, but silent
    │       └── NoChannel         5    no port of our own is to be had
    │           └── PortTaken     5    another program uses this port
    ├── Refused                   1    the agent got it and said no
    │   ├── Unsupported           6    unknown, foreign to its OS, too old, or blocked by policy
    │   │   └── Forbidden         6    this host's policy denies it: not sent
    │   ├── Frozen                7    not while the filesystems are frozen
    │   ├── NotExecutable       126    the guest has the program and cannot execute it
    │   └── NoProgram           127    the guest has no such program
    ├── BadReply                  1    the agent's answer makes no sense
    ├── FileError                 1    a file of this host, or a copy, is not what it should be
    ├── OutcomeUnknown            8    sent, no reply: it may have run
    ├── TimedOut                124    --timeout ran out
    ├── NotConsistent           124    a freeze ended before the work done under it
    ├── FleetFailed             123    some guests of a fleet failed
    └── Interrupted           128+N    signal N ended us

The three ways a call ends without a result are kept apart because they ask for different acts:
retry (NotDelivered), do something else (Refused), look before retrying (OutcomeUnknown).
"""

from __future__ import annotations

DENIED = "Permission denied"  # strerror(3) of EACCES, which root meets where SELinux confines it
CONFINED = "`qga doctor VM` tells whether SELinux confines the agent"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Self

    class GuestName(Protocol):
        """What an error needs of the guest that it is about; see guests.targets.Target."""

        @property
        def label(self) -> str:
            """What the user calls it."""

        @property
        def name(self) -> str:
            """What its host calls it; "" for a whole host."""

        def typable(self, hint: str) -> str:
            """`hint` with this guest for VM."""


class QgaError(Exception):
    """An expected failure: `message` says what, `hint` how to fix it, `exit_code` is ours.

    Neither names the guest: `guest` does, and a hint has VM in its place. `said` and `advice` put
    the name in, where an error is printed.
    """

    exit_code = 1
    kind = "error"
    guest: GuestName | None = None

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def of(self, guest: GuestName | None) -> Self:
        """This error, as one of `guest`, unless its guest is known already."""
        # A target without a name is no guest: a whole host, or a verb that finds its guests itself.
        if self.guest is None and guest and guest.name:
            self.guest = guest
        return self

    def add(self, *, before: str = "", after: str = "", hint: str = "") -> Self:
        """This error with what a caller knows of it: words around the message, a better hint."""
        self.message = f"{before}{self.message}{after}"
        self.hint = hint or self.hint
        return self

    def said(self, *, known: str = "") -> str:
        """The message with the guest's name in front, once; without if the reader has `known`."""
        name = f"{self.guest.label}: " if self.guest and not known else ""
        return self.message if self.message.startswith(name) else name + self.message

    @property
    def advice(self) -> str:
        """The hint with the guest's name for VM, ready to be typed."""
        return self.guest.typable(self.hint) if self.guest else self.hint

    def as_dict(self, *, known: str = "") -> dict[str, object]:
        """The error as `-o json` prints it; empty members are left out. `known` as in `said`."""
        fields = {
            "kind": self.kind,
            "code": self.exit_code,
            "origin": "qga",  # not the program that exec ran, which may have the same code
            "message": self.said(known=known),
            "hint": self.advice,
            "details": self.details,
        }
        return {key: value for key, value in fields.items() if value != ""}


class UsageError(QgaError):
    """The command line, or a file it names, cannot be understood."""

    exit_code = 2
    kind = "usage"


class NotDelivered(QgaError):
    """The agent did not get the command; sending it again is safe."""

    kind = "not-delivered"


class Unreachable(NotDelivered):
    """The hypervisor or the socket cannot be reached."""

    exit_code = 3
    kind = "unreachable"


class Denied(Unreachable):
    """This user has no right to use the hypervisor or the socket."""

    kind = "denied"


class NoGuest(NotDelivered):
    """No guest has this name, UUID or id."""

    exit_code = 4
    kind = "no-guest"


class NotRunning(NotDelivered):
    """The guest exists, but its CPUs do not run."""

    exit_code = 4
    kind = "not-running"


class AgentUnavailable(NotDelivered):
    """Nobody answers for the agent."""

    exit_code = 5
    kind = "agent-unavailable"


class NotConfigured(AgentUnavailable):
    """The guest has no channel named org.qemu.guest_agent.0."""

    kind = "not-configured"


class NotConnected(AgentUnavailable):
    """The channel exists and no agent has opened it."""

    kind = "not-connected"


class LinkDead(AgentUnavailable):
    """libvirt refuses this channel until it is closed and opened again."""

    kind = "link-dead"


class Busy(AgentUnavailable):
    """Another caller holds this guest's agent."""

    kind = "busy"


class NotAnswering(AgentUnavailable):
    """The channel is open, nothing comes back."""

    kind = "not-answering"


class NoChannel(AgentUnavailable):
    """No port of our own can be plugged into this guest, or opened there."""

    kind = "no-channel"


class PortTaken(NoChannel):
    """Another program has opened this port."""

    kind = "port-taken"


class Refused(QgaError):
    """The agent understood and said no; `desc` is its own text."""

    kind = "refused"

    def __init__(self, message: str, *, desc: str = "", hint: str = "", details: str = "") -> None:
        super().__init__(message, hint=hint, details=details)
        self.desc = desc or message


class Unsupported(Refused):
    """This agent does not know the command, or is told not to run it."""

    exit_code = 6
    kind = "unsupported"


class Forbidden(Unsupported):
    """The policy of this host denies the command; the agent was not asked."""

    kind = "forbidden"


class Frozen(Refused):
    """The guest's filesystems are frozen and the agent takes only a handful of commands."""

    exit_code = 7
    kind = "frozen"


class NotExecutable(Refused):
    """The guest has the program, but cannot execute it."""

    exit_code = 126
    kind = "not-executable"


class NoProgram(Refused):
    """The guest has no such program."""

    exit_code = 127
    kind = "no-program"


class BadReply(QgaError):
    """The agent's answer is not JSON, has the wrong shape, or is too large."""

    kind = "bad-reply"


class FileError(QgaError):
    """A file of this host cannot be used, or a copy is not what it should be."""

    kind = "file"


class OutcomeUnknown(QgaError):
    """The command was sent and no reply came: it may have run."""

    exit_code = 8
    kind = "outcome-unknown"


class TimedOut(QgaError):
    """The time given with --timeout ran out."""

    exit_code = 124
    kind = "timed-out"


class NotConsistent(QgaError):
    """The filesystems were thawed before the command that relied on the freeze had ended."""

    exit_code = 124
    kind = "not-consistent"


class FleetFailed(QgaError):
    """Some guests of a fleet failed; each has been reported already."""

    exit_code = 123
    kind = "fleet-failed"


class Interrupted(QgaError):
    """A signal asked us to stop."""

    kind = "interrupted"

    def __init__(self, signum: int) -> None:
        # Only Ctrl-C needs no name: whoever is read this has pressed it.
        import signal  # only now: it makes enums of its numbers

        by = "" if signum == signal.SIGINT else f" by {signal.Signals(signum).name}"
        super().__init__("interrupted" + by)
        self.signum = signum
        self.exit_code = 128 + signum
