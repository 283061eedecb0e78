"""libvirt's own counters, of all guests in one call: virConnectGetAllDomainStats."""

from __future__ import annotations

from qga_cli.transports.counters import Counters
from qga_cli.transports.libvirt_calls import INVALID_ARG, NO_SUPPORT, LibvirtError
from qga_cli.transports.libvirt_link import host_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from qga_cli.transports.libvirt_calls import LibvirtConnection

# VIR_DOMAIN_STATS_CPU_TOTAL, _BALLOON, _VCPU, _INTERFACE, _BLOCK
_WANTED = 2 | 4 | 8 | 16 | 32
# VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING, _NOWAIT
_FLAGS = 1 << 4 | 1 << 29
_KIB = 1024
_MEMORY = ("current", "maximum", "rss", "available", "unused", "usable")


def counters(connection: LibvirtConnection) -> dict[str, Counters]:
    """By the guests' names. Raises Unreachable.

    A QEMU that is stuck holds the call that finds it so, until it answers. NOWAIT makes later calls
    pass over it, and tell what is known without its monitor (qemuConnectGetAllDomainStats).
    """
    try:
        found = connection.domain_stats(_WANTED, _FLAGS)
        return {domain.name(): _counters(told) for domain, told in found}
    except LibvirtError as error:
        if error.code in (NO_SUPPORT, INVALID_ARG):
            return {}  # a driver without these
        raise host_error(error, None) from error


def _counters(told: Mapping[str, Any]) -> Counters:
    time = told.get("cpu.time")
    made = Counters(None if time is None else time / 1e9, told.get("vcpu.current"))
    for kind in _MEMORY:
        if f"balloon.{kind}" in told:
            made.memory[kind] = told[f"balloon.{kind}"] * _KIB
    made.disks = _pairs(told, "block", "rd.bytes", "wr.bytes")
    made.networks = _pairs(told, "net", "rx.bytes", "tx.bytes")
    return made


def _pairs(told: Mapping[str, Any], group: str, first: str, second: str) -> dict[str, Any]:
    """The two figures of each device that has a name and both."""
    found = {}
    for number in range(told.get(f"{group}.count", 0)):
        name, one, two = (
            told.get(f"{group}.{number}.{member}") for member in ("name", first, second)
        )
        if name is not None and one is not None and two is not None:
            found[name] = (one, two)
    return found
