"""One guest held frozen, with a watchdog that thaws it should we die."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time

from qga_cli import survivor
from qga_cli.agent import Reply
from qga_cli.errors import (
    BadReply,
    Frozen,
    NotConsistent,
    NotDelivered,
    OutcomeUnknown,
    QgaError,
    Refused,
)
from qga_cli.freeze import steps
from qga_cli.freeze.connection import Connection
from qga_cli.freeze.record import RESET, Record, new_token
from qga_cli.guests.targets import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qga_cli.agent import Trace
    from qga_cli.policy.guard import Guard

_START = 60.0  # seconds for a watchdog to start, connect and hear the agent; libvirt may take 45
_ANSWER = 5.0  # seconds for a watchdog that has nothing to do but answer
_FREEZE = 60.0  # seconds for a freeze, however long it is to last
_THAW = 5.0  # seconds that we try to thaw before the watchdog is left alone with it


class Watchdog:
    """Our end of a watchdog process; see watchdog.py for what is said."""

    def __init__(self, target: Target, guard: Guard | None = None) -> None:
        audit = guard.audit_words() if guard else ()
        argv, environment = survivor.python("qga_cli.freeze.watchdog", target.label, *audit)
        try:
            self._ours, theirs = socket.socketpair()
            with theirs:
                self._process = self._start(argv, environment, theirs)
        except OSError as error:  # too many processes or files
            said = f"nothing was frozen: no watchdog can be started: {error.strerror}"
            raise QgaError(said).of(target) from error
        self.pid = self._process.pid
        there = target.from_root()
        self._tell(json.dumps({name: getattr(there, name) for name in there.__slots__}))

    def fileno(self) -> int:
        """For select: readable once it is dead."""
        return self._ours.fileno()

    def await_ready(self) -> None:
        """Return when it has heard the agent."""
        said = self._hear(_START)
        if said != "ready":
            reason = said.removeprefix("no ") or "it has died"
            raise QgaError(f"nothing was frozen: the watchdog cannot guard it: {reason}")

    def arm(self, seconds: float, token: str) -> None:
        """Make it responsible for a thaw within that time."""
        self._tell(f"arm {seconds} {token}")
        if self._hear(_ANSWER) != "armed":
            raise QgaError("nothing was frozen: the watchdog has died")

    def frozen(self) -> None:
        """Tell it that the freeze is done, and cannot come later."""
        self._tell("frozen")

    def child(self, pid: int) -> None:
        """Name the process group to end should we die; 0 for none any more."""
        self._tell(f"child {pid}")

    def stay(self) -> bool:
        """Let it guard until its deadline without us; False when it is dead."""
        self._tell("stay")
        return self._hear(_ANSWER) == "staying"

    def leave(self) -> None:
        """Let it end: nothing is frozen."""
        self._tell("leave")
        self.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it ends, if slowly
            self._process.wait(_ANSWER)

    def close(self) -> None:
        """Leave it alone: one that is responsible thaws."""
        self._ours.close()

    def _start(
        self, argv: Sequence[str], environment: Mapping[str, str], channel: socket.socket
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                argv,
                stdin=channel.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except BaseException:
            self._ours.close()
            raise

    def _tell(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `_hear` finds it dead
            self._ours.sendall(text.encode() + b"\n")

    def _hear(self, seconds: float) -> str:
        self._ours.settimeout(seconds)
        try:
            return self._ours.recv(4096).decode("utf-8", "replace").partition("\n")[0]
        except OSError:  # too late, or reset by its death
            return ""


class FrozenGuest:
    """One guest, and what is known of its freeze. `count` filesystems, frozen at `since`."""

    def __init__(self, target: Target, trace: Trace, guard: Guard | None = None) -> None:
        self.target = target
        self.watchdog = Watchdog(target, guard)
        self.count = 0
        self.since = 0.0  # time.monotonic
        self._connection = Connection(target, trace, guard)
        self._mountpoints: Sequence[str] = ()
        self._least = 1
        self._token = new_token()
        self._record = Record(("", ""))

    def prepare(self, mountpoints: Sequence[str]) -> None:
        """Make sure of the guest and of the watchdog, as far as that goes without freezing."""
        self._mountpoints = mountpoints
        self._least = steps.check(self._connection, mountpoints)
        self.watchdog.await_ready()
        self._record = Record(self._connection.identity())

    def freeze(self, seconds: float, patience: float = _FREEZE) -> Reply:
        """Freeze for that time at most. After an error nothing stays frozen.

        `patience` in seconds: how long to wait for the freeze's answer.
        """
        self.watchdog.arm(seconds, self._token)
        until, before = time.time() + seconds, self._record.read()
        self._record.claim(self._token, self.watchdog.pid, until, frozen=False)
        try:
            timeout = min(seconds, patience, _FREEZE)
            reply = steps.freeze(self._connection, self._mountpoints, self._least, timeout)
        except (NotDelivered, Frozen) as error:  # nothing is frozen, or not by us
            if self._record.read().get("token") == self._token:  # else it says who was faster
                self._record.write(before)
            self.watchdog.leave()
            if isinstance(error, Frozen):
                steps.held(error, self._record)
            raise
        except Refused:  # maybe some filesystems are
            self._end()
            raise
        except (BadReply, OutcomeUnknown) as error:
            self._entrust(error, "whether it is frozen is not known")
            raise
        self._record.claim(self._token, self.watchdog.pid, until)
        self.watchdog.frozen()
        self.since = time.monotonic()
        self.count = reply.value
        return reply

    def thaw(self) -> None:
        """Thaw, if it is frozen by us. Raises NotConsistent when it was no longer frozen."""
        if not self.count:
            return
        count, self.count = self.count, 0
        if self._record.is_anothers(self._token):
            self.watchdog.leave()
            raise NotConsistent(
                "somebody else has thawed it, and another freeze has begun since, which is left "
                "alone: what was made meanwhile is NOT consistent"
            )
        left = self._end()
        if left is not None and left < count:
            raise NotConsistent(
                f"the freeze had ended by itself ({left} of {count} filesystems were still "
                "frozen): what was made meanwhile is NOT consistent",
                hint="Windows gives up after 10 s; on other guests somebody else has thawed",
            )

    def close(self) -> None:
        """Let go; a watchdog that is still responsible thaws."""
        self.watchdog.close()
        self._connection.drop()

    def _end(self) -> int | None:
        """Thaw; how many filesystems were frozen still, None when nobody can tell."""
        try:
            left = steps.thaw(self._connection, _THAW)
        except QgaError as error:
            if self._connection.is_gone(error):
                self.watchdog.leave()  # its record says nothing of where it runs again
                error.add(
                    before="cannot be thawed, and does not run here any more: ",
                    hint="if it was saved or has migrated, it is frozen still: "
                    "run `qga fs thaw VM` where it runs again",
                )
            else:
                self._entrust(error, "cannot be thawed")
            raise
        self._record.clear(self._token)
        self.watchdog.leave()
        return left

    def _entrust(self, error: QgaError, what: str) -> None:
        """Leave the guest to its watchdog, and have the error say so."""
        self.watchdog.child(0)
        self.watchdog.close()
        goes_on = f"its watchdog (pid {self.watchdog.pid}) goes on trying to thaw it"
        then = RESET if self._record.unanswered() else error.hint or "`qga fs status VM` tells"
        error.add(before=f"{what}: ", hint=f"{goes_on}; {then}")
