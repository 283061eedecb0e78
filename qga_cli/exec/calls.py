"""The agent calls that carry a running program: a freeze in the middle is waited for, not fatal,
and so are a pause, as for a snapshot, the end of a migration, and an agent that is restarted.

A new agent knows none of the pids and handles that the old one gave. What we have open is held by
a process in the guest, so it is opened once more; whether a program runs, /proc tells.
"""

import time

from qga_cli import wire
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.flush import COMMAND as FLUSH
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ
from qga_cli.commands.file.seek import COMMAND as SEEK
from qga_cli.commands.file.write import COMMAND as WRITE
from qga_cli.errors import (
    AgentUnavailable,
    Busy,
    Frozen,
    Interrupted,
    NotDelivered,
    NotRunning,
    OutcomeUnknown,
    QgaError,
    Refused,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.interrupt import Interrupt
    from qga_cli.spec import Command

_THAW = 0.25  # seconds between two looks whether the guest is thawed
_PAUSE = 60.0  # seconds to bear a guest that is paused; its program and its clock stand still too
_AGAIN = (EXEC_STATUS, FLUSH, SEEK)  # may be sent again when their reply was lost
_BY_PATH = (EXEC, OPEN)  # what takes paths
_RETURN = 30.0  # seconds for an agent to come back; a keeper without us gives up after 40


class AgentCalls:
    """What a running program needs of the agent. Not for two threads at once."""

    def __init__(self, agent: "Agent", interrupt: "Interrupt") -> None:
        self.agent = agent
        self.interrupt = interrupt
        self._count = 0
        self._seconds = 0.0
        self._pids: set[int] = set()  # whose end is seen without what the agent keeps of them
        self._opened: dict[int, _Opened] = {}
        # The beginning of paths that lead through a process of ours, and what raises QgaError if
        # its pid may be another's by now. Asked before each call with such a path is sent.
        self.through = ""
        self.sure: Callable[[], object] = bool

    @property
    def mean(self) -> float:
        """Seconds that a call has taken so far: how slow this guest is just now."""
        return self._seconds / max(1, self._count)

    def start(
        self,
        argv: "Sequence[str]",
        *,
        capture: bool = False,
        stdin: bytes = b"",
        env: "Sequence[str] | None" = None,
    ) -> int:
        """Start a program and return its pid; `status` must be asked until it has exited."""
        arguments: dict[str, object] = {"path": argv[0]}
        if len(argv) > 1:
            arguments["arg"] = list(argv[1:])
        if env is not None:
            arguments["env"] = list(env)
        if stdin:
            arguments["input-data"] = wire.to_base64(stdin)
        if capture:
            arguments["capture-output"] = True
        first = not self.patient
        pid: int = self._call(EXEC, arguments)["pid"]
        if first or not (capture or stdin):  # the first has pipes of its own
            self._pids.add(pid)
        return pid

    def status(self, pid: int) -> "Mapping[str, Any]":
        """What became of it; the agent tells of an exit only once."""
        try:
            status: Mapping[str, Any] = self._call(EXEC_STATUS, {"pid": pid})
        except Refused as error:
            if pid in self._pids and is_forgotten(error) and self._runs(pid):
                return {"exited": False}
            raise
        if status["exited"]:
            self._pids.discard(pid)
        return status

    def open(self, path: str, mode: str) -> int:
        """A handle. Raises Refused, Unsupported when file commands are blocked."""
        handle: int = self._call(OPEN, {"path": path, "mode": mode})
        self._opened[handle] = _Opened(handle, path, mode)
        return handle

    def read(self, handle: int, count: int) -> bytes:
        """What there is, up to `count` bytes; empty at the end of the file as it is now."""
        opened = self._opened[handle]
        try:
            said = self._on(handle, READ, count=count)
        except OutcomeUnknown:  # the reply was lost, and what was read with it
            if not self.patient:
                raise
            self._on(handle, SEEK, offset=opened.position, whence="set")
            said = self._on(handle, READ, count=count)
        data = wire.from_base64(said["buf-b64"] or "")
        opened.position += len(data)
        return data

    def write(self, handle: int, data: bytes, *, flush: bool = False) -> None:
        """Write all of it. With `flush` it is in the file when this returns."""
        self._on(handle, WRITE, **{"buf-b64": wire.to_base64(data)})
        if flush:
            self._on(handle, FLUSH)

    def rewind(self, handle: int) -> None:
        """Go on at the file's beginning."""
        self._on(handle, SEEK, offset=0, whence="set")
        self._opened[handle].position = 0

    def close(self, handle: int) -> None:
        """Close the handle."""
        opened = self._opened.pop(handle)
        try:
            self._call(CLOSE, {"handle": opened.number})
        except Refused as error:
            if not is_forgotten(error):  # else it went with the agent
                raise

    def idle(self) -> bool:
        """Whether nothing but the agent runs in the guest just now: all else waits."""
        try:
            handle = self.open("/proc/loadavg", "r")
        except Refused:
            return False  # nobody can tell
        load = self.read(handle, 64).split()
        self.close(handle)
        return load[3:4] != [] and load[3].startswith(b"1/")  # runnable/all: proc_loadavg(5)

    def _on(self, handle: int, command: "Command", **arguments: object) -> "Any":
        """A call with a handle of ours, opened anew where the agent has forgotten it."""
        opened = self._opened[handle]
        try:
            return self._call(command, {"handle": opened.number, **arguments})
        except Refused as error:
            if not is_forgotten(error) or opened.mode == "w":  # which would empty it
                raise
        self.agent.trace(1, f"the agent was restarted: {opened.path} is opened anew")
        opened.number = self._call(OPEN, {"path": opened.path, "mode": opened.mode})
        if opened.position:
            to = {"handle": opened.number, "offset": opened.position, "whence": "set"}
            self._call(SEEK, to)
        return self._call(command, {"handle": opened.number, **arguments})

    def _runs(self, pid: int) -> bool:
        """Whether there is such a process in the guest."""
        try:
            handle = self.open(f"/proc/{pid}/stat", "r")
        except Refused:
            return False
        said = self.read(handle, 4096)
        self.close(handle)
        return said.rpartition(b")")[2].split()[:1] not in ([], [b"Z"])

    def _call(self, command: "Command", arguments: "Mapping[str, object]") -> "Any":
        first = time.monotonic()
        waiting = False
        while True:
            if self.through and command in _BY_PATH and self.through in str(arguments):
                self.sure()
            begun = time.monotonic()
            try:
                value = self.agent.call(command, arguments).value
                self._count += 1
                self._seconds += time.monotonic() - begun
                return value
            # No command has got it, or one that may be repeated.
            except (Frozen, AgentUnavailable, NotRunning, OutcomeUnknown) as error:
                lost = isinstance(error, OutcomeUnknown) and command not in _AGAIN
                if lost or not self.patient or not self._may_come(error, first):
                    raise
                if isinstance(error, AgentUnavailable | OutcomeUnknown) and error.kind != "busy":
                    if not waiting:
                        self.agent.trace(1, f"{error.said()}: waiting for the agent")
                    waiting = True
            if self.interrupt.sleep(_THAW, max(1, self.interrupt.count)):
                raise Interrupted(self.interrupt.last)

    def _may_come(self, error: QgaError, since: float) -> bool:
        """Whether what stands in the way may be over soon."""
        if isinstance(error, NotRunning):
            return self._may_go_on(since)
        if isinstance(error, Frozen | Busy):
            return True
        return time.monotonic() < since + _RETURN

    def _may_go_on(self, since: float) -> bool:
        """Whether a guest that stands still is paused, and not for long, or in the last step of a
        migration, which may fail yet."""
        state = self.agent.transport.state()
        return state == "migrating" or (state == "paused" and time.monotonic() < since + _PAUSE)

    patient = False  # set once the program runs: before, a refusal is the answer


class _Opened:
    """What a handle of ours stands for: the agent's own number of it, and where it is."""

    def __init__(self, number: int, path: str, mode: str) -> None:
        self.number = number
        self.path = path
        self.mode = mode
        self.position = 0


def is_forgotten(error: QgaError) -> bool:
    """Whether the agent says that it never gave this pid or handle: another one did."""
    desc = error.desc if isinstance(error, Refused) else ""
    handle = desc.startswith("handle ") and "has not been found" in desc
    return handle or "'pid'" in desc or "PID" in desc


def unsettled(error: QgaError, begun: str) -> QgaError:
    """What `error` means once something may have had an effect in the guest, told by `begun`.

    That the agent has not got the last call makes the first no safer to repeat.
    """
    if isinstance(error, NotDelivered):
        said = error.said()
    elif is_forgotten(error):
        said = "the agent was restarted"
    else:
        return error
    return OutcomeUnknown(f"{said}: {begun}", hint=error.advice, details=error.details)
