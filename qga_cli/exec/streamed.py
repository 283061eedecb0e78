"""One program in the guest from start to end: a short one in three calls, a long one streamed.

    qga                                  guest
    guest-exec sh wrapper.sh ─────────▶  makes the pipes 3 to 6 and the timer of 50 s, starts the
                                         program with its output in 4 and 5
    WAITING: guest-exec-status, every 2 to 100 ms
      ended within 0.15 to 0.4 s ◀─────  the agent has captured output and end mark: ENDED
      else guest-exec sh keeper.sh ───▶  opens the wrapper's 3, 4, 5, and its input as 8;
                                         makes spool files, unless file commands are blocked
    ARRIVING: opens the keeper's 7
      "Is a directory" ◀───────────────  not yet
      it opens ◀───────────────────────  the keeper has read the line in 3, so it has the streams
      keeper's exit code 99 ◀──────────  the wrapper has read it, and passes all on: TOO_LATE, and
                                         then as in WAITING
      another exit code ◀──────────────  no room for spool files: a second keeper, without them
    CARRIED: guest-exec dd, reads ─────▶ pipe to spool file, spool file to us, one after the other
      "beat" every 5 s, "eof" ─────────▶ the keeper reads orders from its 0
      end mark in both streams ◀───────  ENDED: "leave", and the agent forgets the helpers
    wrapper's exit code 97 ◀───────────  no /proc or no dd: without_proc.py
    guest-exec is refused ◀────────────  no sh: without_shell.py

Descriptors, while the program runs:

    |   | the wrapper's                         | the keeper's                                  |
    |---|---------------------------------------|-----------------------------------------------|
    | 0 | context and input, as the agent sends | orders, a pipe of its own                     |
    | 1 | what the agent captures               | while it begins: spool file of output, first  |
    | 2 | what the shell says of the end (6)    | while it begins: spool file of output, second |
    | 3 | an empty line: who reads it passes on | spool file of the input                       |
    | 4 | pipe of the output                    | the same pipe                                 |
    | 5 | pipe of the error output              | the same pipe                                 |
    | 6 | pipe of "Killed"                      | spool file of output, first; / until ready    |
    | 7 | the timer's pid                       | spool file of output, second; / until ready   |
    | 8 | -                                     | pipe of the input, the wrapper's 0            |
    | 9 | its own error output                  | spool file of the error output                |
"""

from __future__ import annotations

import contextlib
import os
import time
from enum import Enum

from qga_cli.agent.program import captured
from qga_cli.agent.scope import Scope
from qga_cli.errors import QgaError, Refused, Unsupported
from qga_cli.exec import wrapper
from qga_cli.exec.calls import AgentCalls
from qga_cli.exec.context import INLINE, NO_INPUT, STREAMED, Context, request
from qga_cli.exec.exit_status import WRAPPER_GONE, NoShell, failure, outcome
from qga_cli.exec.keeper import Keeper
from qga_cli.exec.outputs import Stream
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qga_cli.agent.vigil import Vigil
    from qga_cli.exec.sinks import Sinks
    from qga_cli.exec.stdin import InputFeed

_SHORT = (0.15, 0.4)  # seconds: what ends within is told at its end, the rest is streamed
_CALLS = 40  # or the time of so many calls: in a slow guest short programs take longer
_IDLE = 0.2  # seconds, after which it is not waited for in a guest where nothing runs
_EARLY = 0.1  # seconds before the first look, at most
_CEILING = 0.25  # seconds between two looks at a stream
_LOST = 5.0  # seconds for the end mark to arrive once the wrapper has ended
_ARRIVAL = 5.0  # seconds for a keeper to take over when we want to leave
_LAST = 3.0  # seconds for the wrapper to end after the program
_PIPE = 0.5  # seconds for a program to end that cannot write any more
_SELDOM = 0.2  # seconds between two looks at stderr while stdout is busy


class _State(Enum):
    """Who has the program's output. See the chart at the top."""

    WAITING = "the wrapper, as long as the program may be a short one"
    ARRIVING = "the wrapper, and a keeper is about to take over"
    CARRIED = "the keeper: from it to us"
    TOO_LATE = "the wrapper, which was faster than the keeper"
    ENDED = "we have all of it"


