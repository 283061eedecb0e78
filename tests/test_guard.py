"""[policy] and the audit file: who may do what to which guest, and who did."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qga_cli.errors import NoGuest
from qga_cli.transports import connect
from tests.conftest import Ran, qga
from tests.fake import AgentFault, FakeAgent, Silence
from tests.lab import Guest
from tests.lab.hypervisor import virsh

Make = Callable[..., FakeAgent]
Configured = Callable[..., Ran]

# No variable and no option may name another file than /etc/qga/config.toml, so this does.
ENTRY = """
import sys
from qga_cli import config
config.SYSTEM = sys.argv.pop(1)
from qga_cli.cli.main import main
main()
"""


# The same, and the doctor takes the channel for missing.
BLIND = ENTRY.replace(
    "from qga_cli.cli.main",
    """from qga_cli.errors import NotConfigured
from qga_cli.health import checkup
def channel(patient):
    raise NotConfigured("no channel")
checkup.CHECKS = (checkup.host, checkup.guest, channel)
from qga_cli.cli.main""",
)


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """Runs a command line on a machine whose /etc/qga/config.toml says what is given first."""

    def run(text: str, *words: str, stdin: bytes = b"", own: str = "", entry: str = ENTRY) -> Ran:
        system = tmp_path / "etc.toml"
        system.write_text(text)
        (tmp_path / "qga").mkdir(exist_ok=True)
        (tmp_path / "qga" / "config.toml").write_text(own)
        done = subprocess.run(
            [sys.executable, "-c", entry, str(system), *words],
            input=stdin,
            capture_output=True,
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "LANG": "C.UTF-8"},
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def template(agent: FakeAgent) -> str:
    """The first agent's URI by which its guest has a name: agent0."""
    return f"unix:{agent.path.parent}/{{vm}}.sock"


def vouched(agent: FakeAgent) -> str:
    """What makes that name the administrator's word, at the end of his file."""
    return f'[hosts]\nlocal = "{template(agent)}"\n'


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


READ_ONLY = '[policy."agent*"]\nread-only = true\n'
ALLOW = '[policy."agent*"]\nallow = ["guest-get-*"]\n'
DENY = '[policy."*"]\n\n\ndeny = ["guest-exec*", "guest-set-*"]\n'


@pytest.mark.parametrize(
    ("policy", "words", "line"),
    [
        (READ_ONLY, ("fs", "trim"), 2),
        (READ_ONLY, ("raw", "guest-future-thing"), 2),  # what we do not know may change anything
        (READ_ONLY, ("guest-fstrim",), 2),
        (READ_ONLY, ("trim",), 2),  # an alias of the user's
        (ALLOW, ("fs", "list", "--timeout", "5s"), None),
        (ALLOW, ("fs", "trim"), 2),
        (ALLOW, ("net", "interfaces"), 2),
        (DENY, ("time", "set", "now"), 4),
        (DENY, ("os", "hostname"), None),
        (READ_ONLY, ("os", "hostname"), None),
        (ALLOW + DENY, ("os", "hostname"), None),
        (ALLOW + DENY, ("fs", "trim"), 2),
        ('[policy."*"]\nallow = ["*"]\ndeny = ["*-name"]\n', ("os", "hostname"), 3),
        (ALLOW + '[policy."*0"]\ndeny = ["guest-get-host-name"]\n', ("os", "hostname"), 4),
        ('[policy."db*"]\nallow = []\n', ("os", "hostname"), None),
        ('[policy."agent0"]\nallow = []\n', ("ping",), None),
        ('[policy."agent0"]\nallow = []\n', ("fs", "thaw"), None),
        ('[policy."agent[0-9]"]\nallow = []\n', ("fs", "freeze"), 2),
    ],
)
def test_what_a_policy_lets_pass(
    configured: Configured, fake: Make, policy: str, words: tuple[str, ...], line: int | None
) -> None:
    results = {"guest-get-fsinfo": [], "guest-fsfreeze-thaw": 0, "guest-get-host-name":
               {"host-name": "h"}}  # fmt: skip
    agent = fake(lambda request: results.get(str(request["execute"]), {}))
    head = words[:2] if words[0] in ("fs", "net", "os", "time") else words[:1]
    rest = words[len(head) :]
    ran = configured(
        policy + vouched(agent), "-c", template(agent), *head, "agent0", *rest,
        own='[aliases]\ntrim = "fs trim"\n',
    )  # fmt: skip
    if line is None:
        assert (ran.code, ran.err) == (0, "")
        return
    assert ran.code == 6
    assert f" is denied by this host's policy ({agent.path.parent}/etc.toml:{line})\n" in ran.err
    assert agent.requests == []


