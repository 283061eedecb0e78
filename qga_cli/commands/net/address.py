"""The verb `net address`: the one address that scripts want."""

from __future__ import annotations

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Print the address by which a guest can be reached",
    since="1.1",
    args=[
        Arg("ipv4", spec.FLAG, "An IPv4 address only", short="-4"),
        Arg("ipv6", spec.FLAG, "An IPv6 address only", short="-6"),
        Arg("all", spec.FLAG, "All addresses of global scope, one on each line"),
    ],
    result=str,
    systems=["Linux", "Windows", "FreeBSD"],
    run="health.network:list_addresses",
    notes=(
        "An address on one of the domain's NICs, known by its MAC, and neither loopback nor "
        "link-local: never that of a bridge for containers inside. On sockets, where nobody knows "
        "the MACs, interfaces such as docker0 are passed over by their names. IPv4 comes first. "
        "With --all the addresses of other interfaces follow. Exit code 1 while there is none."
    ),
    examples=[
        Example("ssh root@$(qga net address web1)", "as `govc vm.ip` is used"),
        Example("qga net address web1 -6", "the IPv6 address"),
        Example("qga net address 'web*' -o jsonl", "of many guests"),
    ],
)
