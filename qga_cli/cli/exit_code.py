"""What the process ends with."""

from __future__ import annotations

from qga_cli.errors import QgaError, UsageError
from qga_cli.spec import WORDS, Command


def of(error: QgaError, command: Command | None) -> int:
    """The error's own code; of a command that passes a program's on, 125."""
    if command and passes_through(command) and error.exit_code < 123:
        # The code belongs to the guest's program; ours is in the message.
        return error.exit_code if isinstance(error, UsageError) else 125
    return error.exit_code


def passes_through(command: Command) -> bool:
    """Whether what it prints and its exit code are those of a program in the guest."""
    return any(arg.kind == WORDS for arg in command.args)
