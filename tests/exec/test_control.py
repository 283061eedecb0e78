"""What ends a program in the guest, leaves it running, or tells of it."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qga_cli.agent import Agent, Reply
from qga_cli.channel import ports
from qga_cli.channel.ports import PATIENT, Channel
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.errors import Frozen, NoChannel, QgaError, TimedOut
from qga_cli.exec import supervisor
from qga_cli.spec import Command
from tests.kit.command import environment, qga
from tests.kit.running import GUARD, Started, await_unmarked, eventually, execute
from tests.lab.local_agent import agent as run_local_agent

LONG = b"x" * 99_999 + b"\n"
CAUGHT = "trap 'echo caught; exit 3' INT; echo ready; while sleep 0.1; do :; done"
FROZEN = """
import os, sys
from qga_cli.agent import Agent
from qga_cli.cli.main import main
from qga_cli.errors import Frozen

really, flag = Agent.call, sys.argv.pop(1)

def call(agent, *words, **more):
    if os.path.exists(flag):
        print("refused", file=sys.stderr, flush=True)
        raise Frozen("frozen")
    return really(agent, *words, **more)

Agent.call = call
main()
"""


@pytest.mark.slow
def test_timeout_ends_the_whole_tree(local_agent: str) -> None:
    tree = "setsid sleep 61 & env -i sleep 62 & (sleep 63 &); trap '' TERM; sleep 64 & wait; wait"
    ran = qga("-c", local_agent, "exec", "--timeout", "1s", "--kill-after", "600ms", "x", "--",
              "sh", "-c", tree)  # fmt: skip
    assert ran.code == 124
    assert ran.err == "qga: x: the program was ended after 1 s (--timeout)\n"
    await_unmarked()


def test_the_first_signal_is_forwarded(local_agent: str) -> None:
    script = "trap 'echo got it; exit 7' INT; echo ready; while :; do sleep 0.1; done"
    started = Started("-c", local_agent, "exec", "x", "--", "sh", "-c", script)
    assert started.line() == "ready"
    started.signal(signal.SIGINT)
    assert started.end() == (7, "got it\n", "")


@pytest.mark.slow
def test_the_second_signal_leaves_it_running(local_agent: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    script = f"trap 'echo once' TERM; echo ready; for i in $(seq 9); do sleep 0.3; done; : >{proof}"
    started = Started("-c", local_agent, "exec", "x", "--", "sh", "-c", script)
    assert started.line() == "ready"
    started.signal(signal.SIGTERM)
    assert started.line() == "once"
    started.signal(signal.SIGTERM)
    code, _, err = started.end()
    assert code == 128 + signal.SIGTERM
    assert "still running in the guest as" in err
    assert not proof.exists()
    assert eventually(proof.exists)


def test_a_reader_that_goes_away_ends_the_program(local_agent: str) -> None:
    started = Started("-c", local_agent, "exec", "x", "yes")
    assert started.line() == "y"
    started.stdout.close()
    assert started.process.wait(GUARD) == 141
    started.stderr.close()
    await_unmarked()


def test_an_error_of_ours_ends_the_program(local_agent: str) -> None:
    def full(data: bytes) -> None:
        raise QgaError("disk full")

    with pytest.raises(QgaError, match="disk full"):
        execute(local_agent, "sh", "-c", "while echo; do sleep 0.1; done", stderr=full, stdout=full)
    await_unmarked()


def test_the_library_raises_timed_out(local_agent: str) -> None:
    with pytest.raises(TimedOut):
        execute(local_agent, "sleep", "50", timeout=0.3, kill_after=1.0)


def test_json_tells_all(local_agent: str) -> None:
    script = r"printf 'caf\303\251\n'; printf '\377' >&2; exit 4"
    ran = qga("-c", local_agent, "exec", "-o", "json", "x", "--", "sh", "-c", script)
    answer = json.loads(ran.out)
    assert ran.code == 4
    assert answer.pop("started").endswith("Z")
    assert answer.pop("duration") < 60
    assert answer == {
        "exitcode": 4, "signal": None, "stdout": "café\n", "stderr": "/w==",
        "stderr-encoding": "base64", "truncated": False, "origin": "guest",
    }  # fmt: skip


def test_json_tells_our_127_from_the_program_s(local_agent: str) -> None:
    theirs = qga("-c", local_agent, "exec", "-o", "json", "x", "--", "sh", "-c", "exit 127")
    ours = qga("-c", local_agent, "exec", "-o", "json", "x", "--", "nosuch")
    assert (theirs.code, ours.code) == (127, 127)
    assert json.loads(theirs.out)["origin"] == "guest"
    assert json.loads(ours.err)["error"]["origin"] == "qga"


BACKWARDS = """
import time
real, begun = time.time, time.time()
time.time = lambda: begun - 1000 * (real() - begun)
from qga_cli.cli.main import main
main()
"""


def test_the_host_s_clock_may_jump(local_agent: str) -> None:
    words = ["-c", local_agent, "exec", "-o", "json", "x", "--", "sleep", "0.3"]
    done = subprocess.run(
        [sys.executable, "-c", BACKWARDS, *words], stdin=subprocess.DEVNULL, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duration"] >= 0.3


def test_json_keeps_a_megabyte_and_says_so(local_agent: str) -> None:
    script = r"printf 'x\303\251%.0s' $(seq 1 400000)"
    ran = qga("-c", local_agent, "exec", "-o", "json", "x", "--", "sh", "-c", script)
    answer = json.loads(ran.out)
    assert answer["truncated"]
    assert set(answer["stdout"]) == {"x", "é"}
    assert 2**20 - 3 <= len(answer["stdout"].encode()) <= 2**20


def test_a_detached_program_and_its_status(local_agent: str) -> None:
    script = "echo out; echo err >&2; sleep 1; exit 5"
    pid = qga("-c", local_agent, "exec", "-d", "x", "--", "sh", "-c", script).out.strip()
    running = qga("-c", local_agent, "exec-status", "x", pid)
    assert (running.code, running.out.splitlines()[0]) == (0, "exited\tfalse")
    ended = qga("-c", local_agent, "exec-status", "--wait", "x", pid)
    assert (ended.code, ended.out, ended.err) == (5, "out\n", "err\n")
    again = qga("-c", local_agent, "exec-status", "x", pid)
    assert (again.code, again.err.splitlines()[0]) == (
        1, f"qga: x: the agent knows no program with pid {pid}",
    )  # fmt: skip


def test_a_detached_program_may_write_more_than_is_kept(local_agent: str) -> None:
    words = ("-c", local_agent, "exec", "-d", "x", "--", "head", "-c", "9000000", "/dev/zero")
    pid = qga(*words).out.strip()
    ended = qga("-c", local_agent, "exec-status", "--wait", "x", pid)
    assert (ended.code, len(ended.stdout)) == (0, 2**20)


def test_a_detached_program_in_the_raw(local_agent: str) -> None:
    """The agent hands both out once: what is not printed is lost."""
    words = ("-c", local_agent, "-o", "raw")
    pid = qga(*words, "exec", "-d", "x", "--", "sh", "-c", "echo out; exit 5").out.strip()
    ended = qga(*words, "exec-status", "--wait", "x", pid)
    assert (ended.code, json.loads(ended.out)["return"]["out-data"]) == (5, "b3V0Cg==")


def test_input_and_none_exclude_each_other(local_agent: str) -> None:
    ran = qga("-c", local_agent, "exec", "-i", "-n", "x", "--", "cat", stdin=b"lost")
    assert (ran.code, ran.out) == (2, "")
    assert "-i and -n exclude each other" in ran.err


@pytest.mark.parametrize(
    "line",
    ["exec --env-file <(echo WORD=word) a,b -- sh -c 'echo $WORD'", "script a,b <(echo echo word)"],
)
def test_what_can_be_read_once_is_for_every_guest(line: str, tmp_path: Path) -> None:
    """One of them had the variables, the others ran without."""
    with run_local_agent(tmp_path, "a"), run_local_agent(tmp_path, "b"):
        words = [sys.executable, "-m", "qga_cli", "-c", f"unix:{tmp_path}/{{vm}}.sock"]
        ran = subprocess.run(
            ["bash", "-c", f'"$@" {line}', "bash", *words],
            capture_output=True, env=environment(None), text=True, check=False,
        )  # fmt: skip
    assert sorted(ran.stdout.splitlines()) == ["a: word", "b: word"]
    assert (ran.returncode, ran.stderr) == (0, "qga: 2 ok\n")


def test_a_policy_that_allows_opening_and_no_writing(tmp_path: Path) -> None:
    script = "echo a; sleep 1; echo b; exit 3"
    with run_local_agent(tmp_path, "a", "-b", "guest-file-write") as agent:
        ran = qga("-c", f"unix:{agent.socket}", "exec", "x", "--", "sh", "-c", script)
    assert (ran.code, ran.out, ran.err) == (3, "a\nb\n", "")


@pytest.mark.slow
def test_an_agent_that_cannot_open_files_any_more(tmp_path: Path) -> None:
    """As when /run is full, where it writes down the last handle's number."""
    script = "echo a; sleep 1; cat; echo b; exit 3"
    with run_local_agent(tmp_path, "a") as agent:
        shutil.rmtree(tmp_path / "a.state")
        ran = qga("-c", f"unix:{agent.socket}", "exec", "x", "--", "sh", "-c", script, stdin=LONG,
                  timeout=30)  # fmt: skip
        assert (ran.code, ran.err) == (3, "")
        assert ran.stdout == b"a\n" + LONG + b"b\n"
        ran = qga("-c", f"unix:{agent.socket}", "cat", "x:/etc/hosts")
    assert "`df /run` in the guest" in ran.err


