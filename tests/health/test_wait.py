"""`qga wait`: ends when it is so, not before, and says why when it never was."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qga_cli.agent import Agent
from qga_cli.errors import Denied, Unreachable, UsageError
from qga_cli.health.readiness import condition, is_told
from qga_cli.windows import ports
from qga_cli.wire import to_base64
from tests import lab
from tests.kit.command import Far, Ran, qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.running import GUARD
from tests.lab.hypervisor import virsh

PROC_NET_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 2
"""
NETSTAT = "  TCP    0.0.0.0:445     0.0.0.0:0      LISTENING\n  TCP  [::]:80  x:443  ESTABLISHED\n"


class Changing:
    """An agent whose answers come in a row; the last one stays."""

    def __init__(self, **answers: list[object]) -> None:
        self.answers = {name.replace("_", "-"): list(values) for name, values in answers.items()}

    def __call__(self, request: dict[str, object]) -> object:
        values = self.answers[str(request["execute"])]
        value = values.pop(0) if len(values) > 1 else values[0]
        if isinstance(value, Exception):
            raise value
        return value


def info(*enabled: str, disabled: str = "") -> object:
    names = [(name, True) for name in enabled] + [(disabled, False)]
    return {
        "version": "9.0.0",
        "supported_commands": [
            {"name": name, "enabled": on, "success-response": True} for name, on in names
        ],
    }


def files(content: str) -> dict[str, list[object]]:
    reply = {"count": len(content), "buf-b64": to_base64(content.encode()), "eof": True}
    return {"guest_file_open": [7], "guest_file_read": [reply], "guest_file_close": [{}]}


def netstat() -> dict[str, list[object]]:
    status = {"exited": True, "exitcode": 0, "out-data": to_base64(NETSTAT.encode())}
    return {
        "guest_file_open": [AgentFault("failed to open file '/proc/net/tcp': no")],
        "guest_get_osinfo": [{"id": "freebsd"}],
        "guest_exec": [{"pid": 5}],
        "guest_exec_status": [status],
    }


def wait(agent: FakeAgent, what: str, timeout: str = "1s") -> Ran:
    return qga("-c", agent.uri, "wait", "x", "--for", what, "--timeout", timeout)


MISSING = AgentFault("failed to open file '/x' (mode: 'r'): No such file or directory")
ADDRESS = {"ip-address": "192.0.2.9", "ip-address-type": "ipv4", "prefix": 24}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "answers"),
    [
        ("agent", {"guest_ping": [{}]}),
        ("exec", {"guest_info": [info("guest-exec")]}),
        ("ip", {"guest_network_get_interfaces": [[], [{"name": "e", "ip-addresses": [ADDRESS]}]]}),
        ("thawed", {"guest_fsfreeze_status": ["frozen", "frozen", "thawed"]}),
        ("file:/x", {"guest_file_open": [MISSING, MISSING, 7], "guest_file_close": [{}]}),
        ("port:22", files(PROC_NET_TCP)),
        ("port:445", netstat()),
    ],
)
def test_it_ends_when_it_is_so(
    fake: Callable[[Handler], FakeAgent], what: str, answers: dict[str, list[object]]
) -> None:
    ran = wait(fake(Changing(**answers)), what, "5s")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "answers", "reason"),
    [
        ("ip", {"guest_network_get_interfaces": [[]]}, "has an address but loopback"),
        ("thawed", {"guest_fsfreeze_status": ["frozen"]}, "filesystems are frozen"),
        ("file:/x", {"guest_file_open": [MISSING]}, "No such file or directory"),
        ("port:8080", files(PROC_NET_TCP), "nobody in the guest listens on TCP port 8080"),
        ("port:80", netstat(), "nobody in the guest listens on TCP port 80"),
        ("stopped", {"guest_ping": [{}]}, "the guest's agent answers"),
    ],
)
def test_it_says_why_it_never_was(
    fake: Callable[[Handler], FakeAgent], what: str, answers: dict[str, list[object]], reason: str
) -> None:
    ran = wait(fake(Changing(**answers)), what)
    assert ran.code == 124
    assert ran.err.startswith("qga: x: not ready within 1 s: ")
    assert reason in ran.err


