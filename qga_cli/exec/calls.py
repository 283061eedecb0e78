"""The agent calls that carry a running program: a freeze in the middle is waited for, not fatal,
and so are a pause, as for a snapshot, and the end of a migration."""

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
from qga_cli.errors import Busy, Frozen, Interrupted, NotRunning, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.interrupt import Interrupt
    from qga_cli.spec import Command

_THAW = 0.25  # seconds between two looks whether the guest is thawed
_PAUSE = 60.0  # seconds to bear a guest that is paused; its program and its clock stand still too


class Calls:
    """What a running program needs of the agent. Not for two threads at once."""

    def __init__(self, agent: "Agent", interrupt: "Interrupt") -> None:
        self.agent = agent
        self.interrupt = interrupt
        self._count = 0
        self._seconds = 0.0

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
        pid: int = self._call(EXEC, arguments)["pid"]
        return pid

    def status(self, pid: int) -> "Mapping[str, Any]":
        """What became of it; the agent tells of an exit only once."""
        status: Mapping[str, Any] = self._call(EXEC_STATUS, {"pid": pid})
        return status

    def open(self, path: str, mode: str) -> int:
        """A handle. Raises Refused, Unsupported when file commands are blocked."""
        handle: int = self._call(OPEN, {"path": path, "mode": mode})
        return handle

    def read(self, handle: int, count: int) -> bytes:
        """What there is, up to `count` bytes; empty at the end of the file as it is now."""
        data = self._call(READ, {"handle": handle, "count": count})["buf-b64"]
        return wire.from_base64(data) if data else b""

    def write(self, handle: int, data: bytes, *, flush: bool = False) -> None:
        """Write all of it. With `flush` it is in the file when this returns."""
        self._call(WRITE, {"handle": handle, "buf-b64": wire.to_base64(data)})
        if flush:
            self._call(FLUSH, {"handle": handle})

    def rewind(self, handle: int) -> None:
        """Go on at the file's beginning."""
        self._call(SEEK, {"handle": handle, "offset": 0, "whence": "set"})

    def close(self, handle: int) -> None:
        """Close the handle."""
        self._call(CLOSE, {"handle": handle})

    def idle(self) -> bool:
        """Whether nothing but the agent runs in the guest just now: all else waits."""
        try:
            handle = self.open("/proc/loadavg", "r")
        except Refused:
            return False  # nobody can tell
        load = self.read(handle, 64).split()
        self.close(handle)
        return load[3:4] != [] and load[3].startswith(b"1/")  # runnable/all: proc_loadavg(5)

    def _call(self, command: "Command", arguments: "Mapping[str, object]") -> "Any":
        first = time.monotonic()
        while True:
            begun = time.monotonic()
            try:
                value = self.agent.call(command, arguments).value
                self._count += 1
                self._seconds += time.monotonic() - begun
                return value
            except (Frozen, Busy, NotRunning) as error:  # no command has got it: may be repeated
                stopped = isinstance(error, NotRunning) and not self._may_go_on(first)
                if stopped or not self.patient:
                    raise
            if self.interrupt.sleep(_THAW, max(1, self.interrupt.count)):
                raise Interrupted(self.interrupt.last)

    def _may_go_on(self, since: float) -> bool:
        """Whether a guest that stands still is paused, and not for long, or in the last step of a
        migration, which may fail yet."""
        state = self.agent.transport.state()
        return state == "migrating" or (state == "paused" and time.monotonic() < since + _PAUSE)

    patient = False  # set once the program runs: before, a refusal is the answer
