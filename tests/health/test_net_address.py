"""The one address by which others reach a guest: not a container bridge's, whatever comes first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from qga_cli.health.network import addresses, on_nics
from tests import lab
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.in_guest import inside

Make = Callable[[Handler], FakeAgent]


def interface(name: str, mac: str, *ips: str) -> dict[str, object]:
    told = [
        {"ip-address": ip, "ip-address-type": "ipv6" if ":" in ip else "ipv4", "prefix": 24}
        for ip in ips
    ]
    return {"name": name, "hardware-address": mac, "ip-addresses": told}


DOCKER = interface("docker0", "02:42:ac:11:00:02", "172.17.0.1", "fe80::42")
LO = interface("lo", "00:00:00:00:00:00", "127.0.0.1", "::1")
ETH = interface("eth0", "52:54:00:12:34:56", "2001:db8::5", "192.0.2.9", "192.0.2.10", "fe80::1")
BARE = interface("eth0", "52:54:00:12:34:56", "169.254.3.4", "fe80::1")
BRIDGE = interface("br0", "52:54:00:12:34:56", "192.0.2.9")


@pytest.mark.parametrize(
    ("interfaces", "macs", "expected"),
    [
        ([LO, DOCKER, ETH], ("52:54:00:12:34:56",), ["2001:db8::5", "192.0.2.9", "192.0.2.10"]),
        ([LO, DOCKER, BARE], ("52:54:00:12:34:56",), []),
        ([LO, DOCKER, BARE], (), []),
        ([LO, DOCKER, BARE, BRIDGE], ("52:54:00:12:34:56",), ["192.0.2.9"]),
        ([interface("eth0", "52:54:00:AB:00:01", "192.0.2.9")], ("52:54:00:ab:00:01",),
         ["192.0.2.9"]),
        ([ETH], ("52:54:00:00:00:01",), []),
        ([interface("br-0123456789ab", "02:42:00:00:00:01", "172.18.0.1")], (), []),
    ],
)  # fmt: skip
def test_on_nics(
    interfaces: list[dict[str, object]], macs: tuple[str, ...], expected: list[str]
) -> None:
    assert on_nics(interfaces, macs) == expected


@pytest.mark.parametrize(
    "ip",
    [
        "192.0.2.9% -oProxyCommand=touch${IFS}/tmp/x",
        "2001:db8::1% -oProxyCommand=touch${IFS}/tmp/x",
        "2001:db8::1%\x1b]0;owned\x07\n192.0.2.1",
        "2001:db8::1%eth0",
        "192.0.2.9\n",
        " 192.0.2.9",
        "\u0661\u0669\u0662.0.2.9",
        "-oProxyCommand=x",
        "192.0.2.9/24",
    ],
)
def test_an_address_is_nothing_but_an_address(ip: str) -> None:
    """`ssh $(qga net address VM)`: what a guest hangs on to it would be ssh's options."""
    assert addresses([interface("eth0", "52:54:00:12:34:56", ip)]) == []


def test_list_shows_those_of_nics_first() -> None:
    assert addresses([DOCKER, ETH], ("52:54:00:12:34:56",))[-1] == "172.17.0.1"
    assert addresses([DOCKER, ETH])[0] == "2001:db8::5"


@pytest.mark.parametrize(
    ("words", "code", "out"),
    [
        ((), 0, "192.0.2.9\n"),
        (("-4",), 0, "192.0.2.9\n"),
        (("-6",), 0, "2001:db8::5\n"),
        (("--ipv6", "-o", "json"), 0, '"2001:db8::5"\n'),
        (("--all",), 0, "2001:db8::5\n192.0.2.9\n192.0.2.10\n172.17.0.1\n"),
        (("--all", "-4", "-o", "json"), 0, '["192.0.2.9","192.0.2.10","172.17.0.1"]\n'),
    ],
)
def test_the_verb(fake: Make, words: tuple[str, ...], code: int, out: str) -> None:
    agent = fake(lambda request: [LO, DOCKER, ETH])
    ran = qga("-c", agent.uri, "net", "address", "x", *words)
    assert (ran.code, ran.out, ran.err) == (code, out, "")


def test_none_yet(fake: Make) -> None:
    ran = qga("-c", fake(lambda request: [LO, DOCKER, BARE]).uri, "net", "address", "x", "-6")
    assert (ran.code, ran.out) == (1, "")
    assert "no IPv6 address on a NIC" in ran.err
    assert "`qga wait x --for ip` waits for one" in ran.err
    v4 = {"name": "eth0", "ip-addresses": [
        {"ip-address": "192.0.2.9", "ip-address-type": "ipv4", "prefix": 24}]}  # fmt: skip
    ran = qga("-c", fake(lambda request: [v4]).uri, "net", "address", "x", "-6")
    assert (ran.code, "wait x --for ip" in ran.err) == (1, False)  # it would return at once


@contextmanager
def bridge(guest: lab.Guest) -> Iterator[None]:
    """A bridge such as docker's in the guest, and the NIC without its IPv4 address."""
    inside(guest, "sh", "-c", "ip link add docker0 type dummy 2>/dev/null || "
           "ip link set lo up; ip addr add 172.17.0.1/16 dev lo")  # fmt: skip
    try:
        yield
    finally:
        inside(guest, "ip", "addr", "del", "172.17.0.1/16", "dev", "lo")


def test_in_a_guest(spare: lab.Guest) -> None:
    with bridge(spare):
        ran = qga("net", "address", spare.name, "--all")
        own = qga("net", "address", spare.name).out
        assert own
        assert own != "172.17.0.1\n"
        assert own in ran.out
        assert "172.17.0.1\n" in ran.out
        assert qga("wait", spare.name, "--for", "ip", "--timeout", "20s").code == 0
        shown = inside(spare, "ip", "-o", "-4", "addr", "show", "eth0").split()[3]
        inside(spare, "ip", "addr", "flush", "dev", "eth0")
        try:
            assert qga("net", "address", spare.name).code == 1
            assert qga("wait", spare.name, "--for", "ip", "--timeout", "2s").code == 124
        finally:
            inside(spare, "ip", "addr", "add", shown, "dev", "eth0")
