"""The agent calls that carry a running program: a freeze in the middle is waited for, not fatal,
and so are a pause, as for a snapshot, the end of a migration, and an agent that is restarted.

A new agent knows none of the pids and handles that the old one gave. What we have open is held by
a process in the guest, so it is opened once more; whether a program runs, /proc tells.
"""

from __future__ import annotations

import contextlib
import time

from qga_cli.agent.program import request, wait_for_end
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.commands.file.flush import COMMAND as FLUSH
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.seek import COMMAND as SEEK
from qga_cli.errors import (
    AgentUnavailable,
    BadReply,
    Frozen,
    Interrupted,
    NotRunning,
    OutcomeUnknown,
    QgaError,
    Refused,
    Unsupported,
)
from qga_cli.exec.unsettled import is_forgotten
from qga_cli.inside import loaded, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.agent.patience import Patience
    from qga_cli.exec.lasting_file import LastingFile
    from qga_cli.interrupt import Interrupt
    from qga_cli.spec import Command

_THAW = 0.25  # seconds between two looks whether the guest is thawed
_AGAIN = (EXEC_STATUS, FLUSH, SEEK)  # may be sent again when their reply was lost
_BY_PATH = (EXEC, OPEN)  # what takes paths
_HELPER = 10.0  # seconds for a helper that ends at once
_REAP = 3.0  # seconds for programs that were told to end
_RETURN = 30.0  # seconds for an agent to come back; a keeper without us gives up after 40


class LeftRunning(Interrupted):
    """A second signal: the program runs on, and `run` tells its pid."""


