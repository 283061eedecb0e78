"""How a terminal's bytes travel: by a device in the guest that the agent polls for output.

What stands at the guest's end differs: by_python.py, by_script.py.
"""

from __future__ import annotations

import re

from qga_cli.agent import Agent
from qga_cli.agent.file import AgentFile
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.errors import QgaError, Refused
from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READ = 65536  # bytes a call: more than the guest ever has ready
_PATIENCE = 50.0  # seconds for a call: by then the guest has given us up
DEVICE = re.compile(r"/dev/pts/\d{1,9}")
PARTING = 3.0  # seconds for a call when all is over


class TerminalRequest:
    """What to run on the terminal."""

    __slots__ = ("clean", "environment", "owner", "ports", "program", "size")

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
        self.ports: list[str] = []  # names, of the output first, the nonce and the mark of the end


class Carrier:
    """Keys to a program, its output back. Not for two threads at once.

    `code` is the program's exit code, None while it runs. `arrives` is readable when there is
    something to pull; -1 where only pulling tells.
    """

    arrives = -1

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.code: int | None = None
        self._files: list[AgentFile] = []
        self._patience = _PATIENCE

    def type(self, keys: bytes) -> None:
        """Queue what the program is to read."""
        raise NotImplementedError

    def resize(self, size: tuple[int, int]) -> None:
        """Set the terminal's rows and columns."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Have the program get SIGHUP, before it reads what is still queued."""
        raise NotImplementedError

    def full(self) -> bool:
        """Whether enough is queued. From any thread."""
        raise NotImplementedError

    def push(self) -> bool:
        """Send as much of what is queued as the guest can take. False when that is nothing."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether `push` would send something that it could not send before the last `pull`."""
        return False

    def pull(self) -> bytes:
        """What the program has written since; empty when nothing."""
        raise NotImplementedError

    def beat(self) -> None:
        """Tell the guest's end that we live, while the screen takes nothing. Nothing to be done
        where that end sees it itself."""

    def close(self) -> None:
        """Let the guest's end go, and the agent's handles."""
        self._patience = PARTING
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
        self._patience = PARTING
        try:
            while self._files:
                self._files.pop().close()
        except QgaError as error:
            self.agent.trace(1, f"leaving handles to the agent: {error.message}")

    def _open(self, path: str, mode: str) -> AgentFile:
        file = AgentFile(self._call, path, mode)
        self._files.append(file)
        return file

    def _call(self, command: Command, arguments: dict[str, object]) -> Any:
        try:
            return self.agent.call(command, arguments, self._patience).value
        except Refused as error:
            if type(error) is not Refused or command is OPEN:
                raise
            text = "the guest's end of the terminal has gone"
            raise Refused(text, desc=error.desc, details=error.desc) from error