class StreamedProgram:
    """A program started by the wrapper. `feed` is its input, None for none."""

    def __init__(self, calls: AgentCalls, argv: Sequence[str], feed: InputFeed | None) -> None:
        self.calls = calls
        self.argv = argv
        self.mark = f"qga-{os.urandom(8).hex()}"
        self.pid = 0  # of the wrapper
        self._state = _State.WAITING
        self._end = f"qga.{os.urandom(16).hex()}".encode()  # unlike the mark not seen in `ps`
        self._feed = feed
        self._keeper: Keeper | None = None
        self._ways = [True, False]  # with spool files or without, for keepers to try
        self._status: Mapping[str, Any] | None = None  # the wrapper's last
        self._exited = 0.0  # when that was
        self._pause = 0.0
        self._vigil: Vigil | None = None  # once a keeper hears whether we live
        self._scope: Scope | None = None  # once it is no short one

    def start(self, context: Context, sinks: Sinks) -> None:
        """Start it. Raises NoShell, Refused."""
        self._streams = [Stream(self._outside(sink), self._end) for sink in sinks]
        inline = self._feed.small() if self._feed else b""
        how = NO_INPUT if self._feed is None else STREAMED if inline is None else INLINE
        if how != STREAMED:
            self._feed = None
        text, end = script("exec/can_run") + script("exec/wrapper"), self._end.decode()
        words, given = request(
            self.calls.agent, text, self.mark, self.argv, context, how, end, reads=bool(inline)
        )
        given += inline or b""
        if len(given) - len(text) > wrapper.SAFE_INPUT or self.calls.agent.system:
            from qga_cli.agent.abilities import is_windows

            if is_windows(self.calls.agent):
                raise NoShell("no shell: the guest runs Windows")
        begun = time.monotonic()
        try:
            self.pid = self.calls.start(
                words, capture=True, stdin=given, env=context.environment, program=self.argv
            )
        except Unsupported:
            raise
        except Refused as error:
            raise NoShell(f"no shell: {error.said()}") from error
        self._begun = begun
        self._moved = self._asked = time.monotonic()
        self.calls.patient = True
        # Nothing ends sooner where that call was slow, and a look would slow it further.
        self._pause = min(2 * self.calls.mean, _EARLY)
        self.calls.interrupt.sleep(self._pause, 0)

    @property
    def ended(self) -> bool:
        """Whether all of its output has been passed on."""
        return self._state is _State.ENDED

    def step(self) -> float:
        """Carry what there is. Returns how long to wait before the next step, in seconds."""
        if self._state is _State.CARRIED:
            moved = self._carry()
        else:
            moved = self._arrive() if self._state is _State.ARRIVING else self._wait()
        now = time.monotonic()
        if moved:
            self._moved = now
            self._pause = 0.0
        else:
            # No more than a third of a slow guest's time goes into answering us.
            share = max(0.005, 2 * self.calls.mean, (now - self._moved) / 4)
            self._pause = min(max(0.002, self._pause * 2), share, _CEILING)
        return self._pause

    def result(self) -> tuple[int | None, int | None]:
        """Its exit code, or the signal that killed it, when `ended`; nothing of ours is left."""
        if self._keeper:
            with self.calls.tidying():
                self._leave()
            if self._scope:
                self._scope.close()
        return outcome(self._streams[0].last)

    def abandon(self, *, drop: bool = False) -> None:
        """Leave it alone. Its output goes nowhere, or with `drop` its next write fails."""
        self.calls.patient = False
        until = time.monotonic() + _ARRIVAL
        # A program that nobody carries on would meet SIGPIPE when the timer ends.
        while not drop and self._state in (_State.WAITING, _State.ARRIVING):
            self._arrive() if self._state is _State.ARRIVING else self._take_over()
            if time.monotonic() > until:
                break
        if self._keeper:
            self._leave(drop=drop)

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """See AgentCalls.signal_tree."""
        return self.calls.signal_tree(self.pid, self.mark, name, kill_after)

    def _outside(self, sink: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """`sink`, while which may wait for a reader the keeper is told that we live."""

        def take(data: bytes) -> None:
            with self._vigil or contextlib.nullcontext():
                sink(data)

        return take

    def _leave(self, *, drop: bool = False) -> None:
        assert self._keeper is not None
        if self._vigil:
            self._vigil.end()
        keeper, self._keeper = self._keeper, None
        if self._feed:
            self._feed.close()
        keeper.leave(self._feed.pids if self._feed else [], drop=drop)
        if self._status is None and (self.ended or drop):
            self.calls.reap([self.pid], _LAST if self.ended else _PIPE)

    def _wait(self) -> bool:
        """Whether it has ended in the short time; past that a keeper is to take over."""
        if self._look():
            return self._deliver()
        elapsed = time.monotonic() - self._begun
        long = elapsed > min(max(_SHORT[0], _CALLS * self.calls.mean), _SHORT[1])
        early = self._state is _State.WAITING
        if early and (self._feed or long or (elapsed > _IDLE and self.calls.idle())):
            self._take_over()
        return False

    def _look(self) -> bool:
        """Whether the wrapper has ended."""
        if self._status is None:
            ask = self.calls.end_of if self._keeper else self.calls.status
            status = ask(self.pid)
            if status["exited"]:
                self._status = status
                self._exited = time.monotonic()
        return self._status is not None

    def _deliver(self) -> bool:
        """Pass on what the wrapper had for us, and see why if it had nothing."""
        assert self._status is not None
        out, err = captured(self._status)
        if not err and self._end in out:
            at = out.index(b"\n", out.index(self._end)) + 1
            out, err = out[:at], out[at:]
        if self._end not in out or self._end not in err:
            raise failure(self.argv[0], self._status.get("exitcode"), err)
        self._streams[0].feed(out)
        self._streams[1].feed(err)
        self._state = _State.ENDED
        return True

    def _carry(self) -> bool:
        """Whether anything moved between the program and us."""
        assert self._keeper is not None
        out, err = self._keeper.outputs
        moved = not out.stream.ended and out.step()
        if not err.stream.ended and (not moved or time.monotonic() - self._asked > _SELDOM):
            self._asked = time.monotonic()
            moved = err.step() or moved
        if out.stream.ended and err.stream.ended:
            self._state = _State.ENDED
            return True
        if self._feed:
            moved = self._feed.step() or moved
        self._keeper.beat()
        if self._scope:
            fed = self._feed.pids if self._feed else []
            self._scope.keep([self.pid, *self._keeper.pids, *fed])
        idle = self._pause == _CEILING and not moved
        if idle and self._look() and time.monotonic() - self._exited > _LOST:
            raise self.calls.forgotten or QgaError(WRAPPER_GONE)
        return moved

    def _take_over(self) -> None:
        """Have a keeper carry the streams, by spool files if there is room for them."""
        if not self._ways:
            raise QgaError("the program's output cannot be carried: no helper runs in the guest")
        spools = self._ways.pop(0)
        stdin = self._feed is not None
        self._keeper = Keeper(self.calls, self.pid, self.mark, spools=spools, stdin=stdin)
        self._state = _State.ARRIVING
        self._moved, self._pause = time.monotonic(), self.calls.mean  # it will be there soon

    def _arrive(self) -> bool:
        """Whether the keeper has the pipes by now, or the program was faster."""
        keeper = self._keeper
        assert keeper is not None
        if keeper.ready(*self._streams):
            way = "spool files" if keeper.spools else "captured output"
            self.calls.agent.trace(1, f"streams are carried by {way}")
            if self._feed:
                self._feed.begin(self.calls, keeper)
            self._state = _State.CARRIED
            self._scope = Scope(self.calls.agent)
            from qga_cli.agent.vigil import Vigil  # short programs need no threads

            self._vigil = Vigil(keeper.beat)
            return True
        code = keeper.gone()
        if code is None:
            return False
        self._keeper = None
        if code == wrapper.TOO_LATE:
            self._state = _State.TOO_LATE
        else:
            self._take_over()
        return False
