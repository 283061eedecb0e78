"""Ports of our own in a real guest: a program at their other end, and a look at what is there."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from qga_cli import wire
from qga_cli.agent import Agent
from qga_cli.catalog import by_wire
from qga_cli.channel import PREFIX
from qga_cli.channel.port import InPort
from qga_cli.channel.ports import Channel
from qga_cli.inside import script
from qga_cli.transports import connect
from qga_cli.transports.libvirt_ports import UNSAFE_TO_WRITE
from qga_cli.transports.ports import Plugged
from tests import lab
from tests.kit.running import eventually
from tests.lab.process import LabError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.ports import Ports

HELLO = """IFS= read -r port; IFS= read -r nonce
open_port "$port" 3 && echo "$nonce" >&3 || exit
"""

# Opens a port, has a guest's program wait at it, says so, and stays until it is killed.
OWNER = """
import sys, time
from tests.kit import channels
with channels.taking(sys.argv[1]) as (channel, agent):
    (port,), _ = channel.take(1)
    channels.meet(agent, port, "exec sleep 1000")
    print(port.name, flush=True)
    time.sleep(60)
"""


def may_write_ports() -> bool:
    """Whether this machine's libvirtd can be trusted with a port that is written."""
    try:
        said = run("libvirtd", "--version")  # libvirtd (libvirt) 11.3.0
    except LabError:
        return True  # no guests either
    numbers = [int(part) for part in said.split()[-1].split(".")]
    return numbers[0] * 1_000_000 + numbers[1] * 1000 not in UNSAFE_TO_WRITE


def ports(guest: lab.Guest) -> "Ports":
    found = connect(guest.uri).open(guest.name).ports()
    assert found is not None
    return found


def plugged(guest: lab.Guest) -> list[Plugged]:
    return list(ports(guest).plugged(PREFIX))


def used(uri: str, name: str) -> list[str]:
    """Ports of ours that somebody uses, on the host or in the guest."""
    host = connect(uri)
    try:
        there = host.open(name).ports()
        assert there is not None
        return [
            f"{port.name}{' (open in the guest)' * port.is_open}"
            for port in there.plugged(PREFIX)
            if port.is_open or there.is_used(port.name)
        ]
    finally:
        host.close()


def in_use(guest: lab.Guest, seconds: float = 3.0) -> list[str]:
    """Those still used after so many seconds: a guest tells of its closing a little later."""
    eventually(lambda: not used(guest.uri, guest.name), seconds)
    return used(guest.uri, guest.name)


@contextlib.contextmanager
def taking(name: str, said: list[str] | None = None) -> Iterator[tuple[Channel, Agent]]:
    """A channel to a guest, patient with a busy machine, and the guest's agent."""
    host = connect(None)
    transport = host.open(name)
    found = transport.ports()
    assert found is not None
    tell = [] if said is None else said
    channel = Channel(found, lambda _, text: tell.append(text), patience=30)
    try:
        yield channel, Agent(transport, name)
    finally:
        channel.close()
        host.close()


def meet(agent: Agent, port: InPort, then: str) -> int:
    """Start a shell in the guest that opens the port as descriptor 3 and goes on; its pid."""
    command = by_wire("guest-exec")
    assert command is not None
    said = f"{port.name}\n{port.nonce}\n".encode()
    reply = agent.call(
        command,
        {
            "path": "sh",
            "arg": ["-c", f"{script('channel/port')}{HELLO}{then}\n"],
            "input-data": wire.to_base64(said),
        },
    )
    port.greet(30)
    pid: int = reply.value["pid"]
    return pid


def owner(guest: lab.Guest) -> "subprocess.Popen[str]":
    """A process that uses a port; `stdout` tells the port's name once it does."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, guest.name], stdout=subprocess.PIPE, text=True
    )