@pytest.mark.parametrize("way", ["the path", "a template", "a template that cuts elsewhere"])
def test_a_socket_that_nobody_vouches_for_may_be_any_guest(
    configured: Configured, fake: Make, way: str
) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    uri, name = {
        "the path": (agent.uri, "agent0"),
        "a template": (template(agent), "agent0"),
        "a template that cuts elsewhere": (f"unix:{agent.path.parent}/ag{{vm}}.sock", "ent0"),
    }[way]
    words = ("-c", uri, "os", "hostname", name)
    for pattern in ("agent*", "db*", "*"):
        ran = configured(f'[policy."{pattern}"]\nallow = []\n', *words)
        assert ran.code == 6
        assert ("nobody vouches" in ran.err) == (pattern != "*")
    own = f'connect = "{uri}"\n[hosts]\nmine = "{uri}"\n'
    assert configured('[policy."db*"]\nallow = []\n', *words, own=own).code == 6
    assert agent.requests == []


@pytest.mark.parametrize(
    ("pattern", "code"), [("agent0", 6), ("agent0.sock", 6), ("db1", 6), ("web*", 0)]
)
def test_a_socket_of_the_administrator_s_goes_by_its_names(
    configured: Configured, fake: Make, pattern: str, code: int
) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    policy = f'[policy."{pattern}"]\nallow = []\n[hosts]\ndb1 = "{agent.uri}"\n'
    for words in (("-c", agent.uri, "os", "hostname", "x"), ("os", "hostname", "db1/x")):
        ran = configured(policy, *words)
        assert ran.code == code, ran.err
    # What the caller says makes nothing of it.
    assert configured(policy, "-c", agent.uri, "os", "hostname", "web1").code == code


def test_a_template_leads_nowhere_else(configured: Configured, tmp_path: Path) -> None:
    for name in ("..", ".", "../x"):
        ran = configured("", "-c", f"unix:{tmp_path}/{{vm}}/qga.sock", "ping", name)
        assert (ran.code, "is no path" in ran.err) == (4, True)


def test_a_cid_is_a_number_however_it_is_written() -> None:
    for text in ("3", "003"):
        assert connect("vsock:{vm}:1").open(text).identity() == ("vsock:3:1", "3")
    with pytest.raises(NoGuest):
        connect("vsock:{vm}:1").open("\u00b2")


def test_a_duplicate_key_smuggles_nothing(configured: Configured, fake: Make) -> None:
    agent = fake(lambda request: {})
    request = '{"execute": "guest-exec", "execute": "guest-ping"}'
    ran = configured(DENY, "-c", agent.uri, "batch", "x", stdin=request.encode() + b"\n")
    assert ran.code == 0
    assert agent.requests == [{"execute": "guest-ping"}]
    swapped = b'{"execute": "guest-ping", "execut\\u0065": "guest-exec"}\n'
    ran = configured(DENY, "-c", agent.uri, "batch", "x", stdin=swapped)
    assert "denied by this host's policy" in ran.out
    assert len(agent.requests) == 1


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


def test_no_file_of_a_user_counts(configured: Configured, fake: Make) -> None:
    agent = fake(lambda request: {})
    for own in ('[policy."*"]\nallow = ["*"]\n', '[audit]\nfile = "/dev/null"\n'):
        ran = configured(DENY, "-c", agent.uri, "ping", "x", own=own)
        assert ran.code == 2
        assert "config.toml:2: [" in ran.err
        assert "] counts in " in ran.err
        assert agent.requests == []


@pytest.mark.parametrize(
    "text",
    [
        '[policy]\nallow = ["x"]\n',
        '[policy."*"]\nalow = ["x"]\n',
        '[policy."*"]\nallow = "x"\n',
        '[policy."*"]\nread-only = "yes"\n',
        '[policy."*".more]\nallow = ["x"]\n',
        '[policy."alpha/db*"]\nallow = ["x"]\n',
        '[policy."db1,db2"]\nallow = ["x"]\n',
        '[policy."@prod"]\nallow = ["x"]\n',
        "[audit]\nfile = 3\n",
        '[audit]\nfiles = "x"\n',
    ],
)
def test_a_mistake_stops_everything(configured: Configured, fake: Make, text: str) -> None:
    agent = fake(lambda request: {})
    ran = configured(text, "-c", agent.uri, "ping", "x")
    assert ran.code == 2
    assert "etc.toml:2: " in ran.err
    assert agent.requests == []


