"""guest-ping."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-ping",
    "Check that the guest's agent answers",
    since="0.15.0",
    result={},
    rows=lambda _, seconds=0.0: f"answers in {seconds * 1000:.0f} ms",
    patience=5,
    notes=(
        "Says on a terminal how long the answer took, and nothing in a pipe: the exit code tells."
    ),
    examples=[Example("qga ping web1 && echo up", "act on the answer")],
)