@pytest.mark.parametrize(("large", "patience"), [(True, PATIENT), (False, None)])
def test_what_is_large_for_certain_waits_for_ports(
    local_agent: str, monkeypatch: pytest.MonkeyPatch, large: bool, patience: float | None
) -> None:
    """A folder out of a guest turned away from ports that a busy host plugged a moment later."""
    waited: list[float] = []

    def to(agent: Agent, patience: float) -> Channel:
        waited.append(patience)
        raise NoChannel("none here")

    monkeypatch.setattr(Channel, "to", to)
    monkeypatch.setattr(ports, "obstacle", lambda agent: "")
    with contextlib.suppress(NoChannel):
        execute(local_agent, "true", channel="auto", large=large)
    assert waited == ([patience] if patience else [])


def test_a_time_limit_holds_while_the_guest_is_frozen(
    local_agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library, and Ansible by it, waited for the thaw, however long that took."""
    really, frozen = Agent.call, False

    def call(agent: Agent, command: Command, *words: Any, **more: Any) -> Reply:
        nonlocal frozen
        if frozen:
            raise Frozen("frozen")
        reply = really(agent, command, *words, **more)
        frozen = command is EXEC
        return reply

    monkeypatch.setattr(Agent, "call", call)
    monkeypatch.setattr(supervisor, "_MARGIN", 0.3)
    with pytest.raises(TimedOut, match=r"could not be killed \(pid \d+ in the guest\)"):
        execute(local_agent, "sleep", "1", timeout=0.1, kill_after=0.1)
    await_unmarked()


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_signals_while_the_guest_is_frozen(local_agent: str, tmp_path: Path, signals: int) -> None:
    """The first is the program's, after the thaw; after the second the pid is told."""
    frozen = tmp_path / "frozen"
    words = ("-c", local_agent, "exec", "x", "--", "sh", "-c", CAUGHT)
    with subprocess.Popen(
        [sys.executable, "-c", FROZEN, str(frozen), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "ready\n"
        frozen.touch()
        assert process.stderr.readline() == "refused\n"
        for number in range(signals):
            process.send_signal(signal.SIGINT)
            assert number or process.stderr.readline() == "refused\n"
        frozen.unlink()
        out, err = process.communicate(timeout=GUARD)
    told = re.search(r"interrupted: still running in the guest as (\d+)\n", err)
    if signals == 1:
        assert (process.returncode, out, told) == (3, "caught\n", None)
    else:
        assert (process.returncode, bool(told)) == (-signal.SIGINT, True), err
    await_unmarked()