def test_what_waiting_cannot_fix_ends_it_at_once(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(Changing(guest_info=[info(disabled="guest-exec")], guest_get_osinfo=[{}]))
    started = time.monotonic()
    ran = wait(agent, "exec", "30s")
    assert (ran.code, "blocked by the guest's policy" in ran.err) == (6, True)
    assert time.monotonic() - started < 10
    unknown = qga("-c", "test:///default", "wait", "nosuch")
    assert (unknown.code, "no guest named 'nosuch'" in unknown.err) == (4, True)


@pytest.mark.parametrize(
    "text", ["", "x", "agent:1", "port:", "port:0", "port:70000", "port:\u00b2", "file:"]
)
def test_conditions_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        condition(text)


@pytest.mark.parametrize("cause", [PermissionError(), TimeoutError()])
def test_a_guest_that_we_cannot_reach_need_not_be_stopped(cause: OSError) -> None:
    """Its socket is for others than us, or it does not hear vsock just now."""

    def call(text: str, timeout: float) -> str:
        raise (Denied if isinstance(cause, PermissionError) else Unreachable)("no way") from cause

    transport = SimpleNamespace(state=str, call=call)
    with pytest.raises(Unreachable):
        condition("stopped").check(Agent(cast("Any", transport), "x"), frozenset)


def test_a_socket_in_the_guest_is_there(near: Far) -> None:
    """It cannot be opened as a file."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{near.folder}/s")
    ran = near("wait", "vm", "--for", f"file:{near.folder}/s", "--timeout", "2s")
    assert (ran.code, ran.err) == (0, "")


def test_a_socket_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "web1.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))  # the file stays, and nobody listens
    made: list[FakeAgent] = []

    def start() -> None:
        path.unlink()
        made.append(FakeAgent(path, lambda request: {}))

    timer = threading.Timer(0.7, start)
    timer.start()
    started = time.monotonic()
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "wait", "web1", "--timeout", "20s")
    assert (ran.code, ran.err) == (0, "")
    assert time.monotonic() - started >= 0.7
    timer.join()
    made[0].close()


@pytest.mark.slow
def test_many_at_once_with_a_row_for_each(tmp_path: Path) -> None:
    agents = [
        FakeAgent(tmp_path / "a.sock", Changing(guest_fsfreeze_status=["frozen"])),
        FakeAgent(tmp_path / "b.sock", Changing(guest_fsfreeze_status=["frozen", "thawed"])),
        FakeAgent(tmp_path / "c.sock", Changing(guest_fsfreeze_status=["thawed"])),
    ]
    words = ("wait", "a,b", "c", "--for", "thawed", "--timeout", "2s", "-o", "json")
    started = time.monotonic()
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", *words)
    assert time.monotonic() - started < 6
    for agent in agents:
        agent.close()
    assert ran.code == 124
    rows = json.loads(ran.out)
    assert [(row["vm"], row["ready"]) for row in rows] == [("a", False), ("b", True), ("c", True)]
    assert rows[0]["reason"] == "not ready within 2 s: the guest's filesystems are frozen"


def test_a_real_guest_stops_and_starts(spare: lab.Guest) -> None:
    """Woken by libvirt's events: asking at growing intervals would take seconds longer."""

    def begin(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "qga_cli", "wait", spare.name, "-v", *words]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr
        assert "host: " in process.stderr.readline()
        assert "not yet" in process.stderr.readline()
        return process

    stopped = begin("--for", "stopped")
    virsh(spare.uri, "destroy", spare.name)
    assert stopped.wait(GUARD) == 0
    ready = begin("--timeout", "2m")
    time.sleep(6)  # by now it would look every few seconds only
    virsh(spare.uri, "start", spare.name)
    while not connected(spare):
        time.sleep(0.02)
    seen = time.monotonic()
    assert ready.wait(GUARD) == 0
    assert time.monotonic() - seen < 3
    for process in (stopped, ready):
        assert process.stderr
        process.stderr.close()
    assert qga("wait", spare.name, "--for", "exec", "--timeout", "30s").code == 0
    assert qga("exec", spare.name, "true").code == 0


def connected(guest: lab.Guest) -> bool:
    return "state='connected'" in virsh(guest.uri, "dumpxml", guest.name)


@pytest.mark.parametrize("told", [is_told, ports.is_told])
@pytest.mark.parametrize("piece", ["\n", " \n", "tcp ", "tcp .80 ", "tcp .80\n"])
def test_a_list_that_a_guest_has_made_up_is_read_in_no_time(
    told: Callable[[str, int], bool], piece: str
) -> None:
    """Empty lines took the square of their number: days, in which no Ctrl-C was heard."""
    begun = time.process_time()
    assert not told(piece * (2**20 // len(piece)), 80)
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("line", "port", "listens"),
    [
        ("tcp4       0      0 *.80                   *.*                    LISTEN", 80, True),
        ("tcp6       0      0 ::1.80  *.*  LISTEN", 80, True),
        ("tcp        0      0 0.0.0.0:8080            0.0.0.0:*               LISTEN", 80, False),
        ("tcp        0      0 0.0.0.0:80              10.0.0.1:400       ESTABLISHED", 80, False),
        ("tcp        0      0 10.0.0.1:4000           0.0.0.0:80              LISTEN", 80, False),
        ("  TCP    0.0.0.0:80     0.0.0.0:0      LISTENING", 80, True),
        ("udp4       0      0 *.80                   *.*                    LISTEN", 80, False),
    ],
)  # fmt: skip
def test_who_listens_in_a_guest_that_is_neither(line: str, port: int, listens: bool) -> None:
    assert is_told(f"Active Internet connections\n{line}\n", port) is listens
