"""guest-network-get-route."""

from __future__ import annotations

from collections.abc import Mapping

from qga_cli.spec import NUMBER, Column, Command, Example

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Route = Mapping[str, Any]

_REJECT, _LOCAL = 0x200, 0x80000000  # RTF_* of Linux, include/uapi/linux/{,ipv6_}route.h
_NOWHERE = ("0.0.0.0", "::", "")
_OCTETS = frozenset(map(str, range(256)))
_COUNTERS = ("irtt", "flags", "refcnt", "use", "window", "mtu")
_TEXTS = ("gateway", "mask", "desprefixlen", "source", "srcprefixlen", "nexthop")


def _prefix(route: Route) -> str:
    """The destination's prefix length; "" when the agent does not tell."""
    if "mask" in route:
        parts = route["mask"].split(".")
        return str(sum(int(part).bit_count() for part in parts if part in _OCTETS))
    return str(route.get("desprefixlen", ""))


def _destination(route: Route) -> str:
    prefix = _prefix(route)
    if route["destination"] in _NOWHERE and prefix in ("0", ""):
        return "default"
    if not prefix or prefix == ("32" if route["version"] == 4 else "128"):
        return str(route["destination"])
    return f"{route['destination']}/{prefix}"


def _via(route: Route) -> str | None:
    next_hop = route.get("gateway") or route.get("nexthop") or ""
    return None if next_hop in _NOWHERE else next_hop


def _type(route: Route) -> str:
    flags = route.get("flags", 0)
    return "unreachable" if flags & _REJECT else "local" if flags & _LOCAL else "unicast"


COMMAND = Command(
    "guest-network-get-route",
    "List the guest's routes",
    since="9.1",
    result=[
        {
            "iface": str,
            "destination": str,
            "metric": int,
            **{f"{member}?": int for member in _COUNTERS},
            **{f"{member}?": str for member in _TEXTS},
            "version": int,
        }
    ],
    empty="no routes",
    columns=[
        Column("destination", _destination),
        Column("via", _via),
        Column("dev", "iface"),
        Column("metric", lambda route: route["metric"] & 0xFFFFFFFF, leaves=1),  # unsigned
        Column("type", _type, leaves=2),
        Column("version", extra=True),
        Column("mtu", kind=NUMBER, extra=True),
        Column("source", extra=True),
        Column("flags", lambda route: f"{route.get('flags', 0) & 0xFFFFFFFF:#x}", extra=True),
    ],
    systems=["Linux", "Windows"],
    notes="Windows agents have it since 11.0.",
    examples=[Example("qga net routes web1", "where packets go")],
)