def test_one_line_for_each_call(fake: Make, tmp_path: Path) -> None:
    def handler(request: dict[str, object]) -> object:
        if request["execute"] == "guest-fstrim":
            raise AgentFault("it is full")
        return {"pid": 1} if request["execute"] == "guest-exec" else {"host-name": "h"}

    agent, log = fake(handler), tmp_path / "audit.jsonl"
    audit = ("-c", template(agent), "--audit", str(log))
    assert qga(*audit, "os", "hostname", "agent0", env={"SUDO_USER": "eve"}).code == 0
    assert qga(*audit, "fs", "trim", "agent0", "--minimum", "7").code == 1
    made = lines(log)
    assert [line["command"] for line in made][:2] == ["guest-get-host-name", "guest-fstrim"]
    assert [line["outcome"] for line in made][:2] == ["ok", "refused"]
    assert made[1]["arguments"] == {"minimum": 7}
    assert made[0]["guest"] == "agent0"
    assert made[0]["host"] == template(agent)
    assert made[0]["user"]["sudo"] == "eve"
    assert made[0]["user"]["euid"] == os.geteuid()
    assert made[0]["time"].endswith("Z")
    assert made[0]["ms"] >= 0
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_exec_is_logged_with_its_words_and_without_its_secrets(fake: Make, tmp_path: Path) -> None:
    agent, log = fake(lambda request: {"pid": 1}), tmp_path / "audit.jsonl"
    arguments = {"path": "/bin/id", "arg": ["-u", "x y"], "env": ["TOKEN=canary", "canary"],
                 "input-data": "Y2FuYXJ5"}  # fmt: skip
    request = json.dumps({"execute": "guest-exec", "arguments": arguments})
    ran = qga("-c", agent.uri, "raw", "x", request, "--audit", str(log), "-vvv")
    assert ran.code == 0
    (line,) = lines(log)
    assert line["argv"] == ["/bin/id", "-u", "x y"]
    assert line["arguments"]["env"][0] == "TOKEN=***"
    assert "Y2FuYXJ5" not in log.read_text() + ran.err
    assert "TOKEN=canary" not in log.read_text() + ran.err
    assert agent.requests[0]["arguments"] == arguments


def test_refusals_by_policy_are_logged_in_both_files(
    configured: Configured, fake: Make, tmp_path: Path
) -> None:
    agent, logs = fake(lambda request: {}), [tmp_path / "a", tmp_path / "b"]
    text = f'{DENY}[audit]\nfile = "{logs[0]}"\n'
    ran = configured(text, "-c", agent.uri, "time", "set", "x", "now", "--audit", str(logs[1]))
    assert ran.code == 6
    for log in logs:
        assert [line["outcome"] for line in lines(log)] == ["forbidden"]


def test_a_file_that_cannot_be_written_stops_everything(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, "ping", "x", "--audit", str(tmp_path / "no" / "such"))
    assert ran.code == 1
    assert "cannot be written: No such file or directory" in ran.err
    assert agent.requests == []


def test_a_full_disk_ends_the_run_after_the_call_that_is_not_logged(fake: Make) -> None:
    agent = fake(lambda request: {})
    words = ("-c", agent.uri, "--audit", "/dev/full")
    ran = qga(*words, "ping", "x")
    assert (ran.code, ran.out) == (1, "")
    assert "guest-ping is not in the audit file /dev/full: No space left on device" in ran.err
    ran = qga(*words, "batch", "x", stdin=b'{"execute": "guest-info"}\n' * 3)
    assert ran.code == 1
    assert len(agent.requests) == 2
    thaw = b'{"execute": "guest-info"}\n{"execute": "guest-fsfreeze-thaw"}\n'
    assert qga(*words, "batch", "x", stdin=thaw).code == 1
    assert agent.requests[-1] == {"execute": "guest-fsfreeze-thaw"}


def test_a_thaw_goes_on_when_the_log_does_not(fake: Make) -> None:
    agent = fake(lambda request: 2)
    ran = qga("-c", agent.uri, "fs", "thaw", "x", "--audit", "/dev/full")
    assert (ran.code, ran.out.strip()) == (1, "2")
    assert "is not in the audit file" in ran.err


def test_what_is_given_up_is_logged_too(fake: Make, tmp_path: Path) -> None:
    agent, log = fake(lambda request: Silence()), tmp_path / "log"
    ran = qga("-c", agent.uri, "fs", "trim", "x", "--timeout", "300ms", "--audit", str(log))
    assert ran.code == 124
    (line,) = lines(log)
    assert line["outcome"] in ("outcome-unknown", "abandoned")


class Freezer:
    """A guest with two filesystems."""

    def __init__(self) -> None:
        self.frozen = False

    def __call__(self, request: dict[str, object]) -> object:
        if request["execute"] == "guest-fsfreeze-status":
            return "frozen" if self.frozen else "thawed"
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
def test_the_doctor_mends_under_guard(
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
