"""The thread that sends what is typed to the guest, and writes what comes back to the screen."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
import time

from qga_cli.agent.patience import Patience
from qga_cli.agent.vigil import Vigil
from qga_cli.errors import Busy, Frozen, NotAnswering, NotRunning, QgaError, Refused, Unsupported
from qga_cli.terminal.carrier import Carrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_SOONEST, _LATEST = 0.001, 0.25  # seconds between two reads …
_IDLE = 2.0  # seconds between two looks at a carrier that tells when something arrives
_FRACTION = 0.25  # … by the time since something moved
_TROUBLE = (
    60.0  # seconds to tolerate an agent that does not answer: by then the guest has given us up
)


class Exchange:
    """Has the agent and the screen, both of which may hang, until the program has ended.

    Then `fileno()` is readable, and `error` is what went wrong.
    """

    def __init__(self, carrier: Carrier, screen: BinaryIO) -> None:
        self.carrier = carrier
        self.error: BaseException | None = None
        self.mute = False  # nothing more for the screen
        self.fresh = True  # whether what the screen shows ends with a whole line
        self.screen = screen
        self._showing = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        self._nudged, self._nudge = os.pipe()
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._patience = Patience(carrier.agent, busy=_TROUBLE, away=_TROUBLE)

    def start(self) -> None:
        """Begin; the screen must be raw by now."""
        threading.Thread(target=self._run, daemon=True).start()

    def fileno(self) -> int:
        """For select."""
        return self._wake_read

    def request(self, act: Callable[[], None]) -> None:
        """Have a method of the carrier called between two exchanges, and at once."""
        self._requests.put(act)
        os.write(self._nudge, b".")

    def wait(self, seconds: float) -> None:
        """Wait for the end, but not for ever."""
        select.select([self], [], [], seconds)

    def settle(self) -> None:
        """Wait until what is under way to the screen is there: what we say comes after it."""
        with self._showing:
            self.mute = True

    def _run(self) -> None:
        self._vigil = Vigil(self.carrier.beat)
        try:
            self._relay()
        except BaseException as error:  # carried to the job's thread, raised there
            self.error = error
        self._vigil.end()
        try:
            self.carrier.close()
        except BaseException as error:  # the agent's link, closed under us: our time was over
            self.error = self.error or error
        os.write(self._wake_write, b".")

    def _relay(self) -> None:
        moved, busy = time.monotonic(), True
        while self.carrier.code is None:
            if self.carrier.arrives >= 0:
                self._serve(0.0 if busy else _IDLE)
            else:
                pause = (time.monotonic() - moved) * _FRACTION
                self._serve(min(max(pause, _SOONEST), _LATEST))
            busy = self._exchange()
            if busy:
                moved = time.monotonic()

    def _serve(self, pause: float) -> None:
        """Wait, but follow at once the orders that come, and return when something arrives."""
        watched = [self._nudged, *([self.carrier.arrives] if self.carrier.arrives >= 0 else [])]
        if self._nudged in select.select(watched, [], [], pause)[0]:
            os.read(self._nudged, 4096)
        with contextlib.suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()

    def _exchange(self) -> bool:
        """One turn with the agent. Whether something moved."""
        try:
            sent = self.carrier.push()
            shown = self.carrier.pull()
        except (Busy, Frozen, NotAnswering, NotRunning, Unsupported) as error:
            self._tolerate(error)
            return False
        self._patience.reset()
        with self._showing:
            if shown and not self.mute:
                with (
                    self._vigil
                ):  # whose window is a link that stands still reads for minutes nothing
                    self.screen.write(shown)
                    self.screen.flush()
                self.fresh = shown.endswith(b"\n")
        return sent or bool(shown) or self.carrier.ready()

    def _tolerate(self, error: QgaError) -> None:
        """Let a failure pass that lost nothing and may be over soon, or raise it.

        Unsupported is what a freeze looks like when it ends before it has been asked for.
        """
        lost = self.carrier.agent.sent and not isinstance(error, Refused)
        if lost or not self._patience.tolerates(error):
            raise error
