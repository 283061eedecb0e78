"""A byte stream to a program in the guest: through ports of ours, or through calls of the agent."""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import select
import signal
import threading
import time

from qga_cli.agent.abilities import is_windows
from qga_cli.channel.unopened import persist
from qga_cli.errors import Interrupted, NoChannel, OutcomeUnknown, QgaError, Refused, TimedOut
from qga_cli.exec.context import Context
from qga_cli.exec.run import run
from qga_cli.exec.stream import ProgramStream
from qga_cli.exec.ways import no_conversation
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from qga_cli.agent import Agent
    from qga_cli.verbs.job import Job

    class TunnelLink(Protocol):
        """The host's end. One thread may read and one may write."""

        def read(self, timeout: float | None = None) -> bytes:
            """Some bytes; empty when the program has ended. Raises TimedOut, OutcomeUnknown."""

        def write(self, data: bytes) -> None:
            """Send all of it. Raises OutcomeUnknown."""

        def fileno(self) -> int:
            """For select: readable while `read` would not wait."""

        def is_there(self) -> bool:
            """Whether the other end is. Raises NoChannel when the host cannot tell."""

        def close(self) -> None:
            """Close the link: the program finds the end of its input."""


_PATIENCE = 10.0  # seconds to wait for ports; nothing else is as fast, and this is for long
_AHEAD = 16  # pieces, in each direction
_QUIET = 5.0  # seconds of silence before a look whether the other end is there still
_ENDING = 5.0  # seconds for a program to end by itself once its input has


def open_link(
    job: Job, agent: Agent, argv: Sequence[str], channel: str, *, bare: bool = False
) -> TunnelLink:
    """Start `argv` at the other end, as `channel` says: see --channel. Raises NoChannel for always.

    Reading raises Unsupported where the guest can carry no conversation: Windows, or no shell.
    `bare` is for a relay of ours: see ProgramStream.
    """
    why = "--channel never"
    if channel != "never":
        try:
            return persist(lambda: ProgramStream(agent, argv, Context(), _PATIENCE, bare=bare))
        except NoChannel as error:
            if channel == "always":
                raise
            why = error.message
        except Refused as error:
            if is_windows(agent):
                raise no_conversation(agent, error) from error
            raise
    job.say(0, f"{agent.name}: no channel, so through agent calls, which is slower: {why}")
    return CalledStream(agent, argv)


def hear(link: TunnelLink, interrupt: Interrupt, until: float) -> bytes:
    """What a guest says that we wait for, up to `until` (time.monotonic); empty at the end.

    Raises TimedOut, Interrupted.
    """
    while (left := until - time.monotonic()) > 0:
        if interrupt.select([link], left, 0):
            with contextlib.suppress(TimedOut):  # a part of what may be the end mark
                return link.read(0)
        elif interrupt.count:
            raise Interrupted(interrupt.signum)
    raise TimedOut("the guest does not begin in time")


class Presence:
    """Looks whether a link's other end is there still: a guest that was reset says nothing."""

    def __init__(self, link: TunnelLink) -> None:
        self._link = link
        self.heard()

    def heard(self) -> None:
        """It has said something just now."""
        self._due = time.monotonic() + _QUIET

    def check(self) -> None:
        """Look, if it has been silent for a while. Raises OutcomeUnknown where it has gone."""
        if time.monotonic() < self._due:
            return
        self.heard()
        with contextlib.suppress(NoChannel):  # the next look tells, or the link itself
            if not self._link.is_there():
                raise OutcomeUnknown(
                    "the program that carries it has gone: the guest was reset, or has ended it"
                )


class CalledStream:
    """A TunnelLink to a program by agent calls, as those of `qga exec --channel never`.

    A thread makes the calls: nobody else may use this agent meanwhile.
    """

    def __init__(self, agent: Agent, argv: Sequence[str]) -> None:
        self._interrupt = Interrupt()
        self._input: queue.Queue[bytes] = queue.Queue(_AHEAD)
        self._pieces: collections.deque[bytes | QgaError] = collections.deque()
        self._room = threading.Semaphore(_AHEAD)
        self._told, self._tell = os.pipe()
        self._left = self._over = False
        self._rest = b""
        self._thread = threading.Thread(target=self._work, args=(agent, argv), daemon=True)
        self._thread.start()

    def read(self, timeout: float | None = None) -> bytes:
        waiter = select.poll()
        waiter.register(self._told, select.POLLIN)
        if not waiter.poll(None if timeout is None else max(0.0, timeout) * 1000):
            raise TimedOut(f"nothing came within {timeout:g} s")
        piece = self._pieces[0]
        if isinstance(piece, QgaError):
            raise piece
        if piece:  # the end stays, for whoever asks again
            self._pieces.popleft()
            os.read(self._told, 1)
            self._room.release()
        return piece

    def write(self, data: bytes) -> None:
        while not self._over:
            with contextlib.suppress(queue.Full):
                self._input.put(data, timeout=0.5)
                return
        raise OutcomeUnknown("the program in the guest has ended")

    def fileno(self) -> int:
        return self._told

    def is_there(self) -> bool:
        """See TunnelLink. The calls would have told."""
        return True

    def close(self) -> None:
        self._left = True
        self._room.release(_AHEAD)
        self._thread.join(_ENDING)
        if self._thread.is_alive():
            self._interrupt.set(signal.SIGTERM)
            self._thread.join(_ENDING)

    def given(self, count: int) -> bytes:
        """The program's input, for the thread that reads it ahead."""
        while not self._rest and not self._left:
            with contextlib.suppress(queue.Empty):
                self._rest = self._input.get(timeout=0.1)
        piece, self._rest = self._rest[:count], self._rest[count:]
        return piece

    def _work(self, agent: Agent, argv: Sequence[str]) -> None:
        end: bytes | QgaError = b""
        try:
            run(
                agent, argv, stdin=_Input(self), stdout=self._take, stderr=bytes,
                interrupt=self._interrupt,
            )  # fmt: skip
        except QgaError as error:
            end = error
        self._over = True
        self._pieces.append(end)
        os.write(self._tell, b"!")

    def _take(self, data: bytes) -> None:
        while not self._left and not self._room.acquire(timeout=1.0):
            continue
        self._pieces.append(data)
        os.write(self._tell, b"!")


class _Input:
    """The InputSource of a CalledStream's program."""

    converses = True

    def __init__(self, stream: CalledStream) -> None:
        self._stream = stream

    def read(self, count: int) -> bytes:
        return self._stream.given(count)

    read1 = read
