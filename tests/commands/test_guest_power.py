"""Commands that stop a guest, run on one of its own: shut down, reboot, halt, suspend."""

import time
from collections.abc import Callable

import pytest

from qga_cli.spec import release
from tests import lab
from tests.kit.command import SUITE, qga
from tests.kit.in_guest import await_agent, await_state, done, inside
from tests.lab.hypervisor import virsh

SYSTEMCTL = """#!/bin/sh
case $1 in
status) exit 3 ;;
suspend) echo mem >/sys/power/state ;;
hibernate) echo disk >/sys/power/state ;;
hybrid-sleep) echo suspend >/sys/power/disk && echo disk >/sys/power/state ;;
esac
"""


def _have_systemctl(guest: lab.Guest) -> None:
    """What of systemd the agent asks for: the lab's guests have none."""
    path = "/usr/bin/systemctl"
    done(guest, "exec", "VM", "--", "sh", "-c", f"printf '{SYSTEMCTL}' >{path}; chmod +x {path}")


def _swap_on_data(guest: lab.Guest) -> None:
    script = "! mountpoint -q /data || umount /data; mkswap -f /dev/vdb && swapon /dev/vdb"
    inside(guest, "sh", "-c", script)


def _goes_on(spare: lab.Guest, suspend: Callable[[lab.Guest], None]) -> None:
    """It is as it was after its sleep. QEMU's emulation now and then resets a guest that wakes, or
    does so without end, so one of three has to be."""
    for _ in range(3):
        guest = lab.up(spare.name, SUITE)
        boot = inside(guest, "cat", "/proc/sys/kernel/random/boot_id")
        suspend(guest)
        virsh(guest.uri, "dompmwakeup", guest.name)
        if await_agent(guest) and inside(guest, "cat", "/proc/sys/kernel/random/boot_id") == boot:
            return
        guest.destroy()
    pytest.fail("none of three guests went on")


def test_suspend_ram(spare: lab.Guest) -> None:
    _goes_on(spare, _suspend_ram)


def _suspend_ram(spare: lab.Guest) -> None:
    if release(spare.agent_version) < (6,):
        _have_systemctl(spare)
    ran = done(spare, "power", "suspend-ram", "VM")
    assert ran.err == (
        f"qga: {spare.name}: power suspend-ram was delivered; the guest is suspended\n"
    )
    assert spare.state() == "pmsuspended"
    ran = qga("ping", spare.name)
    assert ran.code == 4
    assert f"virsh dompmwakeup {spare.name}" in ran.err


def test_suspend_disk(spare: lab.Guest) -> None:
    """The guest writes its memory into swap space, and is off."""
    if release(spare.agent_version) < (6,):
        _have_systemctl(spare)
    _swap_on_data(spare)
    ran = done(spare, "power", "suspend-disk", "VM")
    assert "power suspend-disk was delivered" in ran.err
    await_state(spare, "shut off", 120)
    with open(spare.folder / "data.img", "rb") as disk:
        page = disk.read(4096)
    assert page.endswith(b"S1SUSPEND\0")  # Linux, kernel/power/swap.c, HIBERNATE_SIG


def test_suspend_hybrid(spare: lab.Guest) -> None:
    _goes_on(spare, _suspend_hybrid)


def _suspend_hybrid(spare: lab.Guest) -> None:
    """A guest with neither systemd nor pm-utils cannot; with a systemctl it can."""
    ran = qga("power", "suspend-hybrid", spare.name)
    if release(spare.agent_version) < (6,):
        assert "the guest is still running" in ran.err
    else:
        assert ran.code == 1
        assert "the requested suspend mode is not supported by the guest" in ran.err
        assert "systemd or pm-utils" in ran.err
    _swap_on_data(spare)
    _have_systemctl(spare)
    done(spare, "power", "suspend-hybrid", "VM")
    await_state(spare, "pmsuspended", 120)


def test_shutdown(spare: lab.Guest) -> None:
    ran = done(spare, "power", "shutdown", "VM")
    assert ran.out == ""
    assert f"qga: {spare.name}: power shutdown was delivered; the guest is " in ran.err
    await_state(spare, "shut off")
    ran = qga("power", "shutdown", spare.name)
    assert ran.code == 4
    assert f"virsh start {spare.name}" in ran.err


def test_reboot(spare: lab.Guest) -> None:
    boot = inside(spare, "cat", "/proc/sys/kernel/random/boot_id")
    done(spare, "power", "shutdown", "VM", "--mode", "reboot")
    until = time.monotonic() + 180  # a boot, on a machine that does much else
    while True:
        ran = qga("exec", spare.name, "--", "cat", "/proc/sys/kernel/random/boot_id")
        if ran.code == 0 and ran.out.strip() != boot:
            break
        assert time.monotonic() < until, ran.err + spare.console.read_text(errors="replace")[-4000:]
        time.sleep(0.2)
    assert spare.state() == "running"


def test_halt(spare: lab.Guest) -> None:
    done(spare, "power", "shutdown", "VM", "--mode", "halt")
    until = time.monotonic() + 60
    while "System halted" not in spare.console.read_text(errors="replace"):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert qga("ping", spare.name, "--timeout", "2s").code != 0
    spare.destroy()  # halted, it still counts as running
