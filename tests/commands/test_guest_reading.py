"""Commands that leave a guest as it was, on real guests.

QGA_TEST_SUITE chooses the agent: bullseye 5.2, bookworm 7.2, trixie 10.0, trixie-backports 11.1.
"""

import json
import os
import time

import pytest

from qga_cli import catalog
from qga_cli.spec import release
from tests import lab
from tests.kit.command import qga, qga_tty
from tests.kit.in_guest import done, inside
from tests.lab.hypervisor import virsh

READING = [
    "ping", "info", "sync", "fs list", "fs status", "disk list", "disk stats", "cpu list",
    "cpu stats", "cpu load", "memory list", "memory info", "net interfaces", "net routes",
    "os info", "os hostname", "os timezone", "os devices", "time get", "user list",
]  # fmt: skip


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
        assert bool(ran.out) == (name != "ping")
        assert shown.out


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
    while "exited\tfalse" in (ran := qga("exec-status", guest.name, pid)).out:
        assert time.monotonic() < until
    assert ran.code == 7
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
