"""What an error of the agent means once something has been started through it."""

from __future__ import annotations

from qga_cli.errors import NotDelivered, OutcomeUnknown, QgaError, Refused


def is_forgotten(error: QgaError) -> bool:
    """Whether the agent says that it never gave this pid or handle: another one did."""
    desc = error.desc if isinstance(error, Refused) else ""
    handle = desc.startswith("handle ") and "has not been found" in desc
    return handle or "'pid'" in desc or "PID" in desc


def unsettled(error: QgaError, begun: str) -> QgaError:
    """What `error` means once something may have had an effect in the guest, told by `begun`.

    That the agent has not got the last call makes the first no safer to repeat.
    """
    if isinstance(error, NotDelivered):
        said = error.said()
    elif is_forgotten(error):
        said = "the agent was restarted"
    elif isinstance(error, OutcomeUnknown) and begun not in error.message:
        said = error.said()  # of a later call: what it says nothing of is the first
    else:
        return error
    return OutcomeUnknown(f"{said}: {begun}", hint=error.advice, details=error.details)
