"""The way to a guest whose agent must be reached whatever has happened before."""

from __future__ import annotations

from qga_cli.agent import Agent, Reply
from qga_cli.errors import NoGuest, QgaError, Refused
from qga_cli.guests.targets import Target
from qga_cli.transports import STOPPED, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qga_cli.agent import Trace
    from qga_cli.policy.guard import Guard
    from qga_cli.spec import Command
    from qga_cli.transports import HostConnection, Transport


class Connection:
    """The way to one guest's agent, opened anew after it has failed.

    It has a connection of its own. A raw socket is closed after each call: QEMU serves one client
    at a time, and the watchdog must get through.
    """

    def __init__(
        self, target: Target, trace: Trace | None = None, guard: Guard | None = None
    ) -> None:
        self.target = target
        self._trace = trace
        self._guard = guard
        self._host: HostConnection | None = None
        self._agent: Agent | None = None

    def call(
        self,
        command: Command,
        arguments: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """As Agent.call. Raises Unreachable and NoGuest too."""
        agent = self._open()
        try:
            return agent.call(command, arguments, timeout)
        except Refused:
            raise
        except QgaError:
            self.drop()
            raise
        finally:
            agent.transport.close()

    def warn(self, text: str) -> None:
        """Print a warning about this guest."""
        if self._trace:
            self._trace(0, f"{self.target.label}: {text}")

    def state(self) -> str:
        """The guest's run state; "" when nobody can tell."""
        try:
            return self._open().transport.state()
        except NoGuest:
            return "gone"

    def identity(self) -> tuple[str, str]:
        """The host's URI, and the guest's own name there. Raises Unreachable and NoGuest."""
        return self._open().transport.identity()

    def is_gone(self, error: BaseException) -> bool:
        """Whether a call ended so because the guest does not run: there is nothing to thaw."""
        if isinstance(error.__cause__, (FileNotFoundError, ConnectionRefusedError)):
            return True  # no QEMU holds its raw socket
        try:
            return self.state() in STOPPED
        except QgaError:
            return False  # nobody can tell: the host cannot be reached

    def drop(self) -> None:
        """Close the connection."""
        if self._host:
            self._host.close()
        self._host = self._agent = None

    def _open(self) -> Agent:
        if self._agent is None:
            self.drop()
            self._host = connect(self.target.uri)
            transport: Transport = self._host.open(self.target.name)
            if self._guard:
                transport = self._guard.wrap(transport, self.target.uri, self.target.name)
            self._agent = Agent(transport, self.target.label, self._trace)
        return self._agent
