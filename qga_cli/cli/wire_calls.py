"""The agent calls of one run: a plain command's, or those that a verb has made for it."""

from __future__ import annotations

import time

from qga_cli import render
from qga_cli.errors import QgaError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.agent import Agent, Reply
    from qga_cli.spec import Command


class WireCalls:
    """Makes them within the time that is left, and knows which may have run."""

    def __init__(
        self,
        command: Command,
        timeout: float | None,
        say: Callable[[int, str], None],
        *,
        fleet: bool,
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._say = say
        self._fleet = fleet
        self._agents: dict[str, Agent] = {}  # that were sent the command, by their guests

    def make(self, agent: Agent, arguments: dict[str, object]) -> Reply:
        """One, on this guest. Raises QgaError."""
        self._agents[agent.name] = agent
        if self._timeout is not None:
            agent.deadline = time.monotonic() + self._timeout
        try:
            reply = agent.call(self._command, arguments)
            if self._fleet:  # what cannot be shown is an error of this guest, and hides no other
                render.machine.readable(reply.value, self._command.result)
        except QgaError as error:
            if agent.deadline is not None and time.monotonic() >= agent.deadline:
                raise self.too_late(agent.name) from error
            raise
        if self._command.result is None:
            self._say(0, agent.delivered(self._command.name))
        return reply

    def too_late(self, guest: str) -> TimedOut:
        """What it means that this guest's work is not over in time."""
        told = self._may_have_run(self._agents.get(guest))
        return TimedOut(f"no answer within {self._timeout:g} s{told}")

    def any_may_have_run(self) -> str:
        """Words to put after what is said of an end; "" when nothing can have run."""
        return next(filter(None, map(self._may_have_run, self._agents.values())), "")

    def _may_have_run(self, agent: Agent | None) -> str:
        return ": it may have run" if agent and agent.sent and self._command.changes else ""
