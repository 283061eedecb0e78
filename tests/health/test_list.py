"""`qga list`: what each kind of guest looks like, quickly, and without touching any."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qga_cli.health.network import addresses
from tests import lab
from tests.kit.command import Ran, qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Silence

INTERFACES = [
    {"name": "lo", "ip-addresses": [
        {"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}]},
    {"name": "eth0", "ip-addresses": [
        {"ip-address": "10.0.2.15", "ip-address-type": "ipv4", "prefix": 24},
        {"ip-address": "fe80::1", "ip-address-type": "ipv6", "prefix": 64},
        {"ip-address": "2001:db8::5", "ip-address-type": "ipv6", "prefix": 64}]},
]  # fmt: skip
REPLIES: dict[object, object] = {
    "guest-fsfreeze-status": "thawed",
    "guest-get-osinfo": {"pretty-name": "Debian GNU/Linux 13 (trixie)"},
    "guest-network-get-interfaces": INTERFACES,
    "guest-get-load": {"load1m": 0.25, "load5m": 0.5, "load15m": 1.0},
}


class Scripted:
    """An agent that has some commands and notes whatever it is asked."""

    def __init__(self, *missing: str, **replies: object) -> None:
        self.replies = REPLIES | {name.replace("_", "-"): value for name, value in replies.items()}
        self.missing = missing

    def __call__(self, request: dict[str, object]) -> object:
        name = request["execute"]
        if name == "guest-info":
            names = ["guest-info", *self.replies]
            enabled = [{"name": one, "enabled": one not in self.missing, "success-response": True}
                       for one in names]  # fmt: skip
            return {"version": "10.0.2", "supported_commands": enabled}
        if name in self.missing or name not in self.replies:
            raise AgentFault(f"Command {name} has been disabled")
        return self.replies[name]


Start = Callable[..., Callable[..., Ran]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Agents by name; returns a function that lists them."""
    made: list[FakeAgent] = []

    def begin(**handlers: Any) -> Callable[..., Ran]:
        made.extend(FakeAgent(tmp_path / f"{name}.sock", one) for name, one in handlers.items())
        return lambda *words: qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "list", *words)

    yield begin
    for agent in made:
        agent.close()


def test_what_a_healthy_agent_tells(start: Start) -> None:
    (row,) = json.loads(start(web1=Scripted())("-o", "json").out)
    assert row == {
        "vm": "web1",
        "state": None,
        "agent": "answering",
        "version": "10.0.2",
        "os": "Debian GNU/Linux 13",
        "load": 0.25,
        "addresses": ["10.0.2.15", "2001:db8::5"],
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("agent", "cells"),
    [
        (Scripted(guest_fsfreeze_status="frozen"), "frozen 10.0.2 - - -"),
        (lambda request: Silence(), "not answering - - - -"),
        (Scripted("guest-get-osinfo", "guest-get-load"),
         "answering 10.0.2 - - 10.0.2.15,2001:db8::5"),
        (Scripted(guest_get_osinfo=["nonsense"], guest_network_get_interfaces=5),
         "answering 10.0.2 - 0.25 -"),
        (Scripted(guest_network_get_interfaces=[{"name": "x", "ip-addresses": [
            {"ip-address": "\x1b[2J", "ip-address-type": "ipv4", "prefix": 1}]}]),
         "answering 10.0.2 Debian GNU/Linux 13 0.25 -"),
    ],
)  # fmt: skip
def test_what_others_tell(start: Start, agent: Any, cells: str) -> None:
    ran = start(x=agent)("--no-header")
    assert ran.code == 0
    assert " ".join(ran.out.split()) == f"x - {cells}"


def test_a_socket_that_nobody_listens_on(start: Start, tmp_path: Path) -> None:
    run = start(a=Scripted())
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "b.sock"))
    assert [line.split("\t")[2] for line in run("--no-header").out.splitlines()] == [
        "answering",
        "not connected",
    ]


