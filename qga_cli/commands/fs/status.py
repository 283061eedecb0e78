"""guest-fsfreeze-status."""

from qga_cli.spec import Command, Example

COMMAND = Command(
    "guest-fsfreeze-status",
    "Tell whether the guest's filesystems are frozen",
    since="0.15.0",
    result=("thawed", "frozen"),
    systems=["Linux", "Windows", "FreeBSD"],
    patience=5,
    run="freeze.verbs:status",
    notes="One guest by its name: exit code 0, whichever state is printed. A pattern, a list or a "
    "group: exit code 1 if any guest is frozen, whether others have failed or not.",
    examples=[
        Example("qga fs status web1", "prints thawed or frozen"),
        Example("qga fs status '*'", "finds guests left frozen; for cron"),
    ],
)
