"""Freezes on a real guest: nothing leaves it frozen."""

import os
import random
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from qga_cli.freeze import child
from tests import lab
from tests.kit.command import qga
from tests.kit.freezes import await_no_watchdog, await_status, in_guest, start, status, watchdogs
from tests.kit.running import GUARD, code_of
from tests.soak.freeze import SIGNALS, kill_one

RUNS = 12
STATUS = ["virsh", "-q", "qemu-agent-command", "VM", '{"execute":"guest-fsfreeze-status"}']
THAW = ["virsh", "-q", "qemu-agent-command", "VM", '{"execute":"guest-fsfreeze-thaw"}']


@pytest.fixture
def vm(guest: lab.Guest) -> Iterator[lab.Guest]:
    """The guest, thawed, and found so afterwards with no watchdog left."""
    assert status(guest) == "thawed"
    yield guest
    assert status(guest) == "thawed"
    await_no_watchdog(guest.name)


def on(guest: lab.Guest, words: list[str]) -> list[str]:
    return [guest.name if word == "VM" else word for word in words]


def test_the_command_runs_while_the_guest_is_frozen(vm: lab.Guest) -> None:
    ran = qga("fs", "with-frozen", vm.name, "--", *on(vm, STATUS))
    assert (ran.code, ran.err) == (0, "")
    assert '"frozen"' in ran.out


def test_its_environment_streams_and_exit_code(vm: lab.Guest) -> None:
    script = 'echo "$QGA_VM $QGA_FROZEN"; cat; exit 7'
    ran = qga("fs", "with-frozen", vm.name, "--", "sh", "-c", script, stdin=b"input\n")
    assert (ran.code, ran.out, ran.err) == (7, f"{vm.name} 2\ninput\n", "")


def test_one_mount_point(vm: lab.Guest) -> None:
    script = "echo $QGA_FROZEN"
    ran = qga("fs", "with-frozen", "--mountpoint", "/data", vm.name, "--", "sh", "-c", script)
    assert (ran.code, ran.out) == (0, "1\n")


def test_a_write_blocks_while_frozen_and_completes_after(vm: lab.Guest) -> None:
    in_guest(vm, "rm -f /tmp/times /tmp/enough")
    writer = (
        "exec >/dev/null 2>&1; while [ ! -e /tmp/enough ]; do echo text >/data/blocked;"
        "read -r now _ </proc/uptime; echo $now >>/tmp/times; sleep 0.1; done"
    )
    in_guest(vm, f"setsid sh -c '{writer}' </dev/null >/dev/null 2>&1 &")
    deadline = time.monotonic() + 60
    while not in_guest(vm, "cat /tmp/times 2>/dev/null || :"):
        assert time.monotonic() < deadline, "the writer has not begun"
    assert qga("fs", "with-frozen", vm.name, "--", "sleep", "3").code == 0
    longest = 0.0
    while longest < 2:  # between two writes
        assert time.monotonic() < deadline, (
            f"the writes went through a frozen filesystem: {longest}"
        )
        times = [float(line) for line in in_guest(vm, "cat /tmp/times").split()]
        longest = max((b - a for a, b in pairwise(times)), default=0.0)
    in_guest(vm, "touch /tmp/enough")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_thaws_first_and_then_ends_the_command(
    vm: lab.Guest, signum: signal.Signals
) -> None:
    command = "trap '' TERM HUP INT; echo; sleep 9"
    process = start("fs", "with-frozen", vm.name, "--", "sh", "-c", command)
    assert process.stdout
    assert process.stdout.readline(), "frozen, and deaf to signals by now"
    process.send_signal(signum)
    sent = time.monotonic()
    await_status(vm, "thawed", 2)
    gone = process.poll() is not None  # before the command's time was over, on a machine that
    late = time.monotonic() > sent + child._GRACE  # may have stood still meanwhile
    assert late or not gone, "the command ignores the signal, and gets time to end"
    process.send_signal(signum)  # impatient now
    _, err = process.communicate(timeout=GUARD)
    assert process.returncode == code_of(signum)
    word = "interrupted" if signum == signal.SIGINT else f"interrupted by {signum.name}"
    assert f"qga: {word}\n" in err.decode()


