"""The agent as file verbs call it: errors know their guest, a freeze or pause is waited for."""

from __future__ import annotations

import threading
import time

from qga_cli.agent import Agent
from qga_cli.agent.patience import Patience
from qga_cli.errors import Frozen, NotRunning, QgaError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from qga_cli.agent import Reply, Trace
    from qga_cli.guests.targets import Target
    from qga_cli.interrupt import Interrupt
    from qga_cli.spec import Command
    from qga_cli.transports import Transport

LATE = "the time given with --timeout is over"
_FREEZE, _LOOK = 120.0, 0.25  # seconds: how long to wait for a thaw, and between two attempts


class PatientAgent(Agent):
    """An agent whose errors say whose they are: a copy may speak with two guests.

    With `patient` set, what a freeze or a pause refuses is asked again after it: those of a backup
    are over in seconds, and must not end a copy of an hour. One thread at a time is in `call`.
    """

    patient = False
    begun = ""  # what may have had an effect by now: past that, see exec.unsettled
    interrupt: Interrupt
    target: Target

    def __init__(self, transport: Transport, name: str, trace: Trace | None = None) -> None:
        super().__init__(transport, name, trace)
        self._lock = threading.Lock()
        self._patience = Patience(self, freeze=_FREEZE, away=0.0)

    def alone(self) -> AbstractContextManager[object]:
        """Around what else uses its connection: one thread at a time there too."""
        return self._lock

    def call(
        self,
        command: Command,
        arguments: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        with self._lock:
            return self._call(command, arguments, timeout)

    def _call(
        self,
        command: Command,
        arguments: Mapping[str, object] | None,
        timeout: float | None,
    ) -> Reply:
        waiting = False
        while True:
            try:
                reply = super().call(command, arguments, timeout)
                self._patience.reset()
                return reply
            except QgaError as error:
                late = self.deadline is not None and time.monotonic() >= self.deadline
                if late and not isinstance(error, Frozen):
                    raise TimedOut(LATE) from error
                stop = late or not self.patient or self.interrupt.signum
                passing = isinstance(error, Frozen | NotRunning)
                if stop or not passing or not self._patience.tolerates(error):
                    error.of(self.target)
                    raise
                told = "the guest's filesystems are frozen; waiting for the thaw"
                if isinstance(error, NotRunning):
                    told = f"{error.said()}; waiting until it goes on"
            if not waiting:
                self.trace(0, f"{self.name}: {told}")
            waiting = True
            self.interrupt.sleep(_LOOK, 0)
