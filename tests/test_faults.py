"""Faults of real parts in the middle of a call: what is said, which code, and that it goes on."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.kit.command import Ran, qga
from tests.kit.faults import COPY, WAIT, during, hold, in_mid_copy, works_again
from tests.kit.running import GUARD, Started, readable
from tests.kit.second_host import SecondHost
from tests.lab.hypervisor import virsh
from tests.lab.local_agent import agent as run_agent

pytestmark = pytest.mark.slow

MOMENTS = ("2040-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "now")


@pytest.fixture(scope="module")
def victim() -> Iterator[lab.Guest]:
    """A guest of this module's own."""
    with lab.up(f"qga-faults-{os.getpid()}") as running:
        yield running


def test_qemu_ga_is_killed_in_mid_call_and_comes_back(victim: lab.Guest) -> None:
    hold(victim.name, "kill -9 $PPID")
    # QEMU tells of a port once a second (VSERPORT_CHANGE in monitor/monitor.c): closed and opened
    # again within it, soon after the guest's start, nobody hears that it was closed.
    time.sleep(1.1)
    ran = during(victim.console, victim.name, lambda: None)
    assert (ran.code, ran.out) == (8, "")
    assert ran.err.startswith(f"qga: {victim.name}: the agent went away before it replied")
    works_again(victim.name)


