"""A guest that took no words from QEMU for a moment, and has missed what became of its ports."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

import qga_cli
from qga_cli.channel import PREFIX
from qga_cli.channel.unopened import NOT_SEEN
from qga_cli.exec import on_ports
from qga_cli.transports.libvirt_ports import Inflow, LibvirtPorts, Outflow
from tests import lab
from tests.kit import channels
from tests.kit.channels import in_use
from tests.kit.command import qga
from tests.kit.running import eventually
from tests.kit.terminals import terminal
from tests.lab.hypervisor import virsh

pytestmark = [pytest.mark.slow, pytest.mark.port_written]

ALWAYS = ("--channel", "always")
NEVER = ("--channel", "never")


@pytest.fixture
def unaware(victim: lab.Guest) -> Iterator[lab.Guest]:
    """It shows twenty ports that have gone, and in their places no new ones.

    QEMU keeps 32 words on ports for a guest that takes none, and drops more.
    """
    ports = channels.ports(victim)
    for port in ports.plugged(PREFIX):
        ports.unplug(port.name)
    names = [f"org.example.{number}" for number in range(20)]
    for name in names:
        ports.plug(name)
    shown = "grep -c org.example /sys/class/virtio-ports/*/name | grep -c :1"
    ask = ("exec", *NEVER, victim.name, "--", "sh", "-c", shown)
    assert eventually(lambda: qga(*ask).out == "20\n")
    virsh(victim.uri, "suspend", victim.name)
    for _ in range(20):
        ports.plug("org.example.one-more")
        ports.unplug("org.example.one-more")
    for name in names:
        ports.unplug(name)
    virsh(victim.uri, "resume", victim.name)
    assert qga(*ask).out == "20\n"
    yield victim
    for name in names:
        ports.plug(name)
    for name in names:
        ports.unplug(name)
    assert eventually(lambda: qga(*ask).out == "0\n")


def test_a_guest_has_missed_what_became_of_ports(unaware: lab.Guest, data: Path) -> None:
    """Three ports for the program, two for the copy, two for the terminal, two for the stream."""
    name = unaware.name
    ran = qga("exec", *ALWAYS, name, "--", "cat", stdin=bytes(200_000))
    assert (ran.code, ran.stdout == bytes(200_000), ran.err) == (0, True, "")
    copied = qga("cp", *ALWAYS, str(data), f"{name}:/root/data")
    assert (copied.code, copied.err) == (0, "")
    with terminal("shell", *ALWAYS, name) as shell:
        shell.see(b"# ")
        shell.type(b"exit 7\r")
        assert shell.end() == 7
    with qga_cli.connect(unaware.uri) as host, host.guest(name).open_stream(["cat"]) as stream:
        stream.write(b"word\n")
        assert stream.read(10) == b"word\n"
    assert in_use(unaware) == []


def test_a_guest_that_has_missed_them_is_given_calls_by_auto(
    unaware: lab.Guest, data: Path
) -> None:
    """That it has not seen a port today says nothing about tomorrow's: nothing is remembered."""
    copy = ("cp", "-v", str(data), f"{unaware.name}:/root/data")
    first = qga(*copy)
    assert (first.code, f"no channel: {NOT_SEEN}" in first.err) == (0, True), first.err
    second = qga(*copy)
    assert (second.code, "through ports of ours" in second.err) == (0, True), second.err


def test_a_guest_was_not_told_that_we_listen(
    victim: lab.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for ever with what it has to say."""
    assert qga("exec", *ALWAYS, victim.name, "--", "true").code == 0
    assert channels.plugged(victim)  # of a new port it is told once more
    connected = "cd /sys/kernel/debug; mount -t debugfs none .; cat virtio-ports/* | grep -c ted:.1"
    ask = ("exec", *NEVER, victim.name, "--", "sh", "-c", connected)
    assert eventually(lambda: qga(*ask).out == "2\n")  # both ends of the agent's port
    really_open = LibvirtPorts.open

    def unheard(self: LibvirtPorts, name: str, *, writing: bool) -> Inflow | Outflow:
        monkeypatch.setattr(LibvirtPorts, "open", really_open)
        virsh(victim.uri, "suspend", victim.name)
        for _ in range(20):
            self.plug("org.example.one-more")
            self.unplug("org.example.one-more")
        stream = really_open(self, name, writing=writing)
        virsh(victim.uri, "resume", victim.name)
        return stream

    monkeypatch.setattr(LibvirtPorts, "open", unheard)
    monkeypatch.setattr(on_ports, "_GREETING", 2.0)
    given, said = bytes(200_000), bytearray()
    with qga_cli.connect(victim.uri) as host:
        guest = host.guest(victim.name)
        done = guest.run(
            ["cat"], stdin=io.BytesIO(given), stdout=said.extend, channel="always", timeout=60
        )
    assert (done.code, bytes(said) == given) == (0, True)
    assert in_use(victim) == []
