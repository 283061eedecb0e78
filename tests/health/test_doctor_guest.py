"""`qga doctor` on real guests: what breaks their link is found and mended."""

import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

import pytest

from tests import lab
from tests.kit import channels
from tests.kit.command import Ran, qga, qga_tty
from tests.kit.in_guest import done
from tests.kit.running import eventually
from tests.lab.hypervisor import virsh

CAPTURE: dict[str, Any] = {"capture-output": True}


def rows_of(ran: Ran) -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in json.loads(ran.out)}


def test_a_real_guest_is_healthy(guest: lab.Guest) -> None:
    ran = qga("doctor", guest.name, "-o", "json")
    rows = rows_of(ran)
    assert ran.code == 0
    assert list(rows) == [
        "host", "guest", "running", "channel", "ports", "connected", "link", "ping", "version",
        "thawed", "policy", "confinement", "clock", "root",
    ]  # fmt: skip
    assert "libvirt" in rows["host"]["finding"]
    assert guest.agent_version in rows["version"]["finding"]
    table = qga_tty("doctor", guest.name).out
    assert "CHECK" in table


def test_ports_of_ours_that_nobody_uses_are_listed_and_taken_away(guest: lab.Guest) -> None:
    for idle in channels.plugged(guest):  # of tests before
        channels.ports(guest).unplug(idle.name)
    with channels.owner(guest) as owner:
        assert owner.stdout
        assert owner.stdout.readline()
        channels.ports(guest).plug("org.qga-cli.port.00000000000000aa")
        told = rows_of(qga("doctor", guest.name, "-o", "json"))["ports"]
        assert (told["verdict"], told["finding"]) == ("ok", "1 in use, 1 idle")
        told = rows_of(qga("doctor", "--fix", "-y", guest.name, "-o", "json"))["ports"]
        assert (told["verdict"], told["finding"]) == ("fixed", "1 unplugged that nobody used")
        assert [port.is_open for port in channels.plugged(guest)] == [True]
        owner.kill()


def boot_id(guest: lab.Guest) -> str:
    return qga("exec", guest.name, "cat", "/proc/sys/kernel/random/boot_id").out


def await_the_end(guest: lab.Guest, pid: object) -> None:
    """Ask for a program's status; the first answer after its end is the one that kills."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        guest.call("guest-exec-status", 60, pid=pid)
        time.sleep(0.1)


def test_a_link_that_a_10_mib_reply_killed_is_replugged(spare: lab.Guest) -> None:
    before = boot_id(spare)
    captured = ["-c", "9000000", "/dev/zero"]
    started = spare.call("guest-exec", 10, path="head", arg=captured, **CAPTURE)
    assert isinstance(started, dict)
    with pytest.raises(lab.LabError, match="No complete agent response"):
        await_the_end(spare, started["pid"])
    assert qga("ping", spare.name).code == 5
    assert "\twedged\t" in qga("list", spare.name).out

    sick = qga("doctor", spare.name, "-o", "json")
    assert (sick.code, rows_of(sick)["link"]["verdict"]) == (5, "FAIL")
    assert f"`qga doctor --fix {spare.name}`" in rows_of(sick)["link"]["fix"]
    mended = qga("doctor", "--fix", "-y", spare.name, "-o", "json")
    assert (mended.code, rows_of(mended)["link"]["verdict"]) == (0, "fixed")
    assert boot_id(spare) == before, "without a reboot"


def test_an_agent_that_was_stopped_is_started_by_a_new_port(systemd: lab.Guest) -> None:
    done(systemd, "exec", "-d", "VM", "--", "systemctl", "--no-block", "stop", "qemu-guest-agent")
    assert eventually(lambda: qga("ping", systemd.name).code == 5)
    sick = qga("doctor", systemd.name, "-o", "json")
    assert (sick.code, rows_of(sick)["connected"]["verdict"]) == (5, "FAIL")
    assert f"`qga doctor --fix {systemd.name}`" in rows_of(sick)["connected"]["fix"]
    mended = qga("doctor", "--fix", "-y", systemd.name, "-o", "json")
    assert (mended.code, rows_of(mended)["connected"]["verdict"]) == (0, "fixed")


def test_an_agent_is_stopped_by_systemd_while_its_channel_is_replugged(systemd: lab.Guest) -> None:
    """With a new port before the end of that it would not come back."""
    captured = ["-c", "9000000", "/dev/zero"]
    for _ in range(3):
        started = systemd.call("guest-exec", 10, path="head", arg=captured, **CAPTURE)
        assert isinstance(started, dict)
        with pytest.raises(lab.LabError, match="No complete agent response"):
            await_the_end(systemd, started["pid"])
        mended = qga("doctor", "--fix", "-y", systemd.name, "-o", "json")
        assert (mended.code, rows_of(mended)["link"]["verdict"]) == (0, "fixed")
        assert rows_of(mended)["ping"]["verdict"] == "ok"


@pytest.fixture
def unplugged(spare: lab.Guest) -> Iterator[lab.Guest]:
    """The spare guest started without the agent's channel; restored afterwards."""
    whole = virsh(spare.uri, "dumpxml", "--inactive", spare.name)
    root = ElementTree.fromstring(whole)
    devices = root.find("devices")
    assert devices is not None
    for channel in devices.findall("channel"):
        devices.remove(channel)
    restart(spare, ElementTree.tostring(root, encoding="unicode"))
    yield spare
    restart(spare, whole)
    assert qga("wait", spare.name).code == 0