def test_qemu_ga_is_killed_in_mid_copy(victim: lab.Guest, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(os.urandom(6_000_000))
    far = f"{victim.name}:/root/data"
    in_mid_copy(
        str(tmp_path / "data"), far,
        lambda: qga("exec", victim.name, "--", "sh", "-c", "kill -9 $(pidof qemu-ga)"),
    )  # fmt: skip
    assert qga("ls", "-a", f"{victim.name}:/root").out.count("data") == 1  # nothing is left over
    assert qga("cp", far, str(tmp_path / "back")).code == 0
    assert (tmp_path / "back").read_bytes() == (tmp_path / "data").read_bytes()


def test_paused_in_mid_call(victim: lab.Guest) -> None:
    hold(victim.name, "exec sleep 1")
    suspend = ("suspend", victim.name)
    ran = during(
        victim.console, victim.name, lambda: virsh(victim.uri, *suspend), "--timeout", "2s"
    )
    assert ran.code == 124
    assert ran.err == f"qga: {victim.name}: no answer within 2 s: it may have run\n"
    ran = qga("ping", victim.name)
    assert ran.code == 4
    assert ran.err == f"qga: {victim.name}: guest is paused\nhint: virsh resume {victim.name}\n"
    virsh(victim.uri, "resume", victim.name)
    works_again(victim.name)


def test_a_pause_ends_no_tail(victim: lab.Guest) -> None:
    """A snapshot's pause is over in seconds."""
    write = ("exec", victim.name, "--", "sh", "-c")
    assert qga(*write, "echo begun >/root/log").code == 0
    following = Started("tail", "-f", f"{victim.name}:/root/log")
    assert following.line() == "begun"
    virsh(victim.uri, "suspend", victim.name)
    # Nothing is said where a call is under way just now: the pause holds it.
    said = readable(following.stderr.fileno(), 5) and following.stderr.readline().decode()
    virsh(victim.uri, "resume", victim.name)
    assert said in (False, f"qga: {victim.name}: guest is paused; waiting until it goes on\n")
    assert qga(*write, "echo more >>/root/log").code == 0
    assert following.line() == "more"
    following.signal(signal.SIGINT)
    assert following.end()[0] == -signal.SIGINT


def test_the_guests_clock_jumps(victim: lab.Guest) -> None:
    hold(victim.name, "exit 0")
    for moment in MOMENTS:
        assert qga("time", "set", victim.name, moment).err == ""
        ran = qga("exec", "--timeout", "20s", victim.name, "--", "date", "+%Y")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out[:4] == moment[:4] or moment == "now"
        works_again(victim.name)


def test_the_guests_clock_jumps_in_mid_call(victim: lab.Guest, tmp_path: Path) -> None:
    hold(victim.name, "exit 0")
    source, data = tmp_path / "data", os.urandom(3_000_000)
    source.write_bytes(data)
    script = "rm -f /run/enough; until [ -e /run/enough ]; do echo tick; sleep 0.3; done; exit 3"
    stream = Started("exec", victim.name, "--", "sh", "-c", script)
    assert stream.line() == "tick"
    copy = Started("-vv", *COPY, str(source), f"{victim.name}:/root/clock")
    while b"guest-file-write: ok" not in copy.stderr.readline():
        assert copy.process.poll() is None
    copy.signal(signal.SIGSTOP)  # it shall not be done before
    for moment in MOMENTS:
        assert qga("time", "set", victim.name, moment).err == ""
    copy.signal(signal.SIGCONT)
    assert copy.end()[0] == 0
    assert qga("cat", f"{victim.name}:/root/clock").stdout == data
    assert qga("exec", victim.name, "touch", "/run/enough").code == 0
    code, out, err = stream.end()
    assert (code, set(out.split()) - {"tick"}, err) == (3, set(), "")


def test_nowhere_to_write(victim: lab.Guest, tmp_path: Path) -> None:
    big, name = tmp_path / "big", victim.name
    big.write_bytes(bytes(200_000))
    script = """for o in size=64k ro; do mkdir -p /mnt/$o; mount -t tmpfs -o $o none /mnt/$o; done
                mount -t tmpfs -o ro none /tmp"""
    assert qga("exec", name, "--", "sh", "-c", script).code == 0
    for folder, reason in (("size=64k", "No space left"), ("ro", "Read-only file system")):
        ran = qga("cp", str(big), f"{name}:/mnt/{folder}/x")
        assert ran.code == 1
        assert reason in ran.err
        assert qga("ls", f"{name}:/mnt/{folder}").out.splitlines()[1:] == []  # no part left
    ran = qga("exec", name, "--", "echo", "here")  # with a /tmp that takes nothing
    assert (ran.code, ran.out) == (0, "here\n")
    assert qga("cp", str(big), f"{name}:/root/x").code == 0
    assert qga("exec", name, "--", "umount", "/tmp").code == 0


@pytest.mark.parametrize("words", [("os", "hostname", "VM"), ("cat", "VM:/etc/hosts"), ("list",)])
def test_nowhere_to_write_here(victim: lab.Guest, words: tuple[str, ...]) -> None:
    words = tuple(word.replace("VM", victim.name) for word in words)
    command = [sys.executable, "-m", "qga_cli", *words]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(b"the output cannot be written: No space left on device\n")


def test_reset_in_mid_call(victim: lab.Guest) -> None:
    hold(victim.name, "exec sleep 60")
    ran = during(
        victim.console, victim.name, lambda: virsh(victim.uri, "reset", victim.name),
        "--timeout", "20s",
    )  # fmt: skip
    assert ran.code in (8, 124), ran.err
    assert "went away" in ran.err or "may have run" in ran.err
    works_again(victim.name)


def test_destroyed_in_mid_call_then_undefined(victim: lab.Guest) -> None:
    hold(victim.name, "exec sleep 60")
    xml = victim.folder / "domain.xml"
    ran = during(
        victim.console, victim.name, lambda: virsh(victim.uri, "destroy", victim.name)
    )  # fmt: skip
    assert ran.code == 8, ran.err
    ran = qga("ping", victim.name)
    assert ran.code == 4
    assert f"{victim.name}: guest is shut off\nhint: virsh start {victim.name}" in ran.err
    virsh(victim.uri, "undefine", victim.name)
    ran = qga("ping", victim.name)
    assert ran.code == 4
    assert f"no guest named '{victim.name}'" in ran.err
    virsh(victim.uri, "define", str(xml))


def test_libvirtd_dies_in_mid_call(tmp_path: Path) -> None:
    name = f"qga-second-{os.getpid()}"
    with SecondHost() as second:
        second.boot(name)
        host = ("-c", second.uri)
        assert qga(*host, *WAIT, name).code == 0
        hold(name, "exec sleep 2", *host)
        ran: list[Ran] = []

        def without() -> None:
            ran.append(qga(*host, "ping", name))

        said = during(
            second.folder / name / "console.log", name, lambda: second.restart(without), *host
        )  # fmt: skip
        assert said.code == 8
        assert "the connection to libvirt broke during the call" in said.err
        assert ran[0].code == 3
        assert f"cannot use {second.uri}" in ran[0].err
        works_again(name, *host)
        (tmp_path / "data").write_bytes(os.urandom(6_000_000))
        far = f"{name}:/root/data"
        in_mid_copy(str(tmp_path / "data"), far, second.restart, *host)
        in_mid_copy(far, str(tmp_path / "back"), second.restart, *host)
        assert (tmp_path / "back").read_bytes() == (tmp_path / "data").read_bytes()
        assert sorted(os.listdir(tmp_path)) == ["back", "data"]


def test_a_local_agent_is_killed_in_mid_call_and_respawned(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "qga_cli", "-c", f"unix:{tmp_path}/one.sock", "batch", "x"]
    pipe = subprocess.PIPE
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(run_agent(tmp_path, "one"))
        process = stack.enter_context(subprocess.Popen(words, stdin=pipe, stdout=pipe, bufsize=0))
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"execute": "guest-ping"}\n')
        assert process.stdout.readline() == b'{"return": {}}\n'
        os.kill(first.pid, signal.SIGSTOP)
        process.stdin.write(b'{"execute": "guest-exec", "arguments": {"path": "/bin/true"}}\n')
        await_unread(first.socket)
        os.kill(first.pid, signal.SIGKILL)
        said = process.stdout.readline()
        assert b"closed before it replied" in said or b"reset by peer" in said, said
        first.socket.unlink()
        shutil.rmtree(tmp_path / "one.state")
        stack.enter_context(run_agent(tmp_path, "one"))
        process.stdin.write(b'{"execute": "guest-ping"}\n')
        assert process.stdout.readline() == b'{"return": {}}\n'
        process.stdin.close()
        assert process.wait(timeout=GUARD) == 1


