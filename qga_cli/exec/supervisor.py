"""What makes a program in the guest end before its time: a limit, our signals, our leaving."""

from __future__ import annotations

import math
import signal
import time

from qga_cli.errors import TimedOut
from qga_cli.exec.calls import LeftRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from qga_cli.exec.on_ports import ProgramOnPorts
    from qga_cli.exec.streamed import StreamedProgram
    from qga_cli.exec.without_shell import ProgramWithoutShell
    from qga_cli.interrupt import Interrupt
    from qga_cli.windows.exec import WindowsProgram

    AnyProgram: TypeAlias = StreamedProgram | ProgramOnPorts | ProgramWithoutShell | WindowsProgram

_MARGIN = 8.0  # seconds past KILL: what is still there then cannot be killed


class Supervisor:
    """Watches one program. `seen` counts the signals that have been acted on."""

    def __init__(
        self,
        program: AnyProgram,
        interrupt: Interrupt,
        timeout: float | None,
        kill_after: float,
    ) -> None:
        self.seen = 0
        self._program = program
        self._interrupt = interrupt
        self._timeout = timeout
        self._kill_after = kill_after
        self._began = time.monotonic()
        self._ending = 0  # pid of the helper that ends the tree
        self._signalling: list[int] = []
        program.calls.check_time = self._check_end

    def check(self) -> None:
        """Act on signals and the time. Raises Interrupted, TimedOut."""
        while self._interrupt.count > self.seen:
            self.seen += 1
            if self.seen == 1:
                name = signal.Signals(self._interrupt.signum).name.removeprefix("SIG")
                self._signalling.append(self._program.signal(name))
            else:
                self._detach()
        if self._over() >= 0 and not self._ending:
            self._ending = self._program.signal("TERM", kill_after=self._kill_after)
        self._check_end()

    def leave(self) -> None:
        """Leave the program, whose next write fails; a signal that came meanwhile is passed on."""
        try:
            self.check()
            self._program.calls.reap(self._signalling)  # before SIGPIPE: it may catch the signal
        finally:
            self._program.abandon(drop=True)

    def close(self) -> None:
        """Forget helpers when the program has ended. Raises TimedOut if it was made to."""
        self._program.calls.reap(self._signalling)
        if not self._ending:
            return
        # What the program has started may need its time to end, or to be killed.
        self._program.calls.reap([self._ending], self._kill_after + _MARGIN)
        raise TimedOut(f"the program was ended after {self._timeout:g} s (--timeout)")

    def _over(self) -> float:
        """Seconds since its time was over; below zero before."""
        if self._timeout is None:
            return -math.inf
        return time.monotonic() - self._began - self._timeout

    def _check_end(self) -> None:
        """Raise TimedOut if it should have been killed by now: a guest may be frozen for long."""
        if self._over() > self._kill_after + _MARGIN:
            raise TimedOut(f"not ended within {self._timeout:g} s, and it could not be killed "
                           f"(pid {self._program.pid} in the guest)")  # fmt: skip

    def _detach(self) -> None:
        with self._program.calls.tidying():  # the guest may be frozen
            self._program.abandon()
        self._program.calls.reap(self._signalling)
        raise LeftRunning(self._interrupt.last)
