"""The audit file: who did what to which guest, and what happens when it cannot be written."""

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.cli.audit_line import told
from qga_cli.policy.audit import Audit, typed
from tests.kit.command import Configured, qga
from tests.kit.fake import AgentFault, FakeAgent, Silence
from tests.kit.freezes import Filesystems, await_no_watchdog
from tests.kit.policies import DENY, lines, template
from tests.kit.terminals import terminal

Make = Callable[..., FakeAgent]


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


def test_a_command_is_one_line_as_it_was_typed(local_agent: str, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    words = ["-e", "TOKEN=canary", "-e", "HOME", "--env=A=canary", "x", "--", "sh", "-c", "exit 7"]
    assert qga("-c", local_agent, "exec", "--audit", str(log), *words).code == 7
    (line,) = lines(log, "command")
    assert (line["command"], line["exit"], line["version"]) == ("exec", 7, 2)
    assert line["program"] == ["sh", "-c", "exit 7"]
    assert line["line"][-8:] == [
        "-e", "HOME", "--env=A=***", "x", "--", "sh", "-c", "exit 7"
    ]  # fmt: skip
    assert line["user"]["name"] == pwd.getpwuid(os.geteuid()).pw_name
    assert "canary" not in json.dumps(line)
    assert {call["run"] for call in lines(log)} == {line["run"]}
    assert qga("-c", local_agent, "exec", "--audit", str(log), "x", "--", "nosuch").code == 127
    assert lines(log, "command")[1]["exit"] == 127


@pytest.mark.parametrize(
    ("words", "guests"),
    [
        (["ping", "x"], "x"),
        (["cp", "x:/f", "y:/g", "x:/h"], "x,y"),
        (["cat", "x:/f"], "x"),
        (["cat", "x,y:/f"], "x,y"),
        (["edit", "x:/f"], "x"),
        (["edit", "x:"], "x"),
        (["fs", "with-frozen", "x", "y,z", "--", "true"], "x,y,z"),
        (["wait", "x", "--for", "nothing"], "x"),
        (["list", "d*"], "d*"),
        (["list"], None),
        (["rsh", "-n", "root@x", "id"], "x"),
    ],
)
def test_a_command_s_line_has_its_guests(
    tmp_path: Path, words: list[str], guests: str | None
) -> None:
    """Those of cp, cat, edit and with-frozen stood nowhere but among the words."""
    log = tmp_path / "audit.jsonl"
    qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "--audit", str(log), *words)
    (line,) = lines(log, "command")
    assert line.get("guests") == guests
    assert line.get("program") == {"fs": ["true"], "rsh": ["id"]}.get(words[0])


def test_a_file_of_this_host_with_a_colon_is_no_guest() -> None:
    copy = catalog.load(("cp",))
    places = ["./a:b", "/a:b", "-", "x:C:\\f"]
    assert told(copy, [], {"places": places}, "", 0)["guests"] == "x"
    assert "guests" not in told(copy, [], {"places": places[:3]}, "", 0)


@pytest.mark.parametrize(
    "words",
    [
        ["exec", "-ie", "A=canary", "x"],
        ["exec", "-ieA=canary", "x"],
        ["exec", "-eA=b=canary", "x"],
        ["exec", "--env", "A=canary", "x"],
        ["rsh", "-o", "SetEnv=A=canary", "x"],
        ["rsh", "-o", "setenv A=canary", "x"],
        ["rsh", "-oSetEnv=A=1 B=canary", "x"],
        ["rsh", "-no", " SetEnv = A=canary", "x"],
        ["rsh", "-noSetEnv A=canary", "x"],
        ["rsh", "--option=SetEnv A=canary", "x"],
        ["raw", "x", ' {"execute": "canary"}'],
        ["raw", "x", "guest-set-user-password", "username=root", "password=canary"],
        ["raw", "x", "guest-exec", "path=/bin/id", 'env:=["A=canary"]', "input-data=canary"],
        ["raw", "x", "guest-file-write", "handle:=1000", "buf-b64=canary", "env=A=canary"],
        ["raw", "x", "guest-set-user-password", 'password:="cana\nry canary"'],
    ],
)
def test_values_of_variables_are_masked_however_they_are_typed(words: list[str]) -> None:
    shown = typed(words)
    assert "canary" not in " ".join(shown)
    assert [shown[0], len(shown)] == [words[0], len(words)]


