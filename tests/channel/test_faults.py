"""What becomes of streams on ports when the guest, its agent, libvirtd, a port or a disk fails.

Each ends with the code that it has without a channel, and no port stays in use.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qga_cli.channel import PREFIX
from qga_cli.channel.ports import STAY
from qga_cli.errors import NoChannel
from tests import lab
from tests.kit import channels
from tests.kit.channels import in_use
from tests.kit.command import qga
from tests.kit.faults import WAIT
from tests.kit.in_guest import await_agent, begun_copy
from tests.kit.running import Started, eventually
from tests.kit.second_host import SecondHost
from tests.lab.hypervisor import virsh

pytestmark = [pytest.mark.slow, pytest.mark.port_written]

ALWAYS = ("--channel", "always")
NEVER = ("--channel", "never")
TICK = "while echo tick; do sleep 0.2; done"


def streaming(name: str, script: str, *host: str, stdin: int = subprocess.DEVNULL) -> Started:
    """A program on ports that has said its first word."""
    started = Started(*host, "exec", *ALWAYS, name, "--", "sh", "-c", script, stdin=stdin)
    assert started.line() == "tick", started.end()
    return started


def copying(data: Path, name: str, *host: str) -> Started:
    """A copy to /root/data that has come a part of its way, and stands still there."""
    return begun_copy(str(data), f"{name}:/root/data", *host)


def complete(data: Path, name: str, *host: str) -> None:
    """What has come of the copy is gone on with, and right then."""
    words = ("cp", *ALWAYS, "--resume", str(data), f"{name}:/root/data")
    done = qga(*host, *words)
    assert (done.code, done.err) == (0, "")
    expected = subprocess.check_output(["sha256sum", data], text=True)[:64]
    told = qga(*host, "exec", name, "--", "sha256sum", "/root/data")
    assert told.out[:64] == expected


def test_the_agent_is_killed_in_mid_stream(victim: lab.Guest, data: Path) -> None:
    # init starts it again.
    text = "echo tick; read x; sleep 1; kill -9 $(pidof qemu-ga); sleep 2; echo end; exit 7"
    copy = copying(data, victim.name)
    stream = streaming(victim.name, text, stdin=subprocess.PIPE)
    assert stream.process.stdin
    stream.process.stdin.write(b"go on\n")
    stream.process.stdin.flush()
    assert stream.line() == "end"
    assert await_agent(victim)
    assert qga("exec", victim.name, "--", "pkill", "-CONT", "-x", "dd").code == 0
    assert (stream.end(), copy.end()) == ((7, "", ""), (0, "", ""))
    complete(data, victim.name)
    assert in_use(victim) == []


def test_a_freeze_holds_up_no_stream(victim: lab.Guest) -> None:
    stream = streaming(victim.name, "echo tick; cat; exit 3", stdin=subprocess.PIPE)
    assert stream.process.stdin
    assert qga("fs", "freeze", victim.name).code == 0
    try:
        for word in (b"one\n", b"two\n"):
            stream.process.stdin.write(word)
            stream.process.stdin.flush()
            assert stream.line() == word.decode().strip()
        for channel in (ALWAYS, NEVER):
            late = qga("exec", *channel, victim.name, "--", "true")
            assert (late.code, "frozen" in late.err) == (125, True), late.err
    finally:
        assert qga("fs", "thaw", victim.name).code == 0
    assert stream.end() == (3, "", "")
    assert in_use(victim) == []


def test_ports_are_unplugged_under_a_program(victim: lab.Guest) -> None:
    stream = streaming(victim.name, TICK)
    for port in channels.plugged(victim):
        channels.ports(victim).unplug(port.name)
    code, _, err = stream.end()
    assert (code, "may run still" in err) == (125, True), err
    assert in_use(victim) == []
    assert eventually(lambda: qga("exec", victim.name, "--", "pgrep", "-f", "[e]cho tick").code)


def test_ports_are_used_up(victim: lab.Guest, data: Path) -> None:
    ports = channels.ports(victim)
    for port in ports.plugged(PREFIX):
        ports.unplug(port.name)
    number, plugged = 0, True
    while plugged:
        try:
            ports.plug(f"org.example.{number}")
            number += 1
        except NoChannel:
            plugged = False
    copy = ("cp", str(data), f"{victim.name}:/root/data")
    try:
        refused = qga(*copy, *ALWAYS)
        assert (refused.code, "no port can be plugged" in refused.err) == (5, True), refused.err
        with open(data, "r+b") as file:
            file.truncate(2**21)  # enough for auto to ask for ports
        done = qga(*copy, "-v", "--channel", "auto")
        assert (done.code, "no channel: no port can be plugged" in done.err) == (0, True), done.err
    finally:
        for port in ports.plugged("org.example."):
            ports.unplug(port.name)


def test_no_room_on_this_host(victim: lab.Guest, tmp_path: Path) -> None:
    far = f"{victim.name}:/root/large"
    words = ("head", "-c", "30000000", "/dev/urandom")
    text = f"{' '.join(words)} >/root/large"
    assert qga("exec", victim.name, "--", "sh", "-c", text).code == 0
    command = [sys.executable, "-m", "qga_cli"]
    for code, line in (
        (1, ("cat", *ALWAYS, far)),
        (125, ("exec", *ALWAYS, victim.name, "--", *words)),
    ):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*command, *line], stdout=full, stderr=subprocess.PIPE)
        assert (done.returncode, b"No space left" in done.stderr) == (code, True), done.stderr
        assert in_use(victim) == []
    done = subprocess.run(  # a copy sees to it that there is room: here a limit is met later
        ["sh", "-c", 'ulimit -f 8192; exec "$@"', "sh", *command, "cp", *ALWAYS, far, tmp_path],
        stderr=subprocess.PIPE,
    )
    assert (done.returncode, b"File too large" in done.stderr) == (1, True), done.stderr
    assert in_use(victim) == []


def test_ten_at_once(victim: lab.Guest) -> None:
    """Five of them with input: that takes 25 ports of the 30 that a controller has."""
    told: list[tuple[int, bool, str]] = []
    data = os.urandom(200_000)

    def use(number: int) -> None:
        given = data if number < 5 else b""
        text = f"cat; exit {number}"
        ran = qga("exec", *ALWAYS, victim.name, "--", "sh", "-c", text, stdin=given)
        told.append((ran.code, ran.stdout == given, ran.err))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [(number, True, "") for number in range(10)]
    assert in_use(victim) == []
    assert len(channels.plugged(victim)) <= STAY


def test_the_guest_is_reset_in_mid_stream(victim: lab.Guest, data: Path) -> None:
    stream = streaming(victim.name, TICK)
    copy = copying(data, victim.name)
    virsh(victim.uri, "reset", victim.name)
    code, _, err = stream.end()
    assert (code, "may run still" in err) == (125, True), err
    code, _, err = copy.end()
    assert (code in (5, 8), "--resume" in err) == (True, True), err
    assert await_agent(victim)
    complete(data, victim.name)
    assert in_use(victim) == []


def test_libvirtd_dies_in_mid_stream(data: Path) -> None:
    """One of our own, over TCP, as a remote one."""
    name = f"qga-second-{os.getpid()}"
    with SecondHost() as second:
        second.boot(name)
        host = ("-c", second.uri)
        assert qga(*host, *WAIT, name).code == 0
        ran = qga(*host, "exec", *ALWAYS, name, "--", "cat", stdin=b"over tcp")
        assert (ran.code, ran.out) == (0, "over tcp")
        stream = streaming(name, TICK, *host)
        copy = copying(data, name, *host)
        second.restart()
        code, _, err = stream.end()
        assert (code, "may run still" in err) == (125, True), err
        code, _, err = copy.end()
        assert (code in (3, 5, 8), "--resume" in err) == (True, True), err
        complete(data, name, *host)
        there = ("exec", *NEVER, name, "--", "pgrep", "-f", "[e]cho tick")
        assert eventually(lambda: qga(*host, *there).code == 1)
        assert eventually(lambda: channels.used(second.uri, name) == [])