def restart(guest: lab.Guest, xml: str) -> None:
    virsh(guest.uri, "destroy", guest.name)
    path = guest.folder / "changed.xml"
    path.write_text(xml)
    virsh(guest.uri, "define", str(path))
    virsh(guest.uri, "start", guest.name)


def test_a_missing_channel_is_added(unplugged: lab.Guest) -> None:
    deadline = time.monotonic() + 60
    while "login" not in unplugged.console.read_text(errors="replace"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    sick = qga("doctor", unplugged.name, "-o", "json")
    assert (sick.code, rows_of(sick)["channel"]["verdict"]) == (5, "FAIL")
    assert (
        "<target type='virtio' name='org.qemu.guest_agent.0'/>" in rows_of(sick)["channel"]["fix"]
    )
    mended = qga("doctor", "--fix", "-y", unplugged.name, "-o", "json")
    assert (mended.code, rows_of(mended)["channel"]["verdict"]) == (0, "fixed")
    assert qga("exec", unplugged.name, "echo", "hello").out == "hello\n"
    defined = virsh(unplugged.uri, "dumpxml", "--inactive", unplugged.name)
    assert len(re.findall("org.qemu.guest_agent.0", defined)) == 1, "and at the next start"


def test_a_guest_that_cannot_take_a_channel_now_gets_it_at_its_next_start(
    spare: lab.Guest,
) -> None:
    name = f"qga-bare-{os.getpid()}"
    bare = f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>" \
           "<os><type arch='x86_64' machine='pc'>hvm</type></os>" \
           "<devices><memballoon model='none'/></devices></domain>"  # fmt: skip
    path = spare.folder / "bare.xml"
    path.write_text(bare)
    virsh(spare.uri, "define", str(path))
    try:
        off = qga("doctor", name, "-o", "json")
        assert (off.code, rows_of(off)["running"]["fix"]) == (4, f"virsh start {name}")
        virsh(spare.uri, "start", name)
        ran = qga("doctor", "--fix", "-y", name, "-o", "json")
        assert ran.code == 5
        assert "in the guest's definition now" in rows_of(ran)["channel"]["finding"]
        defined = virsh(spare.uri, "dumpxml", "--inactive", name)
        assert "org.qemu.guest_agent.0" in defined
        virsh(spare.uri, "destroy", name)
        virsh(spare.uri, "start", name)
        empty = qga("doctor", name, "-o", "json")
        assert (empty.code, rows_of(empty)["connected"]["verdict"]) == (5, "FAIL")
        assert "qemu-guest-agent" in rows_of(empty)["connected"]["fix"]
        assert "\tnot connected\t" in qga("list", name).out
    finally:
        virsh(spare.uri, "destroy", name)
        virsh(spare.uri, "undefine", name)
