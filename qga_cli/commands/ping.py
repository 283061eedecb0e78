"""guest-ping."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-ping",
    "Check that the guest's agent answers",
    since="0.15.0",
    result={},
    patience=5,
    notes="Prints nothing when the agent answers; the exit code says it.",
    examples=[Example("qga ping web1 && echo up", "act on the answer")],
)
