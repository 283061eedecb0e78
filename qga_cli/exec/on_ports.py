"""A program in the guest whose streams travel through ports of ours.

    host                              guest
    guest-exec sh ported.sh ───────▶  opens the ports, starts a relay between each and a pipe
    reads stdout's port    ◀────────  nonce, then the relays' pids; nonce at stderr's
    reads, writes          ◀───────▶  the program runs
                           ◀────────  at both: the end mark, with the exit code
    closes them            ────────▶  end of file: the relays are ended, what comes later is dropped
    guest-exec-status      ◀────────  the wrapper has ended

Nothing is polled while it runs: the end is in the streams. The agent is asked now and then whether
the wrapper is there, for a guest that has been reset says nothing at its ports.
"""

from __future__ import annotations

import os
import select
import time

from qga_cli.agent.program import captured
from qga_cli.agent.scope import Scope
from qga_cli.channel.ports import Channel
from qga_cli.channel.unopened import NoPorts, Unopened, unopened
from qga_cli.errors import (
    BadReply,
    Forbidden,
    Frozen,
    NoChannel,
    OutcomeUnknown,
    QgaError,
    Refused,
    Unsupported,
)
from qga_cli.exec.context import INLINE, NO_INPUT, Context, request
from qga_cli.exec.exit_status import WRAPPER_GONE, NoShell, failure, outcome
from qga_cli.exec.outputs import Stream
from qga_cli.exec.port_feed import PortFeed
from qga_cli.exec.wrapper import SAFE_INPUT
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qga_cli.channel.port import InPort
    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.sinks import Sinks
    from qga_cli.exec.stdin import InputFeed

_FIRST, _CEILING = 0.05, 0.5  # seconds between two looks whether the wrapper has not begun
_QUIET, _QUIETEST = 2.0, 30.0  # seconds of silence before a look whether it is still there
_GREETING = 30.0  # seconds from the start to the greeting of a shell that has opened the ports
_GLANCE = 0.25  # seconds between two looks at signals and the time
_LOST = 5.0  # seconds for the end mark once the wrapper has ended
_LAST = 3.0  # seconds for the wrapper to end after us
_MOST = 100  # characters of the line with the pids


