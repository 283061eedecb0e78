"""A terminal in a real guest, by hand: keys, windows, floods, and every way out."""

import hashlib
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.kit.command import environment, qga
from tests.kit.running import GUARD, code_of
from tests.kit.terminals import terminal
from tests.lab.hypervisor import virsh

LEFT = (
    "ps -eo args | grep -E '^(python3 -IS|script -q|sleep 4[0-9]{3})'; ls -d /run/qga-*;"
    "ls -l /proc/$(pidof qemu-ga)/fd | grep pts; ls /dev/pts | grep -v ptmx"
)


def sh(vm: str, script: str) -> str:
    return qga("exec", vm, "--", "sh", "-c", script + " 2>/dev/null").out


def vanishes(vm: str, script: str, seconds: float = 10) -> None:
    """Wait until `script` prints nothing."""
    end = time.monotonic() + seconds
    while found := sh(vm, script):
        assert time.monotonic() < end, found
        time.sleep(0.2)


@pytest.fixture(scope="module", params=["python", "script"])
def vm(request: pytest.FixtureRequest, guest: lab.Guest) -> Iterator[str]:
    """A guest that has Python, then one that has script(1) only. In the end nothing is left."""
    hidden = request.param == "script"
    if hidden:
        sh(guest.name, "mv /usr/bin/python3 /usr/bin/python3.away")
    try:
        yield guest.name
        vanishes(guest.name, LEFT)
    finally:
        if hidden:
            sh(guest.name, "mv /usr/bin/python3.away /usr/bin/python3")


def test_a_program_has_our_terminal(vm: str) -> None:
    with terminal("exec", "-it", vm, "--", "sh", "-c", "tty; stty size; echo $TERM; exit 7") as t:
        assert t.end() == 7
        assert re.fullmatch(rb"/dev/pts/\d+\r\n24 80\r\nxterm\r\n", t.screen)
        assert t.modes() == t.modes_before


def test_the_signal_that_ended_it_is_the_exit_code(vm: str) -> None:
    with terminal("exec", "-it", vm, "--", "sh", "-c", "kill -KILL $$") as t:
        assert t.end() == 137


def test_the_window_s_size_is_followed(vm: str) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"
    with terminal("exec", "-it", vm, "--", "sh", "-c", script) as t:
        t.see(b"ready")
        t.resize(33, 99)
        t.see(b"33 99")
        t.type(b"\x03")  # the guest's terminal makes a signal of it
        assert t.end() == 130


def test_a_flood_gives_way_to_control_c(vm: str, request: pytest.FixtureRequest) -> None:
    script = "trap 'echo; echo enough; exit 33' INT; echo ready; yes; sleep 9"
    with terminal("exec", "-it", vm, "--", "sh", "-c", script) as t:
        t.see(b"ready")
        assert t.watch(2) > 100_000
        t.type(b"\x03")
        late = t.see(b"enough")
        assert len(late) < (300_000 if "python" in request.node.name else 9_000_000)
        assert t.end() == 33


def test_a_large_paste_arrives_whole(vm: str) -> None:
    data = random.Random(7).randbytes(100_000)
    script = "stty raw -echo; echo ready; sleep 0.5; head -c 100000 | sha256sum"
    with terminal("exec", "-it", "--escape", "none", vm, "--", "sh", "-c", script) as t:
        t.see(b"ready")
        t.type(data)
        t.see(hashlib.sha256(data).hexdigest().encode())
        assert t.end() == 0


def test_vi_edits_a_file(vm: str, tmp_path: Path) -> None:
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    def keys(*names: str) -> None:
        subprocess.run([*tmux, "send-keys", *names], check=True)

    def see(pattern: str) -> None:
        end = time.monotonic() + 30
        shown = ""
        while not re.search(pattern, shown, re.MULTILINE):
            assert time.monotonic() < end, shown
            time.sleep(0.05)
            shown = subprocess.run(
                [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
            ).stdout

    shell = [sys.executable, "-m", "qga_cli", "shell", vm]
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", "70", "-y", "20", *shell],
        env=environment(None), check=True,
    )  # fmt: skip
    try:
        see(r"^root@.*#$")
        keys("vi /tmp/note", "Enter")
        see(r"^~$")
        keys("ifirst line", "Enter", "second line", "Escape")
        see(r"^second line$")
        keys(":wq", "Enter")
        see(r"^root@.*#$")
        keys("top", "Enter")
        see(r"^ +PID USER ")
        keys("q")
        see(r"^root@.*#$")
        keys("exit", "Enter")
    finally:
        end = time.monotonic() + 10
        while not subprocess.run([*tmux, "has-session"], capture_output=True).returncode:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert sh(vm, "cat /tmp/note; rm /tmp/note") == "first line\nsecond line\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_restores_the_modes_and_hangs_up(vm: str, signum: int) -> None:
    with terminal("exec", "-it", vm, "--", "sh", "-c", "echo ready; sleep 4001") as t:
        t.see(b"ready")
        assert t.modes() != t.modes_before
        t.signal(signum)
        assert t.end(5) == code_of(signum)
        assert t.modes() == t.modes_before
    vanishes(vm, "pgrep -x sleep -a | grep 4001")


def test_a_closed_window_hangs_up(vm: str) -> None:
    with terminal("exec", "-it", vm, "--", "sh", "-c", "echo ready; sleep 4002") as t:
        t.see(b"ready")
        t.shut()
        t.process.wait(GUARD)
    vanishes(vm, "pgrep -x sleep -a | grep 4002")


def test_the_time_is_limited(vm: str) -> None:
    with terminal("exec", "-it", "--timeout", "1s", vm, "--", "sleep", "4003") as t:
        assert t.end() == 124
    vanishes(vm, "pgrep -x sleep -a | grep 4003")


def test_a_session_outlives_freeze_and_pause(vm: str, guest: lab.Guest) -> None:
    with terminal("exec", "-it", vm, "--", "sh", "-c", "echo ready; cat") as t:
        t.see(b"ready\r\n")
        assert qga("fs", "freeze", vm).code == 0
        t.type(b"typed while frozen\r")  # through a port it comes at once, by the agent later
        assert qga("fs", "thaw", vm).code == 0
        t.see(b"typed while frozen\r\ntyped while frozen\r\n")
        virsh(guest.uri, "suspend", vm)
        t.type(b"typed while paused\r")
        assert t.watch(0.5) == 0
        virsh(guest.uri, "resume", vm)
        t.see(b"typed while paused\r\ntyped while paused\r\n")
        t.type(b"~.")
        assert t.end() == 129


def test_without_python_and_script_the_error_says_what_to_install(guest: lab.Guest) -> None:
    hide = "mv /usr/bin/python3 /usr/bin/python3.away; mv /usr/bin/script /usr/bin/script.away"
    sh(guest.name, hide)
    try:
        with terminal("shell", guest.name) as t:
            assert t.end() == 6
        assert b"install python3" in t.screen
    finally:
        sh(guest.name, "cd /usr/bin; mv python3.away python3; mv script.away script")
