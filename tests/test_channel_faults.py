"""What happens to streams on ports when the guest, its agent, libvirtd or the disk fails."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli.channel import PREFIX
from qga_cli.channel.ports import STAY
from qga_cli.transports import connect
from tests import lab
from tests.conftest import qga
from tests.faults import WAIT
from tests.in_guest import await_agent
from tests.lab.hypervisor import virsh
from tests.running import Started, eventually
from tests.second_host import SecondHost

pytestmark = pytest.mark.slow

ALWAYS = ("--channel", "always")
TICK = "while :; do echo tick; sleep 0.2; done"
KILL = "kill -9 $(pidof qemu-ga)"  # init starts it again


@pytest.fixture(scope="module")
def victim() -> Iterator[lab.Guest]:
    """A guest of this module's own."""
    with lab.up(f"qga-ports-{os.getpid()}") as running:
        yield running


def streaming(name: str, script: str, *host: str, stdin: int = subprocess.DEVNULL) -> Started:
    """A program on ports that has said its first word."""
    started = Started(*host, "exec", *ALWAYS, name, "--", "sh", "-c", script, stdin=stdin)
    assert started.line() == "tick"
    return started


def in_use(uri: str, name: str) -> list[str]:
    """Ports of ours that somebody uses, on this host or in the guest."""
    host = connect(uri)
    try:
        ports = host.open(name).ports()
        assert ports is not None
        return [p.name for p in ports.plugged(PREFIX) if p.is_open or ports.is_used(p.name)]
    finally:
        host.close()


def copying(data: Path, far: str, *host: str) -> Started:
    """A copy into the guest that has come a part of its way, and stands still there."""
    name, _, path = far.partition(":")
    with open(data, "wb") as out:
        for _ in range(64):
            out.write(os.urandom(2**20))
    copy = Started(*host, "cp", *ALWAYS, str(data), far)
    stop = f"[ $(cat {os.path.dirname(path)}/.{data.name}.*.qga-part | wc -c) -gt 1000000 ]"
    stop = f"until {stop}; do sleep 0.05; done; pkill -STOP -x dd"
    assert qga(*host, "exec", "--channel", "never", name, "--", "sh", "-c", stop).code == 0
    return copy


def test_the_agent_is_killed_in_mid_stream(victim: lab.Guest, tmp_path: Path) -> None:
    text = f"echo tick; read x; sleep 1; {KILL}; sleep 2; echo end; exit 7"
    stream = streaming(victim.name, text, stdin=subprocess.PIPE)
    copy = copying(tmp_path / "data", f"{victim.name}:/root/data")
    assert stream.process.stdin
    stream.process.stdin.write(b"go on\n")
    stream.process.stdin.flush()
    assert stream.line() == "end"
    assert await_agent(victim)
    assert qga("exec", victim.name, "--", "pkill", "-CONT", "-x", "dd").code == 0
    assert (stream.end(), copy.end()) == ((7, "", ""), (0, "", ""))
    back = qga("cat", *ALWAYS, f"{victim.name}:/root/data")
    assert back.stdout == (tmp_path / "data").read_bytes()
    assert in_use(victim.uri, victim.name) == []


def test_a_freeze_holds_up_no_stream(victim: lab.Guest) -> None:
    stream = streaming(victim.name, "echo tick; cat; exit 3", stdin=subprocess.PIPE)
    assert stream.process.stdin
    assert qga("fs", "freeze", victim.name).code == 0
    try:
        for word in (b"one\n", b"two\n"):
            stream.process.stdin.write(word)
            stream.process.stdin.flush()
            assert stream.line() == word.decode().strip()
        late = qga("exec", *ALWAYS, victim.name, "--", "true")
        assert (late.code, "frozen" in late.err) == (125, True), late.err
    finally:
        assert qga("fs", "thaw", victim.name).code == 0
    assert stream.end() == (3, "", "")
    assert in_use(victim.uri, victim.name) == []


def test_nowhere_to_write_here(victim: lab.Guest) -> None:
    far = f"{victim.name}:/root/large"
    words = ("head", "-c", "30000000", "/dev/urandom")
    text = f"{' '.join(words)} >/root/large"
    assert qga("exec", victim.name, "--", "sh", "-c", text).code == 0
    for command in (("cat", *ALWAYS, far), ("exec", *ALWAYS, victim.name, "--", *words)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "qga_cli", *command], stdout=full, stderr=subprocess.PIPE
            )
        assert (done.returncode, b"No space left" in done.stderr) == (
            125 if command[0] == "exec" else 1, True
        ), done.stderr  # fmt: skip
        assert in_use(victim.uri, victim.name) == []


def test_ten_at_once(victim: lab.Guest) -> None:
    codes: list[int] = []

    def use(number: int) -> None:
        text = f"cat; exit {number}"
        ran = qga("exec", *ALWAYS, victim.name, "--", "sh", "-c", text, stdin=data, timeout=200)
        assert ran.stdout == data
        codes.append(ran.code)

    data = os.urandom(200_000)
    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == list(range(8))
    assert in_use(victim.uri, victim.name) == []
    host = connect(victim.uri)
    ports = host.open(victim.name).ports()
    assert ports
    assert len(ports.plugged(PREFIX)) <= STAY
    host.close()


def test_the_guest_is_reset_in_mid_stream(victim: lab.Guest, tmp_path: Path) -> None:
    stream = streaming(victim.name, TICK)
    copy = copying(tmp_path / "data", f"{victim.name}:/root/data")
    virsh(victim.uri, "reset", victim.name)
    code, _, err = stream.end()
    assert (code, "may run still" in err) == (125, True), err
    code, _, err = copy.end()
    assert (code in (5, 8), "--resume" in err) == (True, True), err
    assert await_agent(victim)
    assert (
        qga("cp", *ALWAYS, "--resume", str(tmp_path / "data"), f"{victim.name}:/root/data").code
        == 0
    )
    assert in_use(victim.uri, victim.name) == []


def test_libvirtd_dies_in_mid_stream(tmp_path: Path) -> None:
    """Over TCP, as a remote one."""
    name = f"qga-second-{os.getpid()}"
    with SecondHost() as second:
        second.boot(name)
        host = ("-c", second.uri)
        assert qga(*host, *WAIT, name).code == 0
        ran = qga(*host, "exec", *ALWAYS, name, "--", "cat", stdin=b"over tcp")
        assert (ran.code, ran.out) == (0, "over tcp")
        stream = streaming(name, TICK, *host)
        copy = copying(tmp_path / "data", f"{name}:/root/data", *host)
        second.restart()
        code, _, err = stream.end()
        assert (code, "may run still" in err) == (125, True), err
        code, _, err = copy.end()
        assert (code in (3, 5, 8), "--resume" in err) == (True, True), err
        words = ("cp", *ALWAYS, "--resume", str(tmp_path / "data"), f"{name}:/root/data")
        done = qga(*host, *words, timeout=200)
        assert (done.code, done.err) == (0, "")
        began = time.monotonic()
        assert eventually(lambda: in_use(second.uri, name) == []), time.monotonic() - began
        there = qga(*host, "exec", name, "--", "pgrep", "-f", "[e]cho tick")
        assert there.code == 1, there.out