class AgentCalls:
    """What a running program needs of the agent. Not for two threads at once."""

    patient = False  # set once the program runs: before, a refusal is the answer

    def __init__(self, agent: Agent, interrupt: Interrupt) -> None:
        self.agent = agent
        self.interrupt = interrupt
        self._patience: Patience | None = None  # made at the first failure
        self.forgotten: Refused | None = None  # what an agent says that was restarted: see end_of
        self._count = 0
        self._seconds = 0.0
        self._pids: set[int] = set()  # whose end is seen without what the agent keeps of them
        self._opened: dict[int, LastingFile] = {}
        # The beginning of paths that lead through a process of ours, and what raises QgaError if
        # its pid may be another's by now. Asked before each call with such a path is sent.
        self.through = ""
        self.sure: Callable[[], object] = bool
        self.check_time: Callable[[], object] = bool  # asked while a call is made again and again

    @property
    def mean(self) -> float:
        """Seconds that a call has taken so far: how slow this guest is just now."""
        return self._seconds / max(1, self._count)

    def start(
        self,
        argv: Sequence[str],
        *,
        capture: bool = False,
        stdin: bytes = b"",
        env: Sequence[str] | None = None,
        program: Sequence[str] = (),
    ) -> int:
        """Start a program and return its pid; `status` must be asked until it has exited.

        `program` is for the audit file: what was asked for, where `argv` is something around it.
        """
        first = not self.patient
        self.agent.transport.program = program
        try:
            asked = request(argv, capture=capture, stdin=stdin, env=env)
            pid: int = self.call(EXEC, asked)["pid"]
        finally:
            self.agent.transport.program = ()
        if first or not (capture or stdin):  # the first has pipes of its own
            self._pids.add(pid)
        return pid

    def status(self, pid: int) -> Mapping[str, Any]:
        """The state of the program; the agent reports its exit only once."""
        try:
            status: Mapping[str, Any] = self.call(EXEC_STATUS, {"pid": pid})
        except Refused as error:
            if pid in self._pids and is_forgotten(error) and self._runs(pid):
                return {"exited": False}
            if isinstance(error, Unsupported):  # by a policy; but the program has been started
                raise OutcomeUnknown(error.message, hint=error.hint) from error
            raise
        if status["exited"]:
            self._pids.discard(pid)
        return status

    def end_of(self, pid: int) -> Mapping[str, Any]:
        """As `status`; but a program that has ended, its agent before it, has `exited` and no code.

        Its last words may be on their way still. Where they do not come, `forgotten` says why.
        """
        try:
            return self.status(pid)
        except Refused as error:
            if not is_forgotten(error):
                raise
            self.forgotten = error
            return {"exited": True}

    def finish(self, pid: int, seconds: float = _HELPER) -> Mapping[str, Any]:
        """Wait for a helper to end, and return its last state. Raises QgaError if it does not."""
        status = wait_for_end(lambda: self.status(pid), seconds)
        if status is None:
            raise QgaError(f"a helper in the guest (pid {pid}) does not end")
        return status

    def signal_tree(self, wrapper: int, mark: str, name: str, kill_after: float | None) -> int:
        """Signal all that a wrapper's program has started, and kill what is left after so many
        seconds. Returns the pid of the helper that does it, to be reaped."""
        hundredths = 0 if kill_after is None else max(1, round(kill_after * 100))
        words = [str(wrapper), mark, name, str(hundredths)]
        self.agent.trace(1, f"SIG{name} to the program's process tree")
        shell, text = loaded("qga-end", script("exec/end"))
        return self.start([*shell, *words], stdin=text)

    def reap(self, pids: Iterable[int], seconds: float = _REAP) -> bool:
        """Have the agent forget programs that are ending, and wait; whether all have ended."""
        until = time.monotonic() + seconds
        with self.tidying():
            left = [pid for pid in pids if not self._reaped(pid, until - time.monotonic())]
            if left:
                self.agent.trace(1, f"still running in the guest: {left}")
            return not left
        return False

    @contextlib.contextmanager
    def tidying(self) -> Iterator[None]:
        """What is to be done once a program's end is known: no error of it takes the place of that.

        `tar x && reboot` ends well, and the agent has gone. What is left ends by itself.
        """
        try:
            yield
        except Interrupted:
            raise
        except QgaError as error:
            self.agent.trace(1, f"not cleaned up in the guest: {error.said()}")

    def _reaped(self, pid: int, seconds: float) -> bool:
        try:
            return wait_for_end(lambda: self.status(pid), seconds) is not None
        except Refused:
            return True  # the agent has forgotten it already

    def open(self, path: str, mode: str) -> int:
        """A handle. Raises Refused, Unsupported when file commands are blocked."""
        from qga_cli.exec.lasting_file import LastingFile

        file = LastingFile(self, path, mode)
        self._opened[file.first] = file
        return file.first

    def read(self, handle: int, count: int) -> bytes:
        """What there is, up to `count` bytes; empty at the end of the file as it is now."""
        return self._opened[handle].read(count)

    def write(self, handle: int, data: bytes, *, flush: bool = False) -> None:
        """Write all of it. With `flush` it is in the file when this returns."""
        self._opened[handle].write(data)
        if flush:
            self._opened[handle].flush()

    def seek(self, handle: int, offset: int, whence: int = 0) -> int:
        """Move the position, `whence` as for lseek; where it is then."""
        return self._opened[handle].seek(offset, whence)

    def close(self, handle: int) -> None:
        """Close the handle."""
        try:
            self._opened.pop(handle).close()
        except Refused as error:
            if not is_forgotten(error):  # else it went with the agent
                raise

    def read_once(self, path: str, count: int = 4096) -> bytes:
        """The beginning of a file. Raises Refused."""
        handle = self.open(path, "r")
        try:
            return self.read(handle, count)
        finally:
            self.close(handle)

    def written(self, pid: int) -> int:
        """Bytes that the process has written so far, to whatever. Raises Refused when it has gone.

        A kernel that does not count them has no such file: who needs the count asks first.
        """
        said = self.read_once(f"/proc/{pid}/io")  # proc_pid_io(5)
        count = said.partition(b"\nwchar: ")[2].partition(b"\n")[0]
        if not count.isdigit():
            raise BadReply(f"the guest's /proc/{pid}/io does not tell what was written")
        return int(count)

    def idle(self) -> bool:
        """Whether nothing but the agent runs in the guest just now: all else waits."""
        try:
            load = self.read_once("/proc/loadavg", 64).split()
        except Refused:
            return False  # nobody can tell
        return load[3:4] != [] and load[3].startswith(b"1/")  # runnable/all: proc_loadavg(5)

    def _runs(self, pid: int) -> bool:
        """Whether there is such a process in the guest."""
        try:
            said = self.read_once(f"/proc/{pid}/stat")
        except Refused:
            return False
        return said.rpartition(b")")[2].split()[:1] not in ([], [b"Z"])

    def call(self, command: Command, arguments: dict[str, object]) -> Any:
        """The result of one call, made again where that is safe and may help."""
        waiting = False
        while True:
            if self.through and command in _BY_PATH and self.through in str(arguments):
                self.sure()
            begun = time.monotonic()
            try:
                value = self.agent.call(command, arguments).value
                self._count += 1
                self._seconds += time.monotonic() - begun
                if self._patience:
                    self._patience.reset()
                return value
            # No command has got it, or one that may be repeated.
            except (Frozen, AgentUnavailable, NotRunning, OutcomeUnknown) as error:
                lost = isinstance(error, OutcomeUnknown) and command not in _AGAIN
                if lost or not self.patient or not self._tolerates(error):
                    raise
                if isinstance(error, AgentUnavailable | OutcomeUnknown) and error.kind != "busy":
                    if not waiting:
                        self.agent.trace(1, f"{error.said()}: waiting for the agent")
                    waiting = True
            self.check_time()
            # The first signal is the program's, and passed on when the agent answers again.
            heard = self.interrupt.sleep(_THAW, max(1, self.interrupt.count))
            if heard and self.interrupt.count > 1:
                raise LeftRunning(self.interrupt.last)

    def _tolerates(self, error: QgaError) -> bool:
        if self._patience is None:
            from qga_cli.agent.patience import Patience

            self._patience = Patience(self.agent, away=_RETURN)
        return self._patience.tolerates(error)
