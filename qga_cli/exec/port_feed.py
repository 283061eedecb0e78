"""A program's input on its way to a port of ours."""

from __future__ import annotations

import threading
import time

from qga_cli.errors import OutcomeUnknown, QgaError, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.channel.port import OutPort
    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.stdin import InputFeed

_LATER = 0.25  # seconds until the end may be near
_FIRST, _SLOW = 0.005, 2.0  # seconds between two looks whether the program was given its input


class PortFeed:
    """Sends it, in a thread of its own."""

    def __init__(self, feed: InputFeed, port: OutPort, calls: AgentCalls) -> None:
        self.port = port
        self._feed = feed
        self._calls = calls
        self._sent = 0
        self._all = self._over = False
        self._trouble: QgaError | None = None
        self._relay = 0
        self._next = 0.0
        self._every = _FIRST

    def begin(self, relay: int) -> None:
        """Send from now on; `relay` is the pid of who passes it on to the program."""
        self._relay = relay
        threading.Thread(target=self._send, daemon=True).start()

    def stop(self) -> None:
        """Send no more."""
        self._over = True

    def pause(self) -> float:
        """Seconds until `ends` may know more."""
        return max(0.0, self._next - time.monotonic()) if self._all else _LATER

    def ends(self) -> bool:
        """Whether the port can be closed: the program was given everything, or has gone.

        What QEMU has not read when we close is lost, so the relay is asked what it has written.
        Raises FileError when the input could not be read.
        """
        if self._trouble:
            raise self._trouble
        if not self._all or time.monotonic() < self._next:
            return False
        self._every = min(self._every * 1.5, _SLOW)
        try:
            given = self._calls.written(self._relay)
        except Refused:
            return True  # the relay has gone
        self._next = time.monotonic() + self._every
        return given >= self._sent

    def _send(self) -> None:
        try:
            while not self._over:
                piece = self._feed.more()
                if piece is None:
                    continue
                if not piece:
                    self._all = True
                    return
                self.port.write(piece)
                self._sent += len(piece)
        except OutcomeUnknown:
            return  # who reads the output is told
        except QgaError as error:
            self._trouble = error
