"""Which system a guest runs, as its agent tells: asked at most once, remembered by the Agent."""

from __future__ import annotations

from qga_cli.errors import Refused, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.agent import Agent


def is_windows(agent: Agent) -> bool:
    """Whether it is Windows. Costs a call when first asked, never raises Refused."""
    if not agent.system:
        agent.system = _asked(agent)
        agent.trace(1, f"the guest's system: {agent.system}")
    return agent.system == "mswindows"


def _asked(agent: Agent) -> str:
    from qga_cli.commands.os.info import COMMAND as OSINFO

    try:
        return agent.call(OSINFO).value.get("id") or "not told"
    except Unsupported:  # before 2.10, or a policy
        return _by_commands(agent)
    except Refused:
        return "not told"


def _by_commands(agent: Agent) -> str:
    from qga_cli.commands.info import COMMAND as INFO

    known = agent.call(INFO).value["supported_commands"]
    # Up to 9.x foreign commands are listed, but switched off.
    enabled = {command["name"] for command in known if command["enabled"]}
    return "mswindows" if "guest-get-devices" in enabled else "not told"
