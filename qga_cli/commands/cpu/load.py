"""guest-get-load."""

from collections.abc import Callable, Mapping

from qga_cli.spec import NUMBER, Column, Command, Example

_MEMBERS = ("load1m", "load5m", "load15m")


def _average(member: str) -> Callable[[Mapping[str, float]], float]:
    return lambda load: float(load[member])  # JSON knows no 0.0


COMMAND = Command(
    "guest-get-load",
    "Show the guest's load averages",
    since="10.0",
    result=dict.fromkeys(_MEMBERS, float),
    columns=[Column(member, _average(member), NUMBER) for member in _MEMBERS],
    systems=["Linux", "Windows", "FreeBSD"],
    patience=5,
    notes="Over 1, 5 and 15 minutes. A Windows agent counts from the first time it is asked.",
    examples=[Example("qga cpu load '*' --sort -load1m", "the busiest guest first")],
)
