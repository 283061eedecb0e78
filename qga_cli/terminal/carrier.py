"""The way of a terminal's bytes: a device in the guest that the agent polls for output.

What stands at the guest's end differs: by_python.py, by_script.py.
"""

import re

from qga_cli.agent import Agent
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.flush import COMMAND as FLUSH
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ
from qga_cli.commands.file.write import COMMAND as WRITE
from qga_cli.errors import BadReply, QgaError, Refused
from qga_cli.spec import Command
from qga_cli.wire import from_base64, to_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_READ = 65536  # bytes a call: more than the guest ever has ready
_PATIENCE = 50.0  # seconds for a call: by then the guest has given us up
DEVICE = re.compile(r"/dev/pts/\d{1,9}")
PARTING = 3.0  # seconds for a call when all is over


class TerminalRequest:
    """What to run on the terminal."""

    __slots__ = ("clean", "environment", "owner", "program", "size")

    def __init__(
        self,
        program: list[bytes],
        *,
        size: tuple[int, int],
        environment: dict[bytes, bytes],
        clean: bool = False,
        owner: str = "root",
    ) -> None:
        self.program = program
        self.size = size  # rows, columns
        self.environment = environment  # merged with the agent's own, or …
        self.clean = clean  # … nothing else
        self.owner = owner  # of the terminal device


class Carrier:
    """Keys to a program, its output back. Not for two threads at once.

    `code` is the program's exit code, None while it runs.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.code: int | None = None
        self._handles: list[int] = []

    def type(self, keys: bytes) -> None:
        """Queue what the program is to read."""
        raise NotImplementedError

    def resize(self, size: tuple[int, int]) -> None:
        """Set the terminal's rows and columns."""
        raise NotImplementedError

    def hang_up(self, _: None = None) -> None:
        """Have the program get SIGHUP, before it reads what is still queued."""
        raise NotImplementedError

    def full(self) -> bool:
        """Whether enough is queued. From any thread."""
        raise NotImplementedError

    def push(self) -> bool:
        """Send as much of what is queued as the guest can take. False when that is nothing."""
        raise NotImplementedError

    def pull(self) -> bytes:
        """What the program has written since; empty when nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the guest's end go, and the agent's handles."""
        try:
            self._bid_farewell()
        except QgaError as error:
            self.agent.trace(1, f"leaving the terminal to the guest: {error.message}")
        self._release()

    def _bid_farewell(self) -> None:
        """Tell the guest's end that nobody will read on."""
        raise NotImplementedError

    def _release(self) -> None:
        """Close the agent's handles, as far as it answers."""
        try:
            while self._handles:
                self.agent.call(CLOSE, {"handle": self._handles.pop()}, PARTING)
        except QgaError as error:
            self.agent.trace(1, f"leaving handles to the agent: {error.message}")

    def _open(self, path: str, mode: str) -> int:
        handle = int(self.agent.call(OPEN, {"path": path, "mode": mode}).value)
        self._handles.append(handle)
        return handle

    def _read(self, handle: int) -> bytes:
        data = from_base64(self._call(READ, {"handle": handle, "count": _READ})["buf-b64"])
        if len(data) > _READ:  # else an agent that lies would have us hold 50 MB a call
            raise BadReply("the agent read more than it was asked for")
        return data

    def _write(self, handle: int, data: bytes, timeout: float = _PATIENCE) -> None:
        self._call(WRITE, {"handle": handle, "buf-b64": to_base64(data)}, timeout)

    def _flush(self, handle: int) -> None:
        self._call(FLUSH, {"handle": handle})

    def _call(
        self, command: Command, arguments: dict[str, object], timeout: float = _PATIENCE
    ) -> "Any":
        try:
            return self.agent.call(command, arguments, timeout).value
        except Refused as error:
            if type(error) is not Refused:
                raise
            text = "the guest's end of the terminal has gone"
            raise Refused(text, desc=error.desc, details=error.desc) from error