def test_the_socket_is_deleted(tmp_path: Path) -> None:
    with run_agent(tmp_path, "one") as agent:
        agent.socket.unlink()
        ran = qga("-c", f"unix:{agent.socket}", "ping", "x")
        assert ran.code == 3
        assert "no such socket" in ran.err


def await_unread(path: Path) -> None:
    """Wait until bytes lie in the socket that nobody has read; ss shows them as Recv-Q."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = subprocess.run(["ss", "-xH"], capture_output=True, text=True, check=True).stdout
        if any(str(path) in line and line.split()[2] != "0" for line in shown.splitlines()):
            return
        time.sleep(0.01)
    raise AssertionError("nothing arrives")


def test_destroyed_and_undefined_while_it_works(spare: lab.Guest, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(os.urandom(6_000_000))
    stream = Started("exec", spare.name, "--", "sh", "-c", "while echo tick; do sleep 0.2; done")
    assert stream.line() == "tick"
    copy = Started("-vv", *COPY, str(tmp_path / "data"), f"{spare.name}:/root/data")
    while b"guest-file-write: ok" not in copy.stderr.readline():
        assert copy.process.poll() is None
    virsh(spare.uri, "undefine", spare.name)  # transient from now on, it goes with its end
    virsh(spare.uri, "destroy", spare.name)
    (code, _, err), (copied, _, said) = stream.end(), copy.end()
    assert (code, copied in (4, 8)) == (125, True), said
    # The agent's link ends a moment before the guest does.
    ends = r"guest (has gone|is shut(ting down| off))|agent (went away|is not connected)"
    for text in (err, said):
        assert re.search(rf"^qga: {spare.name}: .*({ends})", text, re.MULTILINE), text
    ran = qga("ping", spare.name)
    assert (ran.code, f"no guest named '{spare.name}'" in ran.err) == (4, True)
