"""What a verb is given to work with.

A verb is a function of a Job, and of the command line's options as parameters of their own names:
`def cat(job: Job, *, places: list[str], channel: str) -> Finished`. What need not be given, and has
no default in the command's record, has one there.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from qga_cli.agent import Agent, Reply
from qga_cli.errors import TimedOut
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO, Protocol, Self

    from qga_cli.guests.hosts import Hosts

    class Waiting(Protocol):
        """See render.status."""

        def begin(self, agent: str) -> None: ...
        def end(self) -> None: ...
        def tell(self, reason: str, rows: Any = None) -> None: ...


class Streams:
    """Our own standard streams, as bytes."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    @classmethod
    def standard(cls) -> Streams:
        """Those of the process."""
        return cls(sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer)


class Finished:
    """What a verb returns: a value to render (None: all has been said), and an exit code."""

    def __init__(self, value: object = None, code: int = 0) -> None:
        self.value = value
        self.code = code


class Meter:
    """How far a copy has come; this one shows nothing. See render/progress.py."""

    def __init__(self, what: str = "", total: int | None = None) -> None:
        self.what = what
        self.total = total

    def advance(self, count: int) -> None:
        """So many bytes more."""

    def close(self, *, done: bool) -> None:
        """It is over; `done` if it ended well."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close(done=kind is None)


def options_of(verb: Callable[..., object], values: dict[str, Any]) -> dict[str, Any]:
    """Those of the command line's values that the verb has a parameter for."""
    code = verb.__code__  # `inspect` takes longer to load than most verbs run
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {name: value for key, value in values.items() if (name := parameter(key)) in names}


def parameter(name: str) -> str:
    """What a verb calls the argument: kill_after for kill-after, for_ for for."""
    return "for_" if name == "for" else name.replace("-", "_")


class Job:
    """One verb on one guest (scope guest), on all of them (scope fleet), or on none.

    `target` is the guest, None unless the scope is guest, or places with a group of guests;
    `agent` is its agent, opened when first asked for. `output` is what -o says, "" without.
    `timeout` is --timeout in seconds, None without. `say` tells steps to whoever asked with -v.
    `wire` makes the command's own agent call, as it would be made had it no verb; its keywords are
    arguments that the command line did not give. `progress` shows
    how far something has come (its name, its bytes or None) where somebody can see it. `waits`
    shows what is waited for, None where nobody looks.
    """

    def __init__(
        self,
        *,
        target: Target | None,
        streams: Streams,
        interrupt: Interrupt,
        output: str,
        timeout: float | None,
        hosts: Hosts,
        targets: list[Target],
        fleet: bool,
        say: Callable[[int, str], None],
        wire: Callable[..., Reply],
        progress: Callable[[str, int | None], Meter] = Meter,
        waits: Waiting | None = None,
    ) -> None:
        self._agent: Agent | None = None
        self.target = target
        self.streams = streams
        self.interrupt = interrupt
        self.output = output
        self.timeout = timeout
        self.hosts = hosts
        self.targets = targets
        self.fleet = fleet
        self.say = say
        self.wire = wire
        self.progress = progress
        self.waits = waits
        self._until = None if timeout is None else time.monotonic() + timeout

    @property
    def agent(self) -> Agent:
        """The guest's, opened when first asked for. Raises NoGuest, Unreachable."""
        if self._agent is None:
            assert self.target is not None, "a verb of this scope has no agent"
            self._agent = self.connect(self.target)
        return self._agent

    def check_time(self) -> None:
        """Raise TimedOut if --timeout has passed: for what somebody uses until it ends."""
        if self._until is not None and time.monotonic() > self._until:
            raise TimedOut(f"the session was ended after {self.timeout:g} s (--timeout)")

    def check_reader(self) -> None:
        """Raise BrokenPipeError if nobody reads our standard output any more.

        For what may have nothing to write for long: a write would tell as well.
        """
        import select

        try:
            number = sys.stdout.fileno()
        except (OSError, ValueError):  # closed, or none of the system's
            return
        if os.isatty(number):  # that it hangs up is SIGHUP's to say
            return
        look = select.poll()
        look.register(number, 0)  # a pipe without a reader is POLLERR: pipe(7)
        if look.poll(0):
            raise BrokenPipeError(errno.EPIPE, "nobody reads the output")

    def connect(self, target: Target) -> Agent:
        """The agent of one of `targets`, for verbs of scope fleet; close its transport."""
        return Agent(self.hosts.transport(target), target.label, self.say, self.waits)

    def waiting(self, reason: str, rows: Any = None) -> None:
        """Have a terminal show what is waited for, and the rows found so far."""
        if self.waits:
            self.waits.tell(reason, rows)

    def close(self) -> None:
        """Let go of the guest's agent."""
        if self._agent is not None:
            self._agent.transport.close()
