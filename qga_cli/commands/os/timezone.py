"""guest-get-timezone."""

from collections.abc import Mapping

from qga_cli.spec import Column, Command, Example


def _offset(zone: Mapping[str, int]) -> str:
    """East of UTC, as in RFC 3339."""
    hours, minutes = divmod(abs(zone["offset"]) // 60, 60)
    return f"{'-' if zone['offset'] < 0 else '+'}{hours:02}:{minutes:02}"


COMMAND = Command(
    "guest-get-timezone",
    "Print the guest's time zone",
    since="2.10",
    result={"zone?": str, "offset": int},
    columns=[Column("zone"), Column("offset", _offset, extra=True)],
    patience=5,
    examples=[
        Example("qga os timezone web1", "CET, say"),
        Example("qga os timezone web1 --columns offset", "+01:00, say"),
    ],
)
