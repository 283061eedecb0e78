"""How long a failure is tolerated that has lost nothing and may be over soon."""

from __future__ import annotations

import math
import time

from qga_cli.errors import Busy, Frozen, NotRunning, QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.agent import Agent

PAUSE = 60.0  # seconds for a guest that is paused; its programs and its clock stand still too


class Patience:
    """What one caller of an agent puts up with, in seconds since the first failure of a kind.

    `freeze`: until the thaw. `busy`: until another caller lets go of the agent. `away`: until an
    agent that was restarted, or does not answer, is back. A pause may be one of a snapshot; a
    migration ends with a pause, and may fail yet.
    """

    def __init__(
        self, agent: Agent, *, freeze: float = math.inf, busy: float = math.inf, away: float
    ) -> None:
        self._agent = agent
        self._freeze = freeze
        self._busy = busy
        self._away = away
        self._kind: type[QgaError] | None = None
        self._since = 0.0

    def tolerates(self, error: QgaError) -> bool:
        """Whether to try again a little later. Counts the time from the first such error on."""
        kind = next((one for one in (Frozen, NotRunning) if isinstance(error, one)), QgaError)
        now = time.monotonic()
        if kind is not self._kind:
            self._kind, self._since = kind, now
        waited = now - self._since
        if kind is Frozen:
            return waited < self._freeze
        if kind is NotRunning:
            state = self._agent.transport.state()
            # One that runs again, or has gone since, is no error of this kind: the next call tells.
            passes = state in ("paused", "running") and waited < PAUSE
            return state in ("migrating", "gone") or passes
        return waited < (self._busy if isinstance(error, Busy) else self._away)

    def reset(self) -> None:
        """The agent has answered."""
        self._kind = None
