"""guest-network-get-interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qga_cli.spec import COUNTER, LINES, TRAFFIC, WORD, Column, Command, Example

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Interface = Mapping[str, Any]

_COUNTERS = (
    "rx-bytes", "rx-packets", "rx-errs", "rx-dropped",
    "tx-bytes", "tx-packets", "tx-errs", "tx-dropped",
)  # fmt: skip


def _statistic(member: str) -> Callable[[Interface], int | None]:
    return lambda row: row.get("statistics", {}).get(member)


COMMAND = Command(
    "guest-network-get-interfaces",
    "List the guest's network interfaces and their addresses",
    since="1.1",
    result=[
        {
            "name": str,
            "hardware-address?": str,
            "ip-addresses?": [
                {"ip-address": str, "ip-address-type": ("ipv4", "ipv6"), "prefix": int}
            ],
            "statistics?": dict.fromkeys(_COUNTERS, int),
        }
    ],
    empty="no interfaces",
    columns=[
        Column("interface", "name"),
        Column("mac", "hardware-address", WORD, leaves=2),
        Column(
            "addresses",
            lambda row: [f"{a['ip-address']}/{a['prefix']}" for a in row.get("ip-addresses", [])],
            LINES,
        ),
        Column("rx-bytes", _statistic("rx-bytes"), TRAFFIC, leaves=1),
        Column("tx-bytes", _statistic("tx-bytes"), TRAFFIC, leaves=1),
        *(
            Column(member, _statistic(member), COUNTER, extra=True)
            for member in _COUNTERS
            if not member.endswith("bytes")
        ),
    ],
    systems=["Linux", "Windows", "FreeBSD"],
    examples=[
        Example("qga net interfaces web1", "addresses, one per line"),
        Example("qga net interfaces web1 --watch 2 --columns interface,rx-bytes,rx-errs", "rates"),
    ],
)