def test_words_that_hold_no_secret_are_logged_as_typed() -> None:
    words = ["exec", "-e", "HOME", "--env-file=f", "web1", "--erase=all"]
    assert typed(words) == words
    raw = ["raw", "web1", "guest-set-user-password", "username=root", "crypted:=false"]
    assert typed(raw) == raw
    assert typed(["rsh", "-o", "SendEnv=A", "-oUser=b", "web1", "setenvironment=1"]) == [
        "rsh", "-o", "SendEnv=A", "-oUser=b", "web1", "setenvironment=1"
    ]  # fmt: skip


def test_calls_can_be_left_out(configured: Configured, fake: Make, tmp_path: Path) -> None:
    agent, log = fake(lambda request: {}), tmp_path / "audit.jsonl"
    text = f'[audit]\nfile = "{log}"\ncalls = false\n'
    assert configured(text, "-c", agent.uri, "ping", "x").code == 0
    assert lines(log, "call") == []
    assert [line["command"] for line in lines(log, "command")] == ["ping"]


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


@pytest.mark.parametrize("words", [("completion", "bash"), ("config", "show"), ("help", "targets")])
def test_what_asks_no_guest_needs_no_file(
    configured: Configured, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Where only root may write it, nobody else had completion or a manual page."""
    text = f'[audit]\nfile = "{tmp_path}/no/such"\n'
    assert configured(text, *words).code == 0
    assert configured("", *words, "--audit", f"{tmp_path}/no/such").code == 1


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


def test_a_full_disk_of_this_host_is_no_agents_silence(fake: Make) -> None:
    agent = fake(lambda request: {"version": "9.0", "supported_commands": []})
    ran = qga("-c", template(agent), "list", "agent0", "--audit", "/dev/full")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("qga: guest-info is not in the audit file /dev/full: ")


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


def test_processes_that_go_on_elsewhere_log_into_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog of a freeze, and what unplugs our ports when we have died: that one works in /,
    and would have begun another file there."""
    monkeypatch.chdir(tmp_path)
    audit = Audit(["log"])
    audit.close()
    run, *paths = audit.words
    assert paths == [f"{tmp_path}/log"]
    assert Audit.joined(audit.words).words == audit.words
    assert len(run) == 12


@pytest.mark.parametrize("calls", [True, False])
def test_a_watchdogs_calls_are_its_commands_and_left_out_with_them(
    configured: Configured, fake: Make, tmp_path: Path, calls: bool
) -> None:
    """They stood there in any case, below a run that no command had."""
    agent, log = fake(Filesystems()), tmp_path / "log"
    text = f'[audit]\nfile = "{log}"\ncalls = {json.dumps(calls)}\n'
    assert configured(text, "-c", agent.uri, "fs", "with-frozen", "x", "--", "true").code == 0
    await_no_watchdog("x")
    (command,) = lines(log, "command")
    assert {line["run"] for line in lines(log)} == ({command["run"]} if calls else set())
    assert bool(Audit([str(log)], calls=calls).words) == calls  # what the reaper gets


def test_a_line_that_a_full_disk_has_cut_takes_no_other_with_it(fake: Make, tmp_path: Path) -> None:
    agent, log = fake(lambda request: {}), tmp_path / "log"
    log.write_bytes(b'{"whole": 1}\n{"time": ')
    for _ in range(2):
        assert qga("-c", agent.uri, "ping", "x", "--audit", str(log)).code == 0
    first, cut, *rest = log.read_text().splitlines()
    assert (first, cut) == ('{"whole": 1}', '{"time": ')
    assert [json.loads(line)["level"] for line in rest] == ["call", "command"] * 2


def test_the_exit_code_is_that_of_the_process(local_agent: str, tmp_path: Path) -> None:
    """Output that cannot be written, and Ctrl-C at a question, were noted as 1."""
    log = tmp_path / "log"
    words = [sys.executable, "-m", "qga_cli", "-c", local_agent, "--audit", str(log)]
    with open("/dev/full", "w") as full:
        ran = subprocess.run([*words, "exec", "x", "--", "echo", "hi"], stdout=full, check=False)
    assert ran.returncode == lines(log, "command")[-1]["exit"] == 125
    with terminal(*words[3:], "user", "set-password", "x", "root") as typed:
        typed.see(b"New password: ")
        typed.type(b"\x03")
        assert typed.end() == -signal.SIGINT
    assert lines(log, "command")[-1]["exit"] == 130


def test_only_what_asks_no_agent_goes_without_the_administrators_file() -> None:
    """`since` is empty for these: a verb that had none by mistake would be under no policy."""
    assert {one.name for one in catalog.walk() if not one.since} == {
        "completion", "config show", "help",
    }  # fmt: skip
