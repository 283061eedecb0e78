"""guest-network-get-interfaces."""

from qga_cli.spec import COUNTER, LINES, Column, Command, Example

_COUNTERS = (
    "rx-bytes", "rx-packets", "rx-errs", "rx-dropped",
    "tx-bytes", "tx-packets", "tx-errs", "tx-dropped",
)  # fmt: skip

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
    columns=[
        Column("interface", "name"),
        Column("mac", "hardware-address"),
        Column(
            "addresses",
            lambda row: [f"{a['ip-address']}/{a['prefix']}" for a in row.get("ip-addresses", [])],
            LINES,
        ),
        Column("rx-bytes", lambda row: row.get("statistics", {}).get("rx-bytes"), COUNTER),
        Column("tx-bytes", lambda row: row.get("statistics", {}).get("tx-bytes"), COUNTER),
    ],
    systems=["Linux", "Windows", "FreeBSD"],
    examples=[Example("qga net interfaces web1", "addresses, one per line")],
)
