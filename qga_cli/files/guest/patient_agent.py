"""An agent as the file verbs call it: errors know their guest, a short freeze ends nothing."""

import math
import threading
import time

from qga_cli.agent import Agent
from qga_cli.errors import Frozen, QgaError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qga_cli.agent import Reply, Trace
    from qga_cli.guests.targets import Target
    from qga_cli.interrupt import Interrupt
    from qga_cli.spec import Command
    from qga_cli.transports import Transport

LATE = "the time given with --timeout is over"
_FREEZE, _PAUSE = 120.0, 0.2  # seconds: how long to wait for a thaw, and between two questions


class PatientAgent(Agent):
    """An agent whose errors say whose they are: a copy may speak with two guests.

    With `patient` set, what a freeze refuses is asked again after the thaw: a backup's freeze is
    over in seconds, and shall not end a copy of an hour. One thread at a time is in `call`.
    """

    patient = False
    begun = ""  # what may have had an effect by now: past that, see exec.calls.unsettled
    interrupt: "Interrupt"
    target: "Target"

    def __init__(self, transport: "Transport", name: str, trace: "Trace | None" = None) -> None:
        super().__init__(transport, name, trace)
        self._lock = threading.Lock()

    def call(
        self,
        command: "Command",
        arguments: "Mapping[str, object] | None" = None,
        timeout: float | None = None,
    ) -> "Reply":
        """See Agent.call."""
        with self._lock:
            return self._call(command, arguments, timeout)

    def _call(
        self,
        command: "Command",
        arguments: "Mapping[str, object] | None",
        timeout: float | None,
    ) -> "Reply":
        try:
            return super().call(command, arguments, timeout)
        except Frozen as error:
            if not self.patient or not self._thawed():
                error.of(self.target)
                raise
            return self._call(command, arguments, timeout)
        except QgaError as error:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                raise TimedOut(LATE) from error
            error.of(self.target)
            raise

    def _thawed(self) -> bool:
        """Wait for a thaw; False if it does not come in time."""
        from qga_cli.commands.fs.status import COMMAND as STATUS

        self.trace(0, f"{self.name}: the guest's filesystems are frozen; waiting for the thaw")
        end = min(time.monotonic() + _FREEZE, self.deadline or math.inf)
        while time.monotonic() < end:
            self.interrupt.sleep(_PAUSE, 0)
            if self.interrupt.signum:
                return False
            if super().call(STATUS).value == "thawed":
                return True
        return False
