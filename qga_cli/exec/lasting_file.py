"""A file of the guest's that outlives the agent by which it was opened."""

from __future__ import annotations

from qga_cli.agent.file import AgentFile
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.seek import COMMAND as SEEK
from qga_cli.errors import OutcomeUnknown, Refused
from qga_cli.exec.unsettled import is_forgotten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.spec import Command


class LastingFile(AgentFile):
    """A file that is opened anew where the agent was restarted: its owner holds it open too."""

    def __init__(self, calls: AgentCalls, path: str, mode: str) -> None:
        self._calls = calls
        super().__init__(calls.call, path, mode, chunk=calls.agent.transport.write_chunk)
        self.first = self._handle  # its number for us, whatever a new agent gives it

    def read(self, count: int) -> bytes:
        """See AgentFile. A lost reply is asked for again, from where we were."""
        try:
            return super().read(count)
        except OutcomeUnknown:
            if not self._calls.patient:
                raise
            self.seek(self.position)
            return super().read(count)

    def _on(self, command: Command, **arguments: object) -> Any:
        try:
            return super()._on(command, **arguments)
        except Refused as error:
            if command is CLOSE or not is_forgotten(error) or self._mode == "w":  # which empties it
                raise
            forgotten = error
        self._calls.agent.trace(1, f"the agent was restarted: {self.path} is opened anew")
        try:
            self._handle = self._open()
        except Refused:  # what held it has ended with the agent
            raise forgotten from None
        if self.position:
            super()._on(SEEK, offset=self.position, whence=0)
        return super()._on(command, **arguments)
