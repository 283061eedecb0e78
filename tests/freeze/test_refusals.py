"""What stands against a freeze: each a clear error, and nothing left frozen."""

import subprocess
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from qga_cli.errors import NotRunning
from qga_cli.freeze import steps
from qga_cli.freeze.connection import Connection
from qga_cli.guests.targets import Target
from qga_cli.transports.libvirt import LibvirtTransport
from tests import lab
from tests.kit.command import qga
from tests.kit.freezes import await_no_watchdog, in_guest, status

HOOK = "/etc/qemu/fsfreeze-hook"


@pytest.fixture
def vm(guest: lab.Guest) -> Iterator[lab.Guest]:
    """The guest, thawed, and found so afterwards with no watchdog left."""
    assert status(guest) == "thawed"
    yield guest
    assert status(guest) == "thawed"
    await_no_watchdog(guest.name)


@pytest.fixture
def frozen(guest: lab.Guest) -> Iterator[lab.Guest]:
    """The guest, frozen by somebody else."""
    guest.call("guest-fsfreeze-freeze")
    yield guest
    assert status(guest) == "frozen", "somebody else's freeze is not ours to end"
    guest.call("guest-fsfreeze-thaw")


@pytest.fixture
def hook(vm: lab.Guest) -> Iterator[lab.Guest]:
    """The guest, with its freeze hook saved."""
    in_guest(vm, f"cp -p {HOOK} /tmp/hook")
    yield vm
    in_guest(vm, f"cp -p /tmp/hook {HOOK}")


def on(guest: lab.Guest, words: str) -> list[str]:
    """A command line, with the guest's name for VM."""
    return [guest.name if word == "VM" else word for word in words.split()]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("fs freeze VM", 7),
        ("fs freeze --for 5s VM", 7),
        ("fs freeze-list VM /data", 7),
        ("fs list VM", 7),
        ("net interfaces VM", 7),
        ("exec VM true", 125),
        ("fs with-frozen VM -- true", 125),
    ],
)
def test_a_frozen_guest_says_so(frozen: lab.Guest, words: str, code: int) -> None:
    ran = qga(*on(frozen, words))
    assert ran.code == code
    assert ran.err == (
        f"qga: {frozen.name}: the guest's filesystems are frozen\n"
        f"hint: if no backup holds them, `qga fs thaw {frozen.name}` thaws them\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        "fs freeze-list VM /nosuch",
        "fs freeze-list --for 5s VM /data /nosuch",
        "fs with-frozen --mountpoint /nosuch VM -- true",
    ],
)
def test_a_mount_point_that_does_not_exist(vm: lab.Guest, words: str) -> None:
    ran = qga(*on(vm, words))
    assert ran.code == (125 if "with-frozen" in words else 1)
    assert ran.err == (
        f"qga: {vm.name}: no filesystem that can be frozen is mounted at /nosuch\n"
        "hint: the guest's mount points are /, /data\n"
    )


def test_a_filesystem_that_cannot_be_frozen(vm: lab.Guest) -> None:
    ran = qga("fs", "with-frozen", "--mountpoint", "/tmp", vm.name, "--", "true")
    assert ran.code == 125
    assert "no filesystem that can be frozen is mounted at /tmp" in ran.err


def test_a_freeze_that_freezes_less_than_asked_for(vm: lab.Guest) -> None:
    in_guest(vm, "fsfreeze -f /data")  # the agent passes over what is frozen: EBUSY
    try:
        ran = qga("fs", "with-frozen", "--mountpoint", "/data", vm.name, "--", "echo", "ran")
        assert (ran.code, ran.out) == (125, "")
        assert "no filesystem could be frozen" in ran.err
        words = ("--mountpoint", "/data", "--mountpoint", "/")
        ran = qga("fs", "with-frozen", *words, vm.name, "--", "echo", "ran")
        assert (ran.code, ran.out) == (125, "")
        assert "only 1 of 2 filesystems could be frozen" in ran.err
    finally:
        in_guest(vm, "fsfreeze -u /data || :")


@pytest.mark.parametrize("words", ["fs freeze VM", "fs freeze --for 5s VM"])
def test_the_freeze_hook_fails(hook: lab.Guest, words: str) -> None:
    in_guest(hook, f"printf '#!/bin/sh\nexit 3\n' >{HOOK}")
    ran = qga(*on(hook, words))
    assert ran.code == 1
    assert "fsfreeze hook" in ran.err
    assert f"hint: look at {HOOK}" in ran.err


def test_the_thaw_hook_fails_and_the_guest_is_thawed_all_the_same(hook: lab.Guest) -> None:
    in_guest(hook, f"printf '#!/bin/sh\n[ $1 = freeze ]\n' >{HOOK}")
    ran = qga("fs", "with-frozen", hook.name, "--", "true")
    assert ran.code == 0
    assert "the thaw went wrong" in ran.err
    assert "fsfreeze hook" in ran.err


@pytest.mark.parametrize("words", ["fs freeze --for 5s VM", "fs with-frozen VM -- true"])
def test_a_guest_that_is_paused(vm: lab.Guest, words: str) -> None:
    subprocess.run(["virsh", "-q", "suspend", vm.name], check=True)
    try:
        ran = qga(*on(vm, words))
    finally:
        subprocess.run(["virsh", "-q", "resume", vm.name], check=True)
    assert ran.code == (125 if "with-frozen" in words else 4)
    assert f"{vm.name}: guest is paused\nhint: virsh resume {vm.name}\n" in ran.err


class Domain:
    """What libvirt says of a domain that is in some state and has some job."""

    def __init__(self, state: int, operation: int, reason: int) -> None:
        self._state = (state, reason)
        self._operation = operation

    def state(self) -> tuple[int, int]:
        return self._state

    def job_operation(self) -> int:
        return self._operation


@pytest.mark.parametrize(
    ("state", "operation", "reason", "word"),
    [
        (
            libvirt.VIR_DOMAIN_RUNNING,
            libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT,
            0,
            "migrating",
        ),
        (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN, 0, "migrating"),
        (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP, 0, "running"),
        (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, 0, "paused"),
        (
            libvirt.VIR_DOMAIN_PAUSED,
            libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT,
            libvirt.VIR_DOMAIN_PAUSED_MIGRATION,
            "migrating",
        ),
    ],
)
def test_a_guest_that_migrates_is_told_from_one_that_has_another_job(
    state: int, operation: int, reason: int, word: str
) -> None:
    domain: Any = Domain(state, operation, reason)
    assert LibvirtTransport(domain, lambda: None).state() == word


def test_a_guest_that_migrates_is_not_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Connection(Target(None, "web1", "web1"))
    monkeypatch.setattr(line, "state", lambda: "migrating")
    with pytest.raises(NotRunning, match="migrating to another host"):
        steps.check(line, [])


@pytest.mark.parametrize(("program", "code"), [("nosuchprogram", 127), ("/etc/passwd", 126)])
def test_a_program_that_cannot_run_freezes_nothing(vm: lab.Guest, program: str, code: int) -> None:
    ran = qga("fs", "with-frozen", "-vv", vm.name, "--", program)
    assert ran.code == code
    assert f"cannot run {program} on this host" in ran.err
    assert "guest-fsfreeze" not in ran.err
