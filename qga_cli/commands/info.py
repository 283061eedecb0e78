"""guest-info."""

from __future__ import annotations

from qga_cli.spec import VERSION, WORD, Column, Command, Example, release
from qga_cli.wire import WHILE_FROZEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def enabled_commands(info: dict[str, Any]) -> set[str]:
    """The wire names that the agent takes just now. Up to 9.x those of other systems are listed
    too, but switched off (qga/commands-posix.c)."""
    commands = info.get("supported_commands", [])
    return {command["name"] for command in commands if command["enabled"]}


def is_on_windows(enabled: set[str]) -> bool:
    """Whether such an agent runs on Windows: only there this command can be switched on."""
    return "guest-get-devices" in enabled


def _states(info: dict[str, Any]) -> list[dict[str, str]]:
    """Each command the agent has, and each it has not, with the reason as far as it shows here."""
    from qga_cli import catalog

    told = {row["name"]: row["enabled"] for row in info["supported_commands"]}
    known = {command.wire: command for command in catalog.walk() if command.wire}
    enabled = enabled_commands(info)
    # A policy may allow as little; but no freeze takes the thaw away.
    frozen = "guest-fsfreeze-thaw" in enabled and enabled <= WHILE_FROZEN < set(told)
    system = "Windows" if is_on_windows(enabled) else "Linux"
    rows = []
    for name in sorted(told.keys() | known.keys()):
        command = known.get(name)
        rows.append(
            {
                "wire": name,
                "command": command.name if command else None,
                "state": _state(command, told.get(name), info["version"], system, frozen=frozen),
                "agent": info["version"],
            }
        )
    return rows


def _state(
    command: Command | None, enabled: bool | None, version: str, system: str, *, frozen: bool
) -> str:
    if enabled:
        return "enabled"
    if command and enabled is None and release(version) < release(command.since):
        return f"needs qemu-ga {command.since}"
    if command and command.systems and system not in command.systems:
        return f"{' and '.join(command.systems)} only"
    if enabled is None:
        return "not built in"
    return "frozen" if frozen else "blocked by policy"


COMMAND = Command(
    "guest-info",
    "Show the agent's version and the state of each command",
    since="0.15.0",
    result={
        "version": str,
        "supported_commands": [{"name": str, "enabled": bool, "success-response": bool}],
    },
    rows=_states,
    columns=[
        Column("wire", kind=WORD, leaves=2),
        Column("command"),
        Column("state", kind=WORD),
        Column("agent", kind=VERSION, leaves=1, above=True),
    ],
    patience=5,
    notes=(
        "A command may be blocked by the guest's policy, belong to another system, or need a newer "
        "agent. `qga doctor VM` names the file in which a policy is written."
    ),
    examples=[
        Example("qga info web1", "what this agent can do"),
        Example("qga info web1 -o json | jq -r .version", "its version"),
    ],
)