@pytest.mark.slow
def test_a_hundred_guests_some_silent_take_a_few_seconds(start: Start) -> None:
    herd = {f"vm{number}": Scripted() for number in range(95)}
    mute = {f"mute{number}": lambda request: Silence() for number in range(5)}
    run = start(**herd, **mute)
    started = time.monotonic()
    rows = run("--no-header").out.splitlines()
    assert time.monotonic() - started < 5
    assert sum("\tanswering\t" in row for row in rows) == 95
    assert sum("\tnot answering\t" in row for row in rows) == 5


def test_patterns_and_nothing_found(start: Start) -> None:
    run = start(web1=Scripted(), db1=Scripted())
    assert run("web*", "--columns", "vm").out == "vm\nweb1\n"
    assert run("x*").out == "vm\tstate\tagent\tversion\tos\tload\taddresses\n"
    assert run("x*").code == 0
    assert run("web9").code == 4


def test_an_empty_host_is_told_kindly(tmp_path: Path) -> None:
    ran = qga_tty("-c", f"unix:{tmp_path}/{{vm}}.sock", "list")
    assert ran.code == 0
    assert ran.err == "qga: no guests here; `qga -c URI list` asks another host\n"


NODE = """
<node>
  <domain type='test'>
    <name>web1</name><memory>8192</memory><os><type>hvm</type></os>
    <title>Web server of Zoë</title>
    <metadata>
      <a:labels xmlns:a='urn:x' role='web'><a:stage>test</a:stage></a:labels>
    </metadata>
    <devices>
      <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    </devices>
  </domain>
  <domain type='test'>
    <name>db 1</name><memory>8192</memory><os><type>hvm</type></os>
    <metadata><a:labels xmlns:a='urn:x' role='db'/></metadata>
  </domain>
</node>
"""


@pytest.fixture
def node(tmp_path: Path) -> str:
    path = tmp_path / "node.xml"
    path.write_text(NODE)
    return f"test://{path}"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([], ["db 1", "web1"]),
        (["role=web"], ["web1"]),
        (["role=*"], ["db 1", "web1"]),
        (["stage=test", "title=Web*Zoë"], ["web1"]),
        (["stage=test", "role=db"], []),
        (["nosuch=*"], []),
    ],
)
def test_labels_are_found_in_title_and_metadata(
    node: str, labels: list[str], found: list[str]
) -> None:
    words = [word for label in labels for word in ("-l", label)]
    ran = qga("-c", node, "list", "--columns", "vm", "--no-header", *words)
    assert ran.out.splitlines() == found


def test_labels_narrow_other_commands_too(node: str) -> None:
    ran = qga("-c", node, "ping", "*", "-l", "role=db")
    assert ran.err.splitlines()[-1] == "qga: 1 failed (db 1: unsupported)"
    nobody = qga("-c", node, "ping", "*", "-l", "role=x")
    assert (nobody.code, "no running guest matches '*' with role=x" in nobody.err) == (4, True)
    one = qga("-c", node, "ping", "web1", "-l", "role=db")
    assert (one.code, "matches 'web1'" in one.err) == (4, True)
    assert qga("-c", node, "ping", "*", "-l", "role").code == 2


def test_the_channel_is_read_from_the_xml(node: str) -> None:
    ran = qga("-c", node, "list", "--columns", "vm,state,agent", "--no-header")
    # libvirt's test driver knows no state of a channel: the agent is asked, and refused.
    assert ran.out.splitlines()[0] == "db 1\trunning\tno channel"


def test_addresses_leave_out_what_reaches_nobody() -> None:
    texts = ["::1", "169.254.1.1", "0.0.0.0", "fec0::1", "nonsense", "192.0.2.1", "fe80::1%eth0"]
    interface = {"name": "x", "ip-addresses": [{"ip-address": text} for text in texts]}
    assert addresses([interface, {"name": "bare"}]) == ["192.0.2.1"]


def test_a_real_guest(guest: lab.Guest) -> None:
    (row,) = json.loads(qga("list", guest.name, "-o", "json").out)
    assert row["state"] == "running"
    assert row["agent"] == "answering"
    assert row["version"] == guest.agent_version
    assert row["addresses"] == ["10.0.2.15"]
    assert row["os"].startswith("Debian GNU/Linux")
    table = qga_tty("list", guest.name).out
    assert guest.name in table
    assert "answering" in table
