"""guest-info."""

from qga_cli.spec import YESNO, Column, Command, Example

COMMAND = Command(
    "guest-info",
    "Show the agent's version and which commands it takes",
    since="0.15.0",
    result={
        "version": str,
        "supported_commands": [{"name": str, "enabled": bool, "success-response": bool}],
    },
    rows=lambda info: [
        {"version": info["version"], **command}
        for command in sorted(info["supported_commands"], key=lambda row: row["name"])
    ],
    columns=[
        Column("command", "name"),
        Column("enabled", kind=YESNO),
        Column("replies", "success-response", YESNO),
        Column("version"),
    ],
    patience=5,
    examples=[
        Example("qga info web1", "what this agent can do"),
        Example("qga info web1 -o json | jq -r .version", "its version"),
    ],
)
