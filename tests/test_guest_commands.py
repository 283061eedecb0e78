"""All 44 commands on real guests, with their effect looked at from inside.

QGA_TEST_SUITE chooses the agent: bullseye 5.2, bookworm 7.2, trixie 10.0, trixie-backports 11.1.
"""

import ctypes
import json
import os
import re
import time
from collections.abc import Iterator

import pytest

from qga_cli import catalog
from qga_cli.commands.info import release
from tests import lab
from tests.conftest import SUITE, Ran, qga, qga_tty
from tests.lab.hypervisor import virsh

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
READING = [
    "ping", "info", "sync", "fs list", "fs status", "disk list", "disk stats", "cpu list",
    "cpu stats", "cpu load", "memory list", "memory info", "net interfaces", "net routes",
    "os info", "os hostname", "os timezone", "os devices", "time get", "user list",
]  # fmt: skip
SPARE = f"qga-spare-{os.getpid()}"


@pytest.fixture(scope="module")
def _spares() -> Iterator[None]:
    yield
    lab.down(SPARE)


@pytest.fixture
def spare(_spares: None) -> lab.Guest:
    """A running guest that may be changed and stopped; booted anew after that."""
    return lab.up(SPARE, SUITE)


def inside(guest: lab.Guest, *argv: str) -> str:
    """What a program in the guest prints."""
    ran = qga("exec", guest.name, "--", *argv)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def done(guest: lab.Guest, *words: str, stdin: bytes = b"") -> Ran:
    """Run a command that must succeed."""
    ran = qga(*(word.replace("VM", guest.name) for word in words), stdin=stdin)
    assert ran.code == 0, ran.err
    return ran


