"""A scope of systemd's for a program in the guest, so that it outlives a restart of the agent."""

from __future__ import annotations

import math
import os
import time

from qga_cli.agent.program import request
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import QgaError
from qga_cli.inside import loaded_at_once, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.spec import Command

_SHORT = 1.0  # seconds: what ends within needs none; also the first pause between two looks
_CALL = 2.0  # seconds that the agent may take to start what moves it


def scope_name() -> str:
    """One that nobody has."""
    return f"qga-{os.urandom(8).hex()}.scope"


def mover(name: str) -> tuple[list[str], bytes]:
    """What moves processes there: the words of a shell, to which pids are added, and its input."""
    shell, text = loaded_at_once("qga-scope", script("exec/scope") + 'give_scope "$@"\n')
    return [*shell, name], text


class Scope:
    """Holds what has been started for one program. A guest without systemd needs none.

    See inside/exec/scope.sh. Nothing here raises: the program runs as well without.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._name = scope_name()
        self._helper = 0  # pid of what moves them
        self._held: Sequence[int] = ()
        self._pause = _SHORT
        self._next = time.monotonic() + _SHORT

    def keep(self, pids: Sequence[int]) -> None:
        """As `hold`, once the program is no short one, and again when there are others.

        To be called all the time: it looks seldom, and more and more so.
        """
        now = time.monotonic()
        if now > self._next and pids != self._held:
            self._pause *= 2
            self._next = now + self._pause
            if self.close() and self.hold(pids):
                self._held = pids

    def hold(self, pids: Sequence[int]) -> bool:
        """Have these processes moved there, with all that they have started. Not waited for.

        Whether the agent has begun it: frozen it does not.
        """
        shell, text = mover(self._name)
        words = [*shell, *map(str, pids)]
        started = self._call(EXEC, request(words, stdin=text))
        self._helper = started.get("pid", 0)
        return bool(self._helper)

    def close(self) -> bool:
        """Have the agent forget what has moved them; whether it could, or has done nothing yet."""
        if not self._helper:
            return True
        status = self._call(EXEC_STATUS, {"pid": self._helper})  # nothing, of a restarted agent
        if status.get("exited", True):
            self._helper = 0
        if status.get("exitcode", 0) != 0:
            self._agent.trace(1, "the guest gives programs no scope of systemd's")
            self._next = math.inf
        return self._helper == 0 and self._next < math.inf

    def _call(self, command: Command, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            result: Mapping[str, Any] = self._agent.call(command, arguments, _CALL).value
        except QgaError as error:
            self._agent.trace(1, f"no scope of systemd's: {error.said()}")
            return {}
        return result
