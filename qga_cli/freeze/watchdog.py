"""The process that thaws a guest when the qga that froze it cannot.

    qga                          watchdog, in a session of its own: READY
    {"uri", "name", "label"} ──▶ opens a connection of its own, asks the agent something; works in /
                             ◀── ready, or: no REASON
    arm SECONDS TOKEN        ──▶ responsible from now on, for the freeze of that name: ARMED
                             ◀── armed
    (freezes)
    frozen                   ──▶ the freeze has been answered, and cannot come late: FROZEN
    child PID                ──▶ the process group to end when qga has died; 0 for none
    leave                    ──▶ nothing is frozen: ends
    stay                     ──▶ guards on until the deadline, qga goes
                             ◀── staying

A later freeze of ours (record.py) is not its own, and left to whoever made it. Whatever else
happens once it is armed means thaw: end of file (qga has died in some way), the deadline (qga is
stopped, or stuck), SIGTERM (the host shuts down).

Descriptors, while a command runs under a freeze:

    |         | qga's                                | the watchdog's       | the command's       |
    |---------|--------------------------------------|----------------------|---------------------|
    | 0, 1, 2 | its standard streams                 | 0: the socket to qga | qga's own           |
    | sockets | one to each watchdog, one to the     | -                    | the gate, until it  |
    |         | command: its gate, until it starts   |                      | is executed         |
    | pidfd   | of the command                       | -                    | -                   |
    | agent   | a connection of its own              | likewise             | -                   |
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import syslog
import time
from enum import Enum

from qga_cli.errors import QgaError
from qga_cli.format import printable
from qga_cli.freeze import steps
from qga_cli.freeze.connection import Connection
from qga_cli.freeze.record import Record
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qga_cli.policy.guard import Guard

_GRACE = 1.0  # seconds past the deadline in which a qga that is well thaws by itself
# A freeze that qga had sent when it died may still wait in libvirt's daemon for its turn, although
# its client has gone. It gets its turn as soon as the agent is idle: so it is not on its way any
# more when all looks for this many seconds, with pauses between them, were answered with thawed.
_LATE = 2.0
_LOOK = 0.5  # seconds between two looks whether somebody else has thawed
_STUCK = 60.0  # seconds after which a call is given up that libvirt should have ended itself
_FIRST, _CEILING = 0.05, 5.0  # seconds between two attempts to thaw
_REPEAT = 60.0  # seconds between two complaints in the log
_DAY = 86400.0
_TOLD = "the watchdog was told to end"


class _FreezeState(Enum):
    """What there is to thaw. See the chart at the top."""

    READY = "nothing"
    ARMED = "a freeze that may be on its way"
    FROZEN = "a freeze that has been answered"


class Watch:
    """One watchdog's life. `channel` leads to qga."""

    def __init__(
        self, channel: socket.socket, interrupt: Interrupt, guard: Guard | None = None
    ) -> None:
        self._guard = guard
        self._channel = channel
        self._interrupt = interrupt
        self._buffer = b""
        self._child = 0
        self._state = _FreezeState.READY
        self._token = ""  # of the freeze that it guards
        self._record = Record(("", ""))

    def __call__(self) -> None:
        """Watch until nothing is frozen."""
        first = self._read(_DAY)
        if not first:
            return  # qga has died already
        self._target = Target(**json.loads(first))
        self._connection = Connection(self._target, guard=self._guard)
        try:
            self._try(steps.is_frozen)
            self._record = Record(self._try(Connection.identity))
        except QgaError as error:
            self._tell(f"no {error.message}")
            return
        self._tell("ready")
        try:
            reason = self._watch()
        except Exception as error:  # a bug of ours must not leave a guest frozen
            reason = f"the watchdog has a bug ({type(error).__name__}: {error})"
        if reason:
            self._log(syslog.LOG_WARNING, f"thawing: {reason}")
            self._thaw()

    def _watch(self) -> str:
        """Why the guest has to be thawed; "" when it has not."""
        deadline = time.monotonic() + _DAY
        while True:
            said = self._read(deadline - time.monotonic())
            word, _, value = said.partition(" ")
            if word == "arm":
                seconds, _, self._token = value.partition(" ")
                deadline = time.monotonic() + float(seconds) + _GRACE
                self._state = _FreezeState.ARMED
                self._log(syslog.LOG_NOTICE, f"freezing, for {float(seconds):g} s at most")
                self._tell("armed")
            elif word == "frozen":
                self._state = _FreezeState.FROZEN
            elif word == "child":
                self._child = int(value)
            elif word == "leave":
                self._log(syslog.LOG_NOTICE, "not frozen any more")
                return ""
            elif word == "stay":
                self._tell("staying")
                return self._stay(deadline - _GRACE)
            elif self._state is _FreezeState.READY:
                return ""
            elif not self._interrupt.count and time.monotonic() < deadline:
                return "the qga that froze it has died"
            else:
                self._child = 0  # qga is there to end it
                told = self._interrupt.count
                return _TOLD if told else "the freeze's time is over and qga has not thawed"

    def _stay(self, deadline: float) -> str:
        """As `_watch`, when qga has gone on purpose."""
        while (left := deadline - time.monotonic()) > 0 and not self._interrupt.count:
            self._interrupt.select([], min(_LOOK, left), 0)
            if self._is_anothers():
                return ""
            try:
                if not self._try(steps.is_frozen, max(_LOOK, left)):
                    self._log(syslog.LOG_NOTICE, "thawed by somebody else")
                    self._record.clear(self._token)
                    return ""
            except QgaError as error:  # no answer: the deadline still holds
                if self._is_gone(error):
                    return ""
        return _TOLD if self._interrupt.count else "the freeze's time is over"

    def _thaw(self) -> None:
        """Thaw until nothing is frozen, nor will be."""
        begin = time.monotonic()
        pause, complain, calm = _FIRST, begin, 0.0
        while not self._is_anothers():
            try:
                count = self._try(lambda connection: steps.thaw(connection, 0))
            except Exception as error:  # whatever it is, giving up leaves the guest frozen
                if time.monotonic() >= complain:
                    self._log(syslog.LOG_ERR, f"cannot thaw, goes on trying: {error}")
                    complain = time.monotonic() + _REPEAT
                if self._is_gone(error):
                    return
                pause, calm = min(pause * 2, _CEILING), 0.0
            else:
                pause = _FIRST
                now = time.monotonic()
                calm = calm or now
                if count != 0 or self._state is _FreezeState.FROZEN or now - calm > _LATE:
                    how = "was so already" if count == 0 else f"{count or 'some'} filesystems"
                    self._log(syslog.LOG_WARNING, f"thawed after {now - begin:.1f} s ({how})")
                    self._record.clear(self._token)
                    return
            finally:
                self._end_child()
            time.sleep(pause)

    def _is_anothers(self) -> bool:
        """Whether a later freeze of ours began: the guest had been thawed, or started anew.

        A hung freeze ends with a reset, of which nobody tells a watchdog that goes on trying.
        """
        if not self._record.is_anothers(self._token):
            return False
        self._log(syslog.LOG_NOTICE, "another freeze has begun since: left to it")
        self._end_child()
        return True

    def _is_gone(self, error: BaseException) -> bool:
        """Whether the guest does not run here any more."""
        with contextlib.suppress(Exception):  # nobody can tell: it is tried further
            if self._try(lambda connection: connection.is_gone(error)):
                where = "if it was saved or has migrated, run `qga fs thaw` where it runs again"
                self._log(syslog.LOG_WARNING, f"not running here any more; {where}")
                return True
        return False

    def _try(self, work: Callable[[Connection], Any], limit: float = _STUCK) -> Any:
        """Do it in a thread, for libvirt may never come back; after an error with a new line."""
        connection = self._connection
        fleet = Fleet([self._target], lambda *_: work(connection), Interrupt(), limit=limit)
        ((_, outcome),) = fleet.outcomes()
        if outcome.error:
            self._connection = Connection(self._target, guard=self._guard)
            raise outcome.error
        return outcome.value

    def _end_child(self) -> None:
        """End the command that takes the guest for frozen; nobody else is left to do it."""
        if self._child:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
                os.killpg(self._child, signal.SIGTERM)
                os.killpg(self._child, signal.SIGCONT)
            self._child = 0

    def _read(self, seconds: float) -> str:
        """The next line from qga; "" at its end, at a signal, and when the time is over."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if not self._interrupt.select([self._channel], left, 0):
                return ""
            try:
                data = self._channel.recv(4096)
            except ConnectionResetError:
                data = b""
            if not data:
                return ""
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):  # qga has died: the next read tells
            self._channel.sendall(text.encode() + b"\n")

    def _log(self, priority: int, text: str) -> None:
        syslog.syslog(priority, printable(f"{self._target.label}: {text}"))


def main() -> None:
    """Serve the qga at the other end of standard input."""
    syslog.openlog("qga", syslog.LOG_PID, syslog.LOG_DAEMON)
    os.chdir("/")  # or the filesystem that qga works in could not be unmounted
    interrupt = Interrupt()
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda signum, frame: interrupt.set(signum))
    guard = None
    if sys.argv[2:]:  # qga's audit; a watchdog sends nothing that a policy could forbid
        from qga_cli.policy.audit import Audit
        from qga_cli.policy.guard import Guard

        guard = Guard(None, Audit.joined(sys.argv[2:]))
    Watch(socket.socket(fileno=0), interrupt, guard)()
    os._exit(0)  # a call that is stuck must not hold us


if __name__ == "__main__":
    main()
