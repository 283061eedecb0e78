"""The guest's addresses by which others may reach it."""

import ipaddress
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def addresses(interfaces: "Sequence[Mapping[str, Any]]") -> list[str]:
    """Those that are neither loopback, nor link-local, nor site-local, in the agent's order."""
    return [
        address["ip-address"]
        for interface in interfaces
        for address in interface.get("ip-addresses", [])
        if _is_reachable(address["ip-address"])
    ]


def _is_reachable(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False  # a guest may say anything
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False  # fec0::/10, given up in 2004; QEMU's user network still hands it out
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
