"""A program in the guest whose input and output are one byte stream: two ports of ours."""

from __future__ import annotations

import os
import threading
import time

from qga_cli.agent.program import captured
from qga_cli.agent.scope import Scope
from qga_cli.channel.ports import Channel
from qga_cli.channel.unopened import unopened
from qga_cli.errors import NoChannel, OutcomeUnknown, Refused, TimedOut
from qga_cli.exec import exit_status
from qga_cli.exec.calls import AgentCalls
from qga_cli.exec.context import Context, request
from qga_cli.exec.outputs import HELD, Stream
from qga_cli.inside import script
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from qga_cli.agent import Agent

_BEGIN = 10.0  # seconds for the guest's shell to come to the port
_GLANCE = 0.5  # seconds between two looks whether it has ended instead
_NUMBER = 20  # digits, and more than a pid has
_LONG = 3600.0  # seconds for a port to say something, where nobody set a limit
_LOOK, _CEILING = 0.005, 0.25  # seconds between two looks


class ProgramStream:
    """The host's end. One thread may read and one may write at the same time.

    What the program writes to its stderr is dropped. `code` is its exit code once `read` has
    returned nothing, 128 + N after signal N; None before.

    Output that ends as the mark of its own end begins, with a `q`, waits a second for what comes
    after it. `read` has it then; `fileno` does not tell of it.

    With `prompt` it does not wait, and in front of the end a few bytes of the mark may be taken for
    output: for whoever knows what output may be, as of frames.

    With `bare` the program gets the ports themselves, and its output is as with `prompt`: for
    programs of ours. They must not open /dev/stdout, and find no end of the input before `close`.
    """

    def __init__(
        self,
        agent: Agent,
        argv: Sequence[str],
        context: Context,
        patience: float,
        *,
        prompt: bool = False,
        bare: bool = False,
    ) -> None:
        self.code: int | None = None
        self._calls = AgentCalls(agent, Interrupt())
        self._channel = Channel.to(agent, patience)
        self._held = 0.0 if prompt or bare else HELD
        self._bare = bare
        self._giving = threading.Lock()  # who writes may end the input while who reads lets go
        self._sent = 0
        try:
            (self._out,), (self._in,) = self._channel.take(1, 1)
            self._pieces: list[bytes] = []
            self._output = Stream(self._pieces.append, self._out.end.strip().encode(), self._held)
            self._open = True
            self._start(argv, context)
        except BaseException:
            self._channel.close()
            raise

    def read(self, timeout: float | None = None) -> bytes:
        """Some bytes as soon as there are any; b"" when the program has ended.

        Raises TimedOut after `timeout` seconds, OutcomeUnknown when the port is lost.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.code is None:
            left = _LONG if until is None else until - time.monotonic()
            data = self._out.read(min(left, self._held) if self._output.waits else left)
            self._output.feed(data)
            if not data or not self._held:
                self._output.rest()
            if self._output.ended:
                code, signal = exit_status.outcome(self._output.last)
                self.code = 128 + (signal or 0) if code is None else code
            if self._pieces:
                given = b"".join(self._pieces)
                self._pieces.clear()
                return given
            if not data and until is not None and time.monotonic() >= until:
                raise TimedOut(f"nothing came within {timeout:g} s")
        return b""

    def write(self, data: bytes) -> None:
        """Send all of it, as fast as the program takes it. Raises OutcomeUnknown."""
        self._in.write(data)
        self._sent += len(data)

    def end_input(self) -> None:
        """Let the program find the end of its input, once it has been given all of it.

        Waits for that. Raises OutcomeUnknown when the program has ended before.
        """
        if self._bare:
            raise AssertionError("a bare program's input ends when the stream is closed")
        pause = _LOOK
        while self._open and self._given() < self._sent:
            time.sleep(pause)
            pause = min(pause * 2, _CEILING)
        with self._giving:
            self._give_input()

    def is_there(self) -> bool:
        """Whether the guest has the port open: one that was reset says nothing by itself.

        Raises NoChannel when the host cannot tell. Not while another thread calls the agent.
        """
        return self._channel.is_open(self._out)

    def fileno(self) -> int:
        """For select: readable while `read` would not wait."""
        return self._out.fileno()

    def close(self) -> None:
        """Let go. A program that still runs meets the end of its input, its next write fails."""
        with self._giving:
            if self.code is not None:
                self._give_input()
                self._channel.give_back(self._out)
                if self._calls.reap([self._pid]):
                    self._channel.closed_in_guest()
                self._scope.close()
            self._open = False
            self._channel.close()

    def _give_input(self) -> None:
        if self._open:
            self._open = False
            self._channel.give_back(self._in)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, argv: Sequence[str], context: Context) -> None:
        agent = self._calls.agent
        way = "bare" if self._bare else "relayed"
        parts = ("channel/port", "exec/can_run", "channel/stream", f"channel/{way}")
        text = "".join(map(script, parts))
        said = [self._out.name, self._out.nonce, self._in.name, self._out.end.strip()]
        mark = f"qga-{os.urandom(8).hex()}"
        first = "\n".join(said)
        words, given = request(agent, text, mark, argv, context, "", first, reads=False, lines=True)
        self._pid = self._calls.start(
            words, capture=True, stdin=given, env=context.environment, program=argv
        )
        until = time.monotonic() + _BEGIN
        while not self._arrived(argv[0], until):
            pass
        self._relay = 0 if self._bare else self._number()
        self._scope = Scope(agent)
        self._scope.hold([self._pid])

    def _arrived(self, program: str, until: float) -> bool:
        """Whether the guest's shell has come to the port. Raises why it never will."""
        late = min(until, time.monotonic() + _GLANCE)
        try:
            self._out.greet(late - time.monotonic())
        except NoChannel:
            status = self._calls.status(self._pid)
            # One that has begun the program ends with 0: its greeting is under way.
            if status["exited"] and status.get("exitcode") != 0:
                _, said_there = captured(status)
                failure = exit_status.failure(program, status.get("exitcode"), said_there)
                if isinstance(failure, exit_status.NoShell):
                    raise unopened(failure.message) from None
                raise failure from None
            if not late <= time.monotonic() < until:  # the port is lost, or the time is over
                raise
            return False
        return True

    def _number(self) -> int:
        """The pid that the relay of the input says, before anything else comes."""
        said = b""
        until = time.monotonic() + _BEGIN
        while b"\n" not in said and len(said) < _NUMBER and time.monotonic() < until:
            said += self._out.read(until - time.monotonic())
        number, _, rest = said.partition(b"\n")
        if rest:
            self._out.put_back(rest)
        if not number.isdigit() or len(number) > _NUMBER:
            raise NoChannel("nobody in the guest reads the port")
        self._sent = len(number) + 1  # which the relay has written too
        return int(number)

    def _given(self) -> int:
        """How many bytes the relay has passed on to the program."""
        try:
            return self._calls.written(self._relay)
        except Refused as error:
            raise OutcomeUnknown(
                "the program has ended before its input", hint=str(error)
            ) from error
