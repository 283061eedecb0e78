"""What an agent can do: the commands that it takes just now, and the system it runs on."""

from __future__ import annotations

from qga_cli.agent import UNKNOWN
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.info import enabled_commands, is_on_windows
from qga_cli.errors import Refused, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.agent.file import Caller

READING = ("guest-file-open", "guest-file-read", "guest-file-close")
FILES = (*READING, "guest-file-write", "guest-file-seek", "guest-file-flush")
PROGRAMS = ("guest-exec", "guest-exec-status")


class Abilities:
    """As guest-info tells them; with its `info` empty, of an agent that may do nothing."""

    def __init__(self, info: dict[str, Any]) -> None:
        listed = info.get("supported_commands", [])
        self.enabled = enabled_commands(info)
        self.blocked = {command["name"] for command in listed} - self.enabled
        self.windows = is_on_windows(self.enabled)

    def may(self, *wires: str) -> bool:
        """Whether the agent takes all of these commands."""
        return self.enabled.issuperset(wires)


def ask(agent: Caller) -> Abilities:
    """Ask the agent. Raises what Agent.call raises."""
    return Abilities(agent.call(INFO).value)


def is_windows(agent: Agent) -> bool:
    """Whether the guest runs Windows. Costs a call when first asked, never raises Refused."""
    if not agent.system:
        agent.system = _system(agent)
        agent.trace(1, f"the guest's system: {agent.system}")
    return agent.system == "mswindows"


def _system(agent: Agent) -> str:
    from qga_cli.commands.os.info import COMMAND as OS_INFO

    try:
        return agent.call(OS_INFO).value.get("id") or UNKNOWN
    except Unsupported:  # before 2.10, or a policy
        return "mswindows" if ask(agent).windows else UNKNOWN
    except Refused:
        return UNKNOWN