class ProgramOnPorts:
    """As StreamedProgram. `channel` gives the ports; input comes from `feed`, or is `inline`."""

    def __init__(
        self,
        calls: AgentCalls,
        argv: Sequence[str],
        feed: InputFeed | None,
        channel: Channel,
        mark: str,
        inline: bytes = b"",
    ) -> None:
        self.calls = calls
        self.argv = argv
        self.mark = mark
        self.pid = 0  # of the wrapper
        self.ended = False
        self._feed = feed
        self._inline = inline
        self._channel = channel
        self._relays: list[str] = []  # pids, as the guest says them
        self._status: Mapping[str, Any] | None = None
        self._exited = self._heard = 0.0
        self._pause, self._quiet = _FIRST, _QUIET
        self._mute: NoChannel | None = None
        self._seen = 0  # signals
        self._line = b""  # with the relays' pids
        self._input: PortFeed | None = None
        self._ports: list[InPort] = []
        self._woken, self._wake = os.pipe()

    def start(self, context: Context, sinks: Sinks) -> None:
        """Start it. Raises NoChannel when that was not possible this way."""
        try:
            self._start(context, sinks)
        except BaseException:
            self._let_go(clean=False)
            raise

    def _start(self, context: Context, sinks: Sinks) -> None:
        try:
            ports, ways = self._channel.take(2, 1 if self._feed else 0)
        except Forbidden as error:
            raise NoChannel(error.said(), hint=error.advice) from error
        self._ports = ports
        self._streams = [
            Stream(sink, port.end.strip().encode()) for port, sink in zip(ports, sinks, strict=True)
        ]
        text = script("channel/port") + script("exec/can_run") + script("exec/ported")
        how = INLINE if self._feed or self._inline else NO_INPUT
        told = [f"{port.name} {port.nonce} {port.end.strip()}" for port in ports]
        told.append(ways[0].name if ways else "")
        first = "\n".join(told)
        words, given = request(
            self.calls.agent, text, self.mark, self.argv, context, how, first,
            reads=bool(self._inline), lines=True,
        )  # fmt: skip
        given += self._inline
        if len(given) - len(text) > SAFE_INPUT or self.calls.agent.system:
            from qga_cli.agent.abilities import is_windows

            if is_windows(self.calls.agent):
                raise NoPorts("no shell: the guest runs Windows")
        if ways and self._feed:
            self._input = PortFeed(self._feed, ways[0], self.calls)
        self._channel.entrust(self.mark)
        try:
            self.pid = self.calls.start(
                words, capture=True, stdin=given, env=context.environment, program=self.argv
            )
        except (Frozen, Unsupported) as error:  # the ordinary way will word it
            raise NoChannel(error.said(), hint=error.advice) from error
        except Refused as error:
            raise NoPorts(f"no shell: {error.said()}") from error
        self.calls.patient = True
        self._scope = Scope(self.calls.agent)
        self._wanted = 3 if ways else 2
        self._heard = time.monotonic()

    def step(self) -> float:
        """Carry what there is, and wait for it: the caller need not."""
        if not self._relays and not self._arrive():
            return 0.0
        ready = self._wait()
        for port, stream in zip(self._ports, self._streams, strict=True):
            if port.fileno() in ready:
                self._take(port, stream)
                self._heard, self._quiet = time.monotonic(), _QUIET
            else:
                stream.rest()
        if self._input and self._input.ends():
            self._channel.give_back(self._input.port)
            self._input = None
        self.ended = all(stream.ended for stream in self._streams)
        if not self.ended:
            self._scope.keep([self.pid])
            if not ready:
                self._look()
        return 0.0

    def result(self) -> tuple[int | None, int | None]:
        """Its exit code, or the signal that killed it, when `ended`; nothing of ours is left."""
        with self.calls.tidying():
            self._let_go(clean=True)
        if self._status is not None or self.calls.reap([self.pid], _LAST):
            self._channel.closed_in_guest()
        self._scope.close()
        return outcome(self._streams[0].last)

    def abandon(self, *, drop: bool = False) -> None:
        """Leave it alone. Its output goes nowhere, or with `drop` its next write fails."""
        self.calls.patient = False
        self.disown()
        try:
            if not drop and not self.ended and self._relays:
                words = [str(self.pid), *self._relays]
                pid = self.calls.start(["sh", "-c", script("exec/unport"), "qga-unport", *words])
                self.calls.reap([pid], _LAST)
        finally:
            self._let_go(clean=False)

    def disown(self) -> None:
        """Have nobody end it any more when we die."""
        self._channel.entrust("")

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """See AgentCalls.signal_tree."""
        return self.calls.signal_tree(self.pid, self.mark, name, kill_after)

    def _arrive(self) -> bool:
        """Whether the guest's shell is at the ports. Raises why it never will be."""
        out, err = self._ports
        try:
            out.greet(self._pause)
            err.greet(self._pause)
        except NoChannel:
            self._pause = min(self._pause * 2, _CEILING)
            self._see()
            if self._status is None:
                if time.monotonic() > self._heard + _GREETING:
                    self._turn_away()
                return False
            _, said = captured(self._status)
            error = failure(self.argv[0], self._status.get("exitcode"), said)
            if isinstance(error, NoShell):
                self.pid = 0
                raise (self._mute or unopened(error.message)) from None
            raise error from None
        while b"\n" not in self._line and len(self._line) < _MOST:
            piece = out.read(_LOST)
            if not piece:
                break
            self._line += piece
        words, _, rest = self._line.partition(b"\n")
        self._relays = words.decode("ascii", "replace").split()
        if not all(word.isdigit() for word in self._relays) or len(self._relays) < self._wanted:
            raise BadReply("the guest's shell does not tell who carries the program's streams")
        self._streams[0].feed(rest)
        if self._input:
            self._input.begin(int(self._relays[2]))
        return True

    def _turn_away(self) -> None:
        """Have a shell end, and start nothing, that has the ports open and cannot greet: its kernel
        was not told that we listen. See channel/unopened.py."""
        if all(map(self._channel.is_open, self._ports)):
            self._mute = Unopened("the guest has opened the ports, and nothing comes from them")
            for port in self._ports:
                self._channel.unplug(port)

    def _wait(self) -> list[int]:
        """Which of the ports have something for us; none when nothing comes for a while."""
        waiter = select.poll()
        for number in (self._woken, *(port.fileno() for port in self._ports)):
            waiter.register(number, select.POLLIN)
        left = self._heard + self._quiet - time.monotonic()
        if self._input:
            left = min(left, self._input.pause())
        with self.calls.interrupt.watched(self._ring):
            if self.calls.interrupt.count > self._seen:
                left = 0.0
            ready = [number for number, _ in waiter.poll(max(0.0, min(left, _GLANCE)) * 1000)]
        self._seen = self.calls.interrupt.count
        if self._woken in ready:
            os.read(self._woken, 64)
        return ready

    def _ring(self) -> None:
        os.write(self._wake, b"!")

    def _take(self, port: InPort, stream: Stream) -> None:
        try:
            stream.feed(port.read(0))
        except OutcomeUnknown:
            if stream.ended:
                return
            self._see()  # the guest or its agent may tell more than a port that is gone
            raise

    def _look(self) -> None:
        """See whether the wrapper is there. Raises what keeps the agent from answering."""
        if time.monotonic() < self._heard + self._quiet:
            return
        self._heard = time.monotonic()
        self._quiet = min(self._quiet * 2, _QUIETEST)
        self._see()
        if self._status is not None:
            self._quiet = _LOST
            if time.monotonic() - self._exited > _LOST:
                raise self.calls.forgotten or QgaError(WRAPPER_GONE)

    def _see(self) -> None:
        if self._status is None:
            ask = self.calls.end_of if self._relays else self.calls.status
            status = ask(self.pid)
            if status["exited"]:
                self._status, self._exited = status, time.monotonic()

    def _let_go(self, *, clean: bool) -> None:
        if self._woken < 0:
            return  # who leaves a program is told twice
        self.disown()
        if self._input:
            self._input.stop()
            self._channel.give_back(self._input.port, clean=False)
            self._input = None
        for port in self._ports:
            self._channel.give_back(port, clean=clean)
        self._ports = []
        self._channel.close()
        os.close(self._woken)
        os.close(self._wake)
        self._woken = -1