def test_the_time_is_over(vm: lab.Guest) -> None:
    began = time.monotonic()
    ran = qga("fs", "with-frozen", "--max", "1s", vm.name, "--", "sleep", "60")
    assert ran.code == 124
    assert "NOT consistent" in ran.err
    assert "--max" in ran.err
    assert time.monotonic() - began < 8


def test_somebody_else_thaws(vm: lab.Guest) -> None:
    ran = qga("fs", "with-frozen", vm.name, "--", *on(vm, THAW))
    assert ran.code == 124
    assert "0 of 2 filesystems" in ran.err
    assert "NOT consistent" in ran.err


def test_one_filesystem_is_thawed_from_inside(vm: lab.Guest) -> None:
    script = "until fsfreeze -u /data; do sleep 0.1; done"
    in_guest(vm, f"({script}) </dev/null >/dev/null 2>&1 &")
    ran = qga("fs", "with-frozen", vm.name, "--", "sleep", "1")
    assert ran.code == 124
    assert "1 of 2 filesystems" in ran.err


def test_killed_at_random_moments(vm: lab.Guest, tmp_path: Path) -> None:
    dice = random.Random(6)
    kills = [kill_one(vm, dice, tmp_path, 0) for _ in range(RUNS)]
    assert {kill.signum for kill in kills} == set(SIGNALS), "the seed covers every signal"
    assert {kill.victim for kill in kills} == {"parent", "command"}


def test_the_watchdog_thaws_when_qga_is_stopped(vm: lab.Guest) -> None:
    process = start("fs", "with-frozen", "--max", "1s", vm.name, "--", "sleep", "60")
    await_status(vm, "frozen", GUARD)
    process.send_signal(signal.SIGSTOP)
    await_status(vm, "thawed", 1 + 1 + 2)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=GUARD)
    assert process.returncode == 124
    assert b"NOT consistent" in err


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_the_watchdogs_death_ends_the_freeze(vm: lab.Guest, signum: int) -> None:
    process = start("fs", "with-frozen", vm.name, "--", "sleep", "60")
    await_status(vm, "frozen", GUARD)
    (pid,) = watchdogs(vm.name)
    os.kill(pid, signum)
    await_status(vm, "thawed", 2)
    _, err = process.communicate(timeout=GUARD)
    assert process.returncode == 124
    assert b"watchdog has died" in err


def test_the_watchdog_is_deaf_to_what_ends_a_session(vm: lab.Guest) -> None:
    process = start("fs", "with-frozen", vm.name, "--", "sleep", "2")
    await_status(vm, "frozen", GUARD)
    (pid,) = watchdogs(vm.name)
    assert os.getsid(pid) == pid
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, signum)
    process.communicate(timeout=GUARD)
    assert process.returncode == 0


def test_freeze_for_a_time(vm: lab.Guest) -> None:
    began = time.monotonic()
    ran = qga("fs", "freeze", "--for", "3s", vm.name)
    assert (ran.code, ran.out, ran.err) == (0, "2\n", "")
    assert time.monotonic() - began < 3, "it does not wait for the thaw"
    assert status(vm) == "frozen"
    await_status(vm, "thawed", 3 + 2)
    assert time.monotonic() - began > 2.5


def test_freeze_for_a_time_and_thaw_before(vm: lab.Guest) -> None:
    ran = qga("fs", "freeze-list", "--for", "1m", vm.name, "/data")
    assert (ran.code, ran.out) == (0, "1\n")
    assert qga("fs", "thaw", vm.name).out == "1\n"


def test_status_of_a_frozen_guest_fails_a_fleet_only(vm: lab.Guest) -> None:
    assert qga("fs", "freeze", vm.name).out == "2\n"
    try:
        one = qga("fs", "status", vm.name)
        assert (one.code, one.out, one.err) == (0, "frozen\n", "")
        glob = qga("fs", "status", f"{vm.name}*")
        assert (glob.code, glob.out) == (1, f"{vm.name}: frozen\n")
        assert qga("fs", "status", vm.name, "-o", "json").out == '"frozen"\n'
        assert '"return":"frozen"' in qga("fs", "status", vm.name, "-o", "raw").out
    finally:
        assert qga("fs", "thaw", vm.name).out == "2\n"
    again = qga("fs", "thaw", f"{vm.name}*")
    assert (again.code, again.out) == (0, f"{vm.name}: 0\n")
    assert qga("fs", "status", f"{vm.name}*").code == 0
