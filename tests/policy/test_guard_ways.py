"""Every way to an agent is under the policy: verbs, the watchdog, the doctor, the library."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.command import Configured, qga
from tests.kit.fake import FakeAgent
from tests.kit.policies import ALLOW, BLIND, DENY, READ_ONLY, lines, template, vouched
from tests.lab import Guest
from tests.lab.hypervisor import virsh

Make = Callable[..., FakeAgent]


def test_a_denied_exec_is_a_failure_of_ours(configured: Configured, fake: Make) -> None:
    agent = fake(lambda request: {})
    ran = configured(DENY, "-c", agent.uri, "exec", "x", "id")
    assert (ran.code, ran.out) == (125, "")
    assert "guest-exec is denied" in ran.err


def test_the_doctor_does_not_take_a_policy_for_a_disease(
    configured: Configured, fake: Make
) -> None:
    info = {
        "version": "9.0.0",
        "supported_commands": [
            {"name": name, "enabled": True, "success-response": True}
            for name in ("guest-info", "guest-get-time", "guest-get-osinfo")
        ],
    }
    agent = fake(lambda request: info if request["execute"] == "guest-info" else {})
    ran = configured('[policy."*"]\ndeny = ["guest-get-*"]\n', "-c", agent.uri, "doctor", "x")
    assert ran.code == 0
    assert "clock\twarn\tguest-get-time is denied by this host's policy" in ran.out


class Freezer:
    """A guest with two filesystems."""

    def __init__(self) -> None:
        self.frozen = False

    def __call__(self, request: dict[str, object]) -> object:
        if request["execute"] == "guest-fsfreeze-status":
            return "frozen" if self.frozen else "thawed"
        if request["execute"] == "guest-info":
            return {"version": "9.0.0", "supported_commands": []}
        self.frozen = request["execute"] == "guest-fsfreeze-freeze"
        return 2


def test_freezes_and_their_watchdog_are_under_guard(
    configured: Configured, fake: Make, tmp_path: Path
) -> None:
    guest, log = Freezer(), tmp_path / "log"
    agent = fake(guest)
    words = ("-c", template(agent), "fs", "with-frozen", "agent0", "--audit", str(log), "--")
    ran = configured(ALLOW + vouched(agent), *words, "true")
    assert "guest-fsfreeze-freeze is denied by this host's policy" in ran.err
    assert not guest.frozen
    assert "forbidden" in [line["outcome"] for line in lines(log)]
    log.unlink()
    assert qga(*words, "sh", "-c", "kill -9 $PPID; sleep 9").code == -9
    deadline = time.monotonic() + 20
    while guest.frozen or "guest-fsfreeze-thaw" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    names = [line["command"] for line in lines(log)]
    assert "guest-fsfreeze-freeze" in names


LIBRARY = """
import sys
from qga_cli import config
config.SYSTEM = sys.argv[1]
import qga_cli
try:
    with qga_cli.connect(sys.argv[2]) as host:
        guest = host.guest("agent0")
        guest.ping()
        guest.call("guest-fstrim")
except qga_cli.QgaError as error:
    print(error.exit_code, error)
"""


def test_the_library_is_under_guard_too(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {"paths": []} if "fstrim" in str(request) else {})
    system, log = tmp_path / "etc.toml", tmp_path / "log"
    for policy, said in ((READ_ONLY, "6 guest-fstrim is denied"), ("", "")):
        system.write_text(f'{policy}[audit]\nfile = "{log}"\n{vouched(agent)}')
        words = [sys.executable, "-c", LIBRARY, str(system), template(agent)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(said)
        assert bool(done.stdout) == bool(said)
    asked = [request["execute"] for request in agent.requests]
    assert asked == ["guest-ping", "guest-ping", "guest-fstrim"]
    ends = [(line["command"], line["outcome"]) for line in lines(log)]
    assert ("guest-fstrim", "forbidden") in ends
    assert len(ends) == 4


@pytest.mark.parametrize("deny", ["read-only = true", 'deny = ["doctor*"]', 'allow = ["guest-*"]'])
def test_the_doctor_fixes_under_guard(
    configured: Configured, guest: Guest, tmp_path: Path, deny: str
) -> None:
    """The channel of a guest that runs is gone from its XML only in the doctor's eyes."""
    log = tmp_path / "log"
    before = virsh(guest.uri, "dumpxml", guest.name)
    policy = f'[policy."*"]\n{deny}\n[audit]\nfile = "{log}"\n'
    ran = configured(policy, "-c", guest.uri, "doctor", "--fix", "-y", guest.name, entry=BLIND)
    assert ran.code == 6, ran.out + ran.err
    assert "doctor --fix is denied by this host's policy" in ran.out
    assert [line["outcome"] for line in lines(log) if line["command"] == "doctor --fix"] == [
        "forbidden"
    ]
    assert virsh(guest.uri, "dumpxml", guest.name) == before


def test_the_name_of_a_real_guest_is_libvirts_own(
    configured: Configured, guest: Guest, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    policy = f'[policy."{guest.name[:-1]}*"]\ndeny = ["guest-get-*"]\n[audit]\nfile = "{log}"\n'
    uuid, number = (virsh(guest.uri, ask, guest.name).strip() for ask in ("domuuid", "domid"))
    for word in (guest.name, uuid, uuid.upper(), number):
        ran = configured(policy, "-c", guest.uri, "os", "hostname", word)
        assert ran.code == 6, ran.err
        assert configured(policy, "-c", guest.uri, "ping", word).code == 0
    assert {line["guest"] for line in lines(log)} == {guest.name}
    assert {line["host"] for line in lines(log)} == {guest.uri}
    ran = configured(policy, "-c", guest.uri, "os", "hostname", f"{guest.name},{guest.name}")
    assert ran.code == 123
