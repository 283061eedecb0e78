"""The guest's addresses by which others may reach it, the best of them first."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence

from qga_cli.errors import QgaError
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Interfaces = Sequence[Mapping[str, Any]]

# Networks inside a guest, for its own containers and guests. A socket tells no MAC of its guest's
# NICs, so there the names have to do.
_INNER = re.compile(
    r"(docker|podman|cni-?podman|cni|virbr|lxcbr|lxdbr|incusbr|cbr|veth|vnet|cali|flannel)[\w.-]*"
    r"|br-[0-9a-f]{12}|(tun|tap|wg)\d+"
)


def list_addresses(
    job: Job, *, all: bool = False, ipv4: bool = False, ipv6: bool = False
) -> Finished:
    """`qga net address`: the best address, or all of them. Raises QgaError while there is none."""
    from qga_cli.commands.net.interfaces import COMMAND

    assert job.target is not None
    facts = job.hosts.host(job.target.uri).facts(job.target.name)
    macs = facts.macs if facts else ()
    interfaces = job.agent.call(COMMAND).value
    there = addresses(interfaces, macs) if all else on_nics(interfaces, macs)
    versions = [version for version, asked in ((4, ipv4), (6, ipv6)) if asked] or [4, 6]
    found = [one for one in there if (6 if ":" in one else 4) in versions]
    if not found:
        what = f"IPv{versions[0]} address" if len(versions) == 1 else "address"
        raise QgaError(
            f"the guest has no {what} on a NIC by which others could reach it",
            hint="`qga net interfaces VM` shows what it has"
            + ("" if there else "; `qga wait VM --for ip` waits for one"),
        )
    if not all:
        found.sort(key=lambda one: ":" in one)  # IPv4 first, otherwise as the agent has them
        return Finished(found[0])
    if job.output not in ("", "table", "tsv"):
        return Finished(found)
    job.streams.stdout.write("".join(f"{one}\n" for one in found).encode())
    job.streams.stdout.flush()
    return Finished()


def addresses(interfaces: Interfaces, macs: Collection[str] = ()) -> list[str]:
    """Those of global scope: first on the domain's own NICs (`macs`), then on the others."""
    first = on_nics(interfaces, macs)
    return first + [one for one in _reachable(interfaces) if one not in first]


def on_nics(interfaces: Interfaces, macs: Collection[str] = ()) -> list[str]:
    """Those of global scope on interfaces that have one of `macs`, or go by no inner name.

    Bridges, bonds and VLANs have the MAC of the NIC below them. Without `macs`: see _INNER.
    """
    if macs:
        own = [one for one in interfaces if one.get("hardware-address", "").lower() in macs]
    else:
        own = [one for one in interfaces if not _INNER.fullmatch(one["name"])]
    return _reachable(own)


def _reachable(interfaces: Interfaces) -> list[str]:
    """Neither loopback, nor link-local, nor site-local, in the agent's order."""
    return [
        address["ip-address"]
        for interface in interfaces
        for address in interface.get("ip-addresses", [])
        if _is_reachable(address["ip-address"])
    ]


def _is_reachable(text: str) -> bool:
    """Whether it is an address and nothing else: it may become a word of somebody's ssh command.

    A zone (`%eth0`) belongs to link-local ones alone, and ipaddress takes any text for one.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False  # a guest may say anything
    if "%" in text:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False  # fec0::/10, given up in 2004; QEMU's user network still hands it out
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
