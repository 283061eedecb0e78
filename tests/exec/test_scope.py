"""systemd ends what runs in the agent's control group with the agent: what we start leaves it."""

import json
import time

import pytest

import qga_cli
from tests import lab
from tests.kit.channels import may_write_ports
from tests.kit.command import qga
from tests.kit.in_guest import await_agent, done, inside
from tests.kit.running import GUARD, eventually
from tests.kit.terminals import terminal

RESTART = "systemctl restart qemu-guest-agent"
GROUP = "sed s/.*:// /proc/self/cgroup"  # its last member


def restart(guest: lab.Guest) -> None:
    """As from outside of what we have started."""
    before = inside(guest, "pidof", "qemu-ga")
    done(guest, "exec", "-d", "VM", "--", "systemctl", "--no-block", "restart", "qemu-guest-agent")
    assert eventually(
        lambda: qga("exec", guest.name, "pidof", "qemu-ga").out.strip() not in ("", before)
    )


def in_scope(group: str) -> bool:
    return group.startswith("/system.slice/qga-") and group.endswith(".scope")


@pytest.mark.parametrize("channel", ["never", "always"])
def test_a_program_that_restarts_the_agent_goes_on(systemd: lab.Guest, channel: str) -> None:
    """As an upgrade of the agent's package does, which would end half-way."""
    text = (
        f"echo old; until {GROUP} | grep -q scope; do sleep 0.1; done; {RESTART}; echo new; exit 3"
    )
    ran = qga("exec", "--channel", channel, systemd.name, "--", "sh", "-c", text)
    assert (ran.code, ran.out, ran.err) == (3, "old\nnew\n", "")
    assert await_agent(systemd)
    assert eventually(lambda: "qga-" not in inside(systemd, "ls", "/sys/fs/cgroup/system.slice"))


def test_what_it_has_started_goes_on_too(systemd: lab.Guest) -> None:
    """And what nobody has asked for stays where it is: another's program."""
    other = systemd.call("guest-exec", path="sleep", arg=["1000"])
    assert isinstance(other, dict)
    text = (
        "setsid sleep 1001 & sh -c 'sleep 1002 & wait' & sleep 2.5; cat /proc/[0-9]*/cgroup 2>&-; :"
    )
    groups = done(systemd, "exec", "VM", "--", "sh", "-c", text).out
    assert groups.count("/system.slice/qga-") >= 6
    restart(systemd)
    left = inside(systemd, "ps", "-A", "-o", "args=")
    inside(systemd, "pkill", "-f", "^sleep 100")
    assert "sleep 1001" in left
    assert "sleep 1002" in left
    assert "sleep 1000" not in left


def test_a_short_one_gets_none(systemd: lab.Guest) -> None:
    assert inside(systemd, "sh", "-c", GROUP).endswith("/qemu-guest-agent.service")


def test_one_that_nobody_waits_for(systemd: lab.Guest) -> None:
    pid = done(systemd, "exec", "-d", "VM", "--", "sleep", "1003").out.strip()
    group = f"/proc/{pid}/cgroup"
    assert eventually(lambda: in_scope(inside(systemd, "sed", "s/.*://", group)))
    restart(systemd)
    assert inside(systemd, "ps", "-o", "args=", "-p", pid) == "sleep 1003"
    inside(systemd, "kill", pid)


def test_one_that_leaves_another_and_ends_at_once(systemd: lab.Guest) -> None:
    done(systemd, "exec", "-d", "VM", "--", "sh", "-c", "sleep 1004 &")
    find = "for pid in $(pgrep -xf 'sleep 1004'); do sed s/.*:// /proc/$pid/cgroup; done"
    assert eventually(lambda: in_scope(inside(systemd, "sh", "-c", find)))
    inside(systemd, "pkill", "-xf", "sleep 1004")


@pytest.mark.port_written
def test_a_stream_of_the_library(systemd: lab.Guest) -> None:
    with qga_cli.connect(systemd.uri) as host:
        guest = host.guest(systemd.name)
        with guest.open_stream(["sh", "-c", f"while read x; do {GROUP}; done"]) as stream:
            until = time.monotonic() + GUARD
            said = b""
            while b"scope" not in said:
                assert time.monotonic() < until
                stream.write(b"\n")
                said = stream.read(GUARD)
            restart(systemd)
            stream.write(b"\n")
            assert b"scope" in stream.read(GUARD)


@pytest.mark.parametrize("python", ["/usr/bin/python3", ""])
def test_a_terminal(systemd: lab.Guest, python: str) -> None:
    if not python:
        inside(systemd, "mv", "/usr/bin/python3", "/usr/bin/python3.away")
    try:
        with terminal("shell", systemd.name) as shell:
            shell.type(f"until {GROUP} | grep scop[e]; do sleep 0.1; done; echo d'o'ne\r".encode())
            assert b"/system.slice/qga-" in shell.see(b"done\r")
            if python and may_write_ports():  # else it is polled through the agent
                shell.type(f"{RESTART}; echo h'e're\r".encode())
                shell.see(b"here\r")
            shell.type(b"exit 5\r")
            assert shell.end() == 5
        assert await_agent(systemd)
    finally:
        if not python:
            inside(systemd, "mv", "/usr/bin/python3.away", "/usr/bin/python3")


def test_one_that_ends_with_the_agent(systemd: lab.Guest) -> None:
    """It has just begun: it may have done anything."""
    text = f"cat /proc/$PPID/cgroup; {RESTART}; sleep 1000"
    ran = qga("exec", "-o", "json", systemd.name, "--", "sh", "-c", text)
    error = json.loads(ran.stderr)
    assert (ran.code, error["error"]["code"]) == (125, 8)
    assert "sh was started" in error["error"]["message"]
    assert await_agent(systemd)
