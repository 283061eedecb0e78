"""`exec` with its streams on ports of ours, in real guests."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli.channel import memory
from tests import lab
from tests.kit import channels
from tests.kit.channels import plugged
from tests.kit.command import Configured, Ran, qga
from tests.kit.running import GUARD, Started, eventually

ALWAYS = ("exec", "--channel", "always")
AUTO = ("exec", "--channel", "auto", "-v")
MANY = b"x" * 100_000  # bytes: more than goes along in a request


@pytest.fixture(autouse=True)
def tidy(guest: lab.Guest) -> Iterator[None]:
    yield
    for port in plugged(guest):
        channels.ports(guest).unplug(port.name)


def run(guest: lab.Guest, *argv: str, stdin: bytes = b"", options: tuple[str, ...] = ()) -> Ran:
    return qga(*ALWAYS, *options, guest.name, "--", *argv, stdin=stdin)


@pytest.mark.port_written
def test_both_streams_are_exact(guest: lab.Guest) -> None:
    everything = bytes(range(256)) * 2000
    ran = run(guest, "sh", "-c", "tee /proc/self/fd/2", stdin=everything)
    assert (ran.code, ran.stdout, ran.stderr) == (0, everything, everything)


@pytest.mark.port_written
@pytest.mark.parametrize("size", [0, 1, 40_000, 3_000_001])
def test_a_slow_reader_gets_all_of_its_input(guest: lab.Guest, size: int) -> None:
    ran = run(guest, "sh", "-c", "sleep 1; wc -c", stdin=os.urandom(size))
    assert (ran.code, ran.out.strip()) == (0, str(size))


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -9 $$"], 137),
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_exit_codes(guest: lab.Guest, argv: list[str], code: int) -> None:
    assert run(guest, *argv).code == code


def test_context(guest: lab.Guest) -> None:
    options = ("-e", "A=b c", "-w", "/var", "-u", "nobody")
    ran = run(guest, "sh", "-c", 'echo "$A" $PWD $(id -un)', options=options)
    assert ran.out == "b c /var nobody\n"


def test_a_program_may_open_its_streams_anew(guest: lab.Guest) -> None:
    script = "echo out >/proc/self/fd/1; echo err >/proc/self/fd/2; cat /proc/self/fd/0"
    ran = run(guest, "sh", "-c", script, stdin=b"in\n")
    assert (ran.code, ran.out, ran.err) == (0, "out\nin\n", "err\n")


def test_a_background_child_holds_nothing_and_is_not_killed(guest: lab.Guest) -> None:
    name = f"/run/test-{os.getpid()}"
    child = f"(sleep 10; echo one; echo two; echo alive >{name}) &"
    began = time.monotonic()
    assert run(guest, "sh", "-c", f"{child} echo now").out == "now\n"
    assert time.monotonic() < began + 10
    until = time.monotonic() + 60
    while qga("exec", "--channel", "never", guest.name, "cat", name).out != "alive\n":
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_timeout_ends_the_tree(guest: lab.Guest) -> None:
    ran = run(guest, "sh", "-c", "sleep 4321 & sleep 4321", options=("--timeout", "1"))
    assert ran.code == 124
    left = qga("exec", "--channel", "never", guest.name, "pgrep", "-fx", "sleep 4321")
    assert left.out == ""


@pytest.mark.port_written
def test_output_is_there_while_the_program_runs(guest: lab.Guest) -> None:
    argv = [sys.executable, "-m", "qga_cli", *ALWAYS, guest.name, "--", "cat"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        took = []
        for turn in range(20):
            began = time.monotonic()
            # The last one may be the beginning of what tells of the program's end.
            said = b"%d\n" % turn if turn < 19 else b"q"
            os.write(process.stdin.fileno(), said)
            assert select.select([process.stdout], [], [], 30)[0]
            assert os.read(process.stdout.fileno(), 100) == said
            took.append(time.monotonic() - began)
        process.stdin.close()
        assert process.wait(GUARD) == 0
    assert sorted(took)[2] < 0.03, took


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_qga_that_is_ended_leaves_nothing(guest: lab.Guest, signum: int) -> None:
    argv = [sys.executable, "-m", "qga_cli", *ALWAYS, guest.name, "--"]
    argv += ["sh", "-c", "while echo working; do sleep 0.1; done"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"working\n"
        process.send_signal(signum)
        process.stdout.read()
    until = time.monotonic() + 15
    while True:
        there = qga("exec", "--channel", "never", guest.name, "pgrep", "-f", "[e]cho working").out
        used = [port.name for port in plugged(guest) if port.is_open]
        if not there and not used:
            break
        assert time.monotonic() < until, (there, used)
        time.sleep(0.2)


@pytest.mark.port_written
def test_a_killed_qga_leaves_no_silent_program_and_no_port(guest: lab.Guest) -> None:
    """It was about to send what the program does not take: libvirtd does not see it die."""
    argv = [sys.executable, "-m", "qga_cli", "exec", "-i", "--channel", "always", guest.name, "--"]
    argv += ["sh", "-c", "echo begun; exec sleep 4994"]
    source, sink = os.pipe()
    process = subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE)
    os.close(source)
    assert process.stdout
    assert process.stdout.readline() == b"begun\n"
    assert len(channels.used(guest.uri, guest.name)) == 3
    while select.select([], [sink], [], 1)[1]:  # until all between us and the program is full
        os.write(sink, bytes(4096))
    process.kill()
    process.communicate()
    os.close(sink)
    look = ("exec", "--channel", "never", guest.name, "pgrep", "-fx", "sleep 4994")
    assert eventually(lambda: not channels.used(guest.uri, guest.name) and not qga(*look).out)
    assert plugged(guest) == []


def test_a_second_signal_leaves_the_program_running(guest: lab.Guest) -> None:
    text = "trap 'echo once' INT; echo ready; while :; do sleep 0.2; done; : 4995"
    started = Started(*ALWAYS, guest.name, "--", "sh", "-c", text)
    assert started.line() == "ready"
    started.signal(signal.SIGINT)
    assert started.line() == "once"
    started.signal(signal.SIGINT)
    code, _, err = started.end()
    # In other words where the guest has no time to be told.
    assert (code, re.search("still run(ning)? in", err) is not None) == (-signal.SIGINT, True), err
    assert channels.in_use(guest) == []
    there = ("exec", "--channel", "never", guest.name, "--", "pkill", "-f", "[:] 4995")
    assert qga(*there).code == 0


def test_a_reader_that_goes_ends_the_program(guest: lab.Guest) -> None:
    words = f"{sys.executable} -m qga_cli exec --channel always {guest.name} yes | head -1"
    assert subprocess.run(["sh", "-c", words], capture_output=True, timeout=60).stdout == b"y\n"


@pytest.mark.port_written
def test_ports_that_are_used_up(guest: lab.Guest) -> None:
    for number in range(40):
        try:
            channels.ports(guest).plug(f"org.example.{number}")
        except Exception:
            break
    try:
        assert run(guest, "echo", "x").code == 125
        ran = qga(*AUTO, guest.name, "cat", stdin=MANY)
        assert (ran.code, ran.stdout) == (0, MANY)
        assert "no channel: no port can be plugged" in ran.err
    finally:
        for port in channels.ports(guest).plugged("org.example."):
            channels.ports(guest).unplug(port.name)


@pytest.mark.port_written
def test_auto_plugs_none_for_what_may_be_short(guest: lab.Guest) -> None:
    for stdin in (b"", b"little"):
        assert qga(*AUTO, guest.name, "cat", stdin=stdin).stdout == stdin
    assert plugged(guest) == []
    for _ in range(20):  # a busy machine may be too late with new ports, and has them next time
        ran = qga(*AUTO, guest.name, "cat", stdin=MANY)
        assert ran.stdout == MANY
        if "no channel" not in ran.err:
            break
    assert "no channel" not in ran.err
    assert plugged(guest) != []


def test_one_run_after_another_uses_the_same_ports(guest: lab.Guest) -> None:
    """Each plugged two, and unplugged those of the run before, which took half of its time."""
    used = set()
    for _ in range(4):
        ran = run(guest, "true", options=("-v",))
        assert ran.code == 0
        used.update(re.findall(r"org\.qga-cli\.port\.\w+", ran.err))
        assert "left behind" not in ran.err
    assert len(used) == 2


def test_a_port_that_is_wrongly_known_as_closed_costs_a_try(guest: lab.Guest) -> None:
    """Its owner was killed in the moment after it had taken the port."""
    stuck = "org.qga-cli.port.0123456789abcdef"
    channels.ports(guest).plug(stuck)
    holds = (
        f"for f in /sys/class/virtio-ports/*; do read -r n <$f/name; [ $n = {stuck} ] && "
        "exec sleep 61 3<>/dev/${f##*/}; done"
    )
    guest.call("guest-exec", path="sh", arg=["-c", holds])
    assert eventually(lambda: [one.name for one in plugged(guest) if one.is_open] == [stuck], GUARD)
    memory.note_closed([stuck])
    ran = run(guest, "echo", "said", options=("-v",))
    assert (ran.code, ran.out) == (0, "said\n")
    assert stuck in ran.err
    assert stuck not in [one.name for one in plugged(guest)]


@pytest.mark.port_written
def test_a_policy_is_borne(guest: lab.Guest, configured: Configured) -> None:
    rule = '[policy."*"]\ndeny = ["channel"]\n'
    ran = configured(rule, *AUTO, guest.name, "cat", stdin=MANY)
    assert (ran.code, ran.stdout) == (0, MANY)
    assert "no channel: channel is denied" in ran.err
    assert configured(rule, *ALWAYS, guest.name, "echo", "x").code == 125
    assert plugged(guest) == []


def test_a_socket_has_no_channel(local_agent: str) -> None:
    ran = qga("-c", local_agent, *AUTO, "x", "cat", stdin=MANY)
    assert (ran.stdout, "no channel: only libvirt's" in ran.err) == (MANY, True)
    assert qga("-c", local_agent, *ALWAYS, "x", "echo", "y").code == 125


@pytest.mark.port_written
def test_a_guest_that_shows_no_port_is_remembered(guest: lab.Guest, tmp_path: Path) -> None:
    # Its ports are plugged already: auto does not wait long for new ones.
    assert run(guest, "true").code == 0
    hidden = "/sys/class/virtio-ports"
    hide = ("mount", "-t", "tmpfs", "none", hidden)
    assert qga("exec", "--channel", "never", guest.name, *hide).code == 0
    try:
        for when in ("", ", as before"):
            said = f"no channel{when}: this guest shows no ports"
            for _ in range(20):  # a busy machine may be too late with ports that are there
                env = {"XDG_CACHE_HOME": str(tmp_path)}
                ran = qga(*AUTO, guest.name, "cat", stdin=MANY, env=env)
                assert (ran.code, ran.stdout) == (0, MANY)
                if said in ran.err:
                    break
            assert said in ran.err
    finally:
        qga("exec", "--channel", "never", guest.name, "umount", hidden)
