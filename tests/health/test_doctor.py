"""`qga doctor`: each break of the chain is found, named, and mended where --fix may."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.freeze.record import Record
from qga_cli.health import advice
from qga_cli.transports import connect
from qga_cli.wire import to_base64
from tests.kit.command import Ran, qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence

COMMANDS = (
    "guest-ping", "guest-info", "guest-fsfreeze-status", "guest-fsfreeze-thaw", "guest-get-osinfo",
    "guest-get-time", "guest-file-open", "guest-file-read", "guest-file-close", "guest-exec",
    "guest-exec-status",
)  # fmt: skip


class Scripted:
    """A Linux guest in good health, but for what is said."""

    def __init__(
        self,
        *,
        blocked: tuple[str, ...] = (),
        status: str = "thawed",
        system: str = "debian",
        ahead: float = 0.0,
        files: dict[str, str] | None = None,
        denied: str = "",
    ) -> None:
        self.denied = denied
        self.blocked = blocked
        self.status = status
        self.system = system
        self.ahead = ahead
        self.files = files or {}
        self.open = ""

    def __call__(self, request: dict[str, object]) -> object:
        name = str(request["execute"])
        arguments = request.get("arguments")
        assert arguments is None or isinstance(arguments, dict)
        if name in self.blocked:
            raise AgentFault(f"Command {name} has been disabled")
        match name:
            case "guest-info":
                rows = [{"name": one, "enabled": one not in self.blocked, "success-response": True}
                        for one in COMMANDS]  # fmt: skip
                return {"version": "9.2.0", "supported_commands": rows}
            case "guest-fsfreeze-status":
                return self.status
            case "guest-fsfreeze-thaw":
                self.status = "thawed"
                return 1
            case "guest-get-osinfo":
                return {"id": self.system, "version-id": "9.5"}
            case "guest-get-time":
                return int((time.time() + self.ahead) * 1e9)
            case "guest-file-open":
                assert arguments
                self.open = str(arguments["path"])
                if self.open == self.denied:
                    raise AgentFault(f"failed to open file '{self.open}': Permission denied")
                if self.open not in self.files:
                    raise AgentFault(f"failed to open file '{self.open}': No such file")
                return 3
            case "guest-file-read":
                data = self.files[self.open].encode()
                return {"count": len(data), "buf-b64": to_base64(data), "eof": True}
        return {}


def examine(agent: FakeAgent, *words: str) -> tuple[Ran, dict[str, dict[str, str]]]:
    ran = qga("-c", agent.uri, "doctor", "web1", "-o", "json", *words)
    return ran, {row["check"]: row for row in json.loads(ran.out)}


def test_a_healthy_guest(fake: Callable[[Handler], FakeAgent]) -> None:
    ran, rows = examine(fake(Scripted()))
    assert (ran.code, ran.err) == (0, "")
    assert {row["verdict"] for row in rows.values()} == {"ok"}
    assert list(rows) == [
        "host", "guest", "ping", "version", "thawed", "policy", "confinement", "clock",
    ]  # fmt: skip
    assert rows["version"]["finding"] == "qemu-ga 9.2.0"
    assert rows["confinement"]["finding"] == "no SELinux"


def test_colour_is_for_verdicts_not_for_the_names_of_checks(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    table = qga_tty("-c", fake(Scripted()).uri, "doctor", "web1").out
    (line,) = [line for line in table.splitlines() if line.startswith("thawed")]
    assert "\x1b[32mok" in line


def test_what_a_policy_blocks_and_where_it_is_written(fake: Callable[[Handler], FakeAgent]) -> None:
    blocked = ("guest-exec", "guest-exec-status", "guest-file-open")
    ran, rows = examine(fake(Scripted(blocked=blocked, system="rhel")))
    assert ran.code == 0, "a warning is no break"
    assert rows["policy"]["verdict"] == "warn"
    assert rows["policy"]["finding"] == "blocked: guest-exec, guest-exec-status, guest-file-open"
    assert "/etc/sysconfig/qemu-ga" in rows["policy"]["fix"]
    assert "confinement" not in rows, "nobody can tell without files"


@pytest.mark.parametrize("system", ["rhel", "debian"])
def test_the_fix_names_all_that_is_blocked(
    fake: Callable[[Handler], FakeAgent], system: str
) -> None:
    _, rows = examine(fake(Scripted(blocked=("guest-get-time", "guest-exec"), system=system)))
    assert "guest-get-time" in rows["policy"]["fix"]
    assert "guest-exec" in rows["policy"]["fix"]


def test_a_policy_that_allows_next_to_nothing_is_no_freeze(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    agent = fake(Scripted(blocked=COMMANDS[2:]))
    ran, rows = examine(agent)
    assert ran.code == 0
    assert rows["policy"]["verdict"] == "warn"
    assert rows["policy"]["finding"] == "9 commands are blocked: `qga info web1` lists them"
    states = qga("-c", agent.uri, "info", "web1", "--columns", "wire,state").out
    assert "guest-exec\tblocked by policy\n" in states
    assert "frozen" not in states


def test_selinux(fake: Callable[[Handler], FakeAgent]) -> None:
    context = "system_u:system_r:virt_qemu_ga_t:s0\0"
    files = {"/sys/fs/selinux/enforce": "1", "/proc/self/attr/current": context}
    _, rows = examine(fake(Scripted(files=files)))
    assert rows["confinement"]["verdict"] == "warn"
    assert "setsebool" in rows["confinement"]["fix"]
    # Fedora's policy keeps the agent from asking whether it is enforced.
    hidden = Scripted(files={"/proc/self/attr/current": context}, denied="/sys/fs/selinux/enforce")
    _, rows = examine(fake(hidden))
    assert rows["confinement"]["verdict"] == "warn"
    for harmless in ({"/sys/fs/selinux/enforce": "0"},
                     {"/proc/self/attr/current": "unconfined_service_t"}):  # fmt: skip
        _, rows = examine(fake(Scripted(files=files | harmless)))
        assert rows["confinement"]["verdict"] == "ok"


@pytest.mark.parametrize(
    ("ahead", "verdict", "text"),
    [
        (0.0, "ok", "this machine's"),
        (3700.0, "warn", "1h 1m ahead of"),
        (-90.9, "warn", "1m 30s behind"),
    ],
)
def test_the_clock(
    fake: Callable[[Handler], FakeAgent], ahead: float, verdict: str, text: str
) -> None:
    _, rows = examine(fake(Scripted(ahead=ahead)))
    assert rows["clock"]["verdict"] == verdict
    assert text in rows["clock"]["finding"]


def test_frozen_is_a_break_and_thaws(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(Scripted(status="frozen"))
    record = Record(connect(agent.uri).open("web1").identity())
    record.claim("a")  # as by `fs freeze`
    ran, rows = examine(agent)
    assert ran.code == 7
    assert list(rows)[-1] == "thawed"
    assert rows["thawed"]["fix"] == "if no backup holds them, `qga fs thaw web1` thaws them"
    ran, rows = examine(agent, "--fix", "-y")
    assert (ran.code, rows["thawed"]["verdict"]) == (0, "fixed")
    assert "clock" in rows, "the walk goes on"
    assert record.read() == {}


def test_a_freeze_that_another_qga_guards_is_left_to_it(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    """--fix thawed it, and spoiled the backup for which it was made."""
    handler = Scripted(status="frozen")
    agent = fake(handler)
    record = Record(connect(agent.uri).open("web1").identity())
    argv = [sys.executable, "-c", "import time; time.sleep(60)", "qga_cli.freeze.watchdog"]
    with subprocess.Popen(argv) as watchdog:
        record.claim("a", watchdog.pid, time.time() + 30)
        try:
            for words in ((), ("--fix", "-y")):
                ran, rows = examine(agent, *words)
                assert (ran.code, rows["thawed"]["verdict"], handler.status) == (
                    7,
                    "FAIL",
                    "frozen",
                )
                assert f"watchdog pid {watchdog.pid}" in rows["thawed"]["finding"]
                assert "`qga wait web1 --for thawed` waits" in rows["thawed"]["fix"]
        finally:
            watchdog.kill()
            record.clear()


def test_fix_needs_somebody_to_ask(fake: Callable[[Handler], FakeAgent]) -> None:
    handler = Scripted(status="frozen")
    ran = qga("-c", fake(handler).uri, "doctor", "--fix", "web1")
    assert (ran.code, "add -y" in ran.err) == (2, True)
    assert handler.status == "frozen"


@pytest.mark.slow
def test_a_silent_agent(fake: Callable[[Handler], FakeAgent]) -> None:
    ran, rows = examine(fake(lambda request: Silence()), "--timeout", "20s")
    assert ran.code == 5
    assert rows["ping"]["verdict"] == "FAIL"


def test_no_host_no_socket_no_guest(tmp_path: Path) -> None:
    def last(*words: str) -> tuple[int, str, str]:
        ran = qga(*words, "-o", "json")
        row = json.loads(ran.out)[-1]
        return ran.code, row["check"], row["verdict"]

    assert last("-c", "qemu+tcp://127.0.0.1:1/system", "doctor", "x") == (3, "host", "FAIL")
    assert last("-c", f"unix:{tmp_path}/{{vm}}.sock", "doctor", "x") == (4, "guest", "FAIL")
    assert last("-c", f"unix:{tmp_path}/x.sock", "doctor", "x") == (3, "ping", "FAIL")
    assert last("-c", "test:///default", "doctor", "x") == (4, "guest", "FAIL")
    assert last("-c", "test:///default", "doctor", "test") == (5, "channel", "FAIL")


def test_each_guest_of_a_fleet_has_its_rows(tmp_path: Path) -> None:
    agents = [
        FakeAgent(tmp_path / "a.sock", Scripted()),
        FakeAgent(tmp_path / "b.sock", Scripted(status="frozen")),
    ]
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "doctor", "*", "--columns", "check,verdict")
    for agent in agents:
        agent.close()
    assert ran.code == 123
    assert "a\tclock\tok" in ran.out
    assert "b\tthawed\tFAIL" in ran.out
    assert ran.err == "qga: 1 ok, 1 failed (b: exit code 7)\n"


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("debian", "apt install qemu-guest-agent"),
        ("rocky", "dnf install qemu-guest-agent"),
        ("opensuse-leap", "zypper install"),
        ("alpinelinux", "rc-update add qemu-guest-agent"),
        ("freebsd", "sysrc qemu_guest_agent_enable=YES"),
        ("win", "virtio-win-guest-tools.exe"),
        ("", "install the package qemu-guest-agent"),
    ],
)
def test_advice_is_for_the_guest_s_system(system: str, text: str) -> None:
    assert text in advice.install(system)
    assert advice.restart(system).startswith("in the guest: `")
    there = advice.install(system, console=True)
    assert there.startswith("in the guest (`virsh console VM` leads there): ")
    assert text in there