def await_state(guest: lab.Guest, state: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while guest.state() != state:
        assert time.monotonic() < until, f"{guest.name} is {guest.state()}, not {state}"
        time.sleep(0.2)


def await_agent(guest: lab.Guest, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while (ran := qga("ping", guest.name)).code:
        assert time.monotonic() < until, ran.err
        time.sleep(0.2)


# Commands that change nothing


@pytest.mark.parametrize("name", READING)
def test_reading(guest: lab.Guest, name: str) -> None:
    """It answers in every form, or says precisely why this guest cannot."""
    command = catalog.find(name.split())
    assert command
    ran = qga(*name.split(), guest.name)
    if release(guest.agent_version) < release(command.since):
        assert ran.code == 6
        assert f"needs qemu-ga {command.since}, this guest runs {guest.agent_version}" in ran.err
    elif command.systems and "Linux" not in command.systems:
        assert ran.code == 6
        assert "works on Windows guests only, this one runs Linux" in ran.err
    else:
        assert (ran.code, ran.err) == (0, "")
        shown = qga_tty(*name.split(), guest.name)
        assert (shown.code, shown.err) == (0, "")
        json.loads(qga(*name.split(), guest.name, "-o", "json").out)
        assert bool(ran.out) == bool(shown.out) == (name != "ping")


def test_what_is_read_is_what_the_guest_has(guest: lab.Guest) -> None:
    assert done(guest, "os", "hostname", "VM").out == inside(guest, "hostname") + "\n"
    cpus = done(guest, "cpu", "list", "VM", "--no-header").out.splitlines()
    assert len(cpus) == int(inside(guest, "nproc"))
    kernel = done(guest, "os", "info", "VM", "--columns", "kernel-release").out
    assert kernel == inside(guest, "uname", "-r") + "\n"
    addresses = done(guest, "net", "interfaces", "VM", "--columns", "addresses").out
    assert "10.0.2.15/24" in addresses
    assert abs(int(done(guest, "time", "get", "VM").out) / 1e9 - time.time()) < 60
    assert "/data\tvdb\text4\t" in done(guest, "fs", "list", "VM").out


def test_sync(guest: lab.Guest) -> None:
    assert done(guest, "sync", "VM", "--id", "42").out == "42\n"
    ran = qga("sync-delimited", guest.name)
    assert ran.code == 6
    assert "cannot pass through libvirt" in ran.err
    assert done(guest, "ping", "VM").code == 0  # the link lives


def test_info_tells_what_the_agent_does(guest: lab.Guest) -> None:
    """Each command that info calls enabled is one that the agent takes, and the other way round."""
    rows = [line.split("\t") for line in done(guest, "info", "VM", "--no-header").out.splitlines()]
    assert len(rows) == 44
    states = {wire: state for wire, _, state, _ in rows}
    version = release(guest.agent_version)
    for command in catalog.walk():
        if command.wire:
            old = version < release(command.since)
            foreign = command.systems and "Linux" not in command.systems
            expected = (
                f"needs qemu-ga {command.since}" if old else
                f"{' and '.join(command.systems)} only" if foreign else "enabled"
            )  # fmt: skip
            assert states[command.wire] == expected, command.wire


def test_files(guest: lab.Guest) -> None:
    path = f"/tmp/{os.getpid()}"
    handle = done(guest, "file", "open", "VM", path, "--mode", "w+").out.strip()
    data = "hello \u00fc\n".encode()
    assert done(guest, "file", "write", "VM", handle, stdin=data).out == "count\t9\neof\tfalse\n"
    done(guest, "file", "flush", "VM", handle)
    assert inside(guest, "cat", path) == "hello \u00fc"
    seek = done(guest, "file", "seek", "VM", handle, "-3", "--whence", "end").out
    assert seek == "position\t6\neof\tfalse\n"
    read = done(guest, "file", "read", "VM", handle, "--count", "1K").out
    assert read == "count\t3\neof\ttrue\ndata\t\u00fc\\n\n"
    done(guest, "file", "close", "VM", handle)
    ran = qga("file", "read", guest.name, handle)
    assert ran.code == 1
    assert f"handle '{handle}' has not been found" in ran.err
    inside(guest, "rm", path)


def test_exec_and_status(guest: lab.Guest) -> None:
    assert inside(guest, "echo", "a  b") == "a  b"
    arguments = ('arg:=["-c", "echo out; echo err >&2; exit 7"]', "capture-output:=true")
    reply = json.loads(done(guest, "raw", "VM", "guest-exec", "path=/bin/sh", *arguments).out)
    pid = str(reply["return"]["pid"])
    until = time.monotonic() + 30
    while "exited\tfalse" in (ran := done(guest, "exec-status", "VM", pid)).out:
        assert time.monotonic() < until
    assert "exitcode\t7\n" in ran.out
    assert "stdout\tout\\n\n" in ran.out
    assert "stderr\terr\\n\n" in ran.out


def test_freeze_list_trim_and_thaw(guest: lab.Guest) -> None:
    trimmed = done(guest, "fs", "trim", "VM", "--minimum", "1M", "--no-header").out
    assert {line.split("\t")[0] for line in trimmed.splitlines()} == {"/", "/data"}
    try:
        assert done(guest, "fs", "freeze-list", "VM", "/data").out == "1\n"
        assert qga("fs", "status", guest.name).out == "frozen\n"
        ran = qga("os", "hostname", guest.name)
        assert (ran.code, ran.out) == (7, "")
        assert "the guest's filesystems are frozen" in ran.err
        states = done(guest, "info", "VM", "--columns", "state", "--no-header").out.splitlines()
        assert states.count("enabled") == 6
        assert "blocked by policy" not in states
    finally:
        assert done(guest, "fs", "thaw", "VM").out == "1\n"
    assert done(guest, "fs", "freeze", "VM").out == "2\n"
    done(guest, "fs", "thaw", "VM")
    # What an agent of 7.2 says about it names a freeze that is over.
    assert qga("os", "devices", guest.name).code == 6


def test_raw_and_batch_say_what_virsh_says(guest: lab.Guest) -> None:
    request = '{"execute": "guest-get-osinfo", "id": 7}'
    virshs = virsh(guest.uri, "qemu-agent-command", guest.name, request).strip()
    assert done(guest, "raw", "VM", request).out == virshs + "\n"
    out = done(guest, "batch", "VM", stdin=f"guest-ping\n{request}\n".encode()).out
    assert out == '{"return":{}}\n' + virshs + "\n"


# Commands that change the guest


def test_cpu_set(spare: lab.Guest) -> None:
    online = ("cat", "/sys/devices/system/cpu/online")
    assert done(spare, "cpu", "set", "VM", "1=off").out == "1\n"
    assert inside(spare, *online) == "0"
    assert "1\tfalse\ttrue" in done(spare, "cpu", "list", "VM").out
    ran = qga("cpu", "set", spare.name, "1=on", "9=off")
    assert ran.code == 1
    assert "cpu 9: " in ran.err
    assert "1 of 2 were set before" in ran.err
    assert inside(spare, *online) == "0-1"


def test_memory_set(spare: lab.Guest) -> None:
    rows = done(spare, "memory", "list", "VM", "--no-header").out.splitlines()
    blocks = [row.split("\t")[0] for row in rows][::-1]
    taken = next(b for b in blocks if qga("memory", "set", spare.name, f"{b}=off").code == 0)
    state = ("cat", f"/sys/devices/system/memory/memory{taken}/state")
    assert inside(spare, *state) == "offline"
    ran = qga("memory", "set", spare.name, f"{taken}=on", "4000=on")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[1:] == [
        f"{taken}\tsuccess\t-",
        "4000\tnot-found\tNo such file or directory",
    ]
    assert inside(spare, *state) == "online"


def test_time_set(spare: lab.Guest) -> None:
    year = ("date", "-u", "+%Y")
    done(spare, "time", "set", "VM", "2027-02-03T04:05:06Z")
    assert inside(spare, *year) == "2027"
    inside(spare, "date", "-s", "2031-01-01")
    done(spare, "time", "set", "VM")  # from the hardware clock, which was set too
    assert inside(spare, *year) == "2027"
    assert "2027-02-03T04:" in qga_tty("time", "get", spare.name).out
    done(spare, "time", "set", "VM", "now")
    assert inside(spare, *year) == time.strftime("%Y", time.gmtime())


def test_user_set_password(spare: lab.Guest) -> None:
    words = ("user", "set-password", "VM", "root", "--password-stdin")
    password = "correct horse \u00fc"
    done(spare, *words, stdin=password.encode() + b"\n")
    assert _crypt(password, _hash(spare)) == _hash(spare)
    assert _crypt("wrong", _hash(spare)) != _hash(spare)
    hashed = "$6$salt$" + "x" * 86
    done(spare, *words, "--crypted", stdin=hashed.encode())
    assert _hash(spare) == hashed
    ran = qga("user", "set-password", spare.name, "no:body", "--password-stdin", stdin=b"x")
    assert ran.code == 1
    assert "forbidden characters in username" in ran.err


def _hash(guest: lab.Guest) -> str:
    return inside(guest, "grep", "^root:", "/etc/shadow").split(":")[1]


def _crypt(password: str, salt: str) -> str:
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    hashed: bytes = crypt(password.encode(), salt.encode())
    return hashed.decode()


def test_ssh_keys(spare: lab.Guest) -> None:
    file = ("cat", "/root/.ssh/authorized_keys")
    done(spare, "ssh", "add", "VM", "root", f"{KEY} a", f"{KEY} b")
    done(spare, "ssh", "add", "VM", "root", f"{KEY} b", f"{KEY} c")
    assert inside(spare, *file) == f"{KEY} a\n{KEY} b\n{KEY} c"
    assert inside(spare, "stat", "-c", "%a", "/root/.ssh", "/root/.ssh/authorized_keys") == (
        "700\n600"
    )
    listed = done(spare, "ssh", "list", "VM", "root", "--columns", "comment", "--no-header").out
    assert sorted(listed.split()) == ["a", "b", "c"]  # 7.2 begins with the newest
    done(spare, "ssh", "remove", "VM", "root", f"{KEY} b")
    assert inside(spare, *file) == f"{KEY} a\n{KEY} c"
    done(spare, "ssh", "add", "VM", "root", f"{KEY} d", "--reset")
    assert inside(spare, *file) == f"{KEY} d"
    ran = qga("ssh", "list", spare.name, "nobdy")
    assert (ran.code, ran.err) == (1, f"qga: {spare.name}: failed to lookup user 'nobdy'\n")


def test_disks_with_partitions(spare: lab.Guest) -> None:
    inside(spare, "umount", "/data")
    keys = "n\\np\\n1\\n\\n+64M\\nn\\np\\n2\\n\\n\\nw\\n"
    inside(spare, "sh", "-c", f"printf '{keys}' | busybox fdisk /dev/vdb")
    shown = qga_tty("disk", "list", spare.name, "--columns", "disk,type").out
    tree = re.sub(r"\x1b\[\d*m", "", shown)
    assert "├─/dev/vdb1  partition" in tree
    assert "└─/dev/vdb2  partition" in tree


def test_suspend_ram(spare: lab.Guest) -> None:
    if release(spare.agent_version) < (6,):
        _have_systemctl(spare)
    boot = inside(spare, "cat", "/proc/sys/kernel/random/boot_id")
    ran = done(spare, "power", "suspend-ram", "VM")
    assert ran.err == (
        f"qga: {spare.name}: power suspend-ram was delivered; the guest is suspended\n"
    )
    assert spare.state() == "pmsuspended"
    ran = qga("ping", spare.name)
    assert ran.code == 4
    assert f"virsh dompmwakeup {spare.name}" in ran.err
    virsh(spare.uri, "dompmwakeup", spare.name)
    await_agent(spare)
    assert inside(spare, "cat", "/proc/sys/kernel/random/boot_id") == boot


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
    virsh(spare.uri, "dompmwakeup", spare.name)
    await_agent(spare)


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
    until = time.monotonic() + 60
    while True:
        ran = qga("exec", spare.name, "--", "cat", "/proc/sys/kernel/random/boot_id")
        if ran.code == 0 and ran.out.strip() != boot:
            break
        assert time.monotonic() < until, ran.err
        time.sleep(0.2)
    assert spare.state() == "running"


def test_halt(spare: lab.Guest) -> None:
    done(spare, "power", "shutdown", "VM", "--mode", "halt")
    until = time.monotonic() + 60
    while "System halted" not in spare.console.read_text(errors="replace"):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert qga("ping", spare.name, "--timeout", "2s").code != 0
