"""exec against a real agent on this machine: streams, codes, words, context, control."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qga_cli.errors import NoProgram, NotExecutable, QgaError, TimedOut
from qga_cli.exec import program, wrapper
from tests.conftest import qga
from tests.lab.local_agent import agent as run_local_agent
from tests.running import Started, eventually, execute, marked

SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(
    ("script", "out", "err", "code"),
    [
        ("echo hello", "hello\n", "", 0),
        ("echo out; echo err >&2; exit 3", "out\n", "err\n", 3),
        ("printf 'no newline'", "no newline", "", 0),
        ("kill -KILL $$", "", "", 137),
        ("kill -INT $$", "", "", 130),
        ("exit 137", "", "", 137),
        ("sleep 0.5; echo late; echo too >&2; exit 255", "late\n", "too\n", 255),
        ("sleep 0.5; kill -TERM $$", "", "", 143),
    ],
)
def test_streams_and_code_are_the_programs(
    local_agent: str, script: str, out: str, err: str, code: int
) -> None:
    ran = qga("-c", local_agent, "exec", "x", "--", "sh", "-c", script)
    assert (ran.out, ran.err, ran.code) == (out, err, code)


@pytest.mark.parametrize("wait", ["", "sleep 0.5;"])
def test_a_signal_is_told_from_the_exit_code_that_looks_like_it(
    local_agent: str, wait: str
) -> None:
    killed = execute(local_agent, "sh", "-c", f"{wait} kill -KILL $$").done
    assert (killed.exitcode, killed.signal) == (None, 9)
    ended = execute(local_agent, "sh", "-c", f"{wait} exit 137").done
    assert (ended.exitcode, ended.signal) == (137, None)


@pytest.mark.parametrize(
    ("program", "code", "message"),
    [
        ("no-such-program", 127, "qga: x: no program 'no-such-program' in the guest"),
        ("/no/such/program", 127, "qga: x: no program '/no/such/program' in the guest"),
        ("/etc/passwd", 126, "qga: x: '/etc/passwd' is not executable in the guest"),
        ("/tmp", 126, "qga: x: '/tmp' is not executable in the guest"),
    ],
)
def test_what_cannot_be_started(local_agent: str, program: str, code: int, message: str) -> None:
    ran = qga("-c", local_agent, "exec", "x", program)
    assert (ran.out, ran.err.splitlines()[0], ran.code) == ("", message, code)
    error = json.loads(qga("-c", local_agent, "exec", "-o", "json", "x", program).err)["error"]
    assert error["code"] == code
    with pytest.raises(NoProgram if code == 127 else NotExecutable):
        execute(local_agent, program)


@SLOW
@given(words=st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\0", b"")), max_size=8))
def test_words_arrive_exactly(local_agent: str, words: list[bytes]) -> None:
    given = [os.fsdecode(word) for word in words]
    ran = execute(local_agent, "printf", r"%s\0", *given)
    assert ran.out == b"".join(word + b"\0" for word in words or [b""])


@pytest.mark.parametrize("name", ["echo", "printf", "kill"])
def test_a_program_is_no_builtin_of_the_shell(local_agent: str, name: str) -> None:
    ran = execute(local_agent, name, "--version")
    builtin = execute(local_agent, "sh", "-c", f"{name} --version")
    assert ran.out != builtin.out


def test_output_of_any_size(local_agent: str) -> None:
    size = 100 * 2**20
    ran = qga("-c", local_agent, "exec", "x", "--", "head", "-c", str(size), "/dev/zero")
    assert len(ran.stdout) == size
    assert hashlib.sha256(ran.stdout).digest() == hashlib.sha256(bytes(size)).digest()


def test_both_streams_at_once(local_agent: str) -> None:
    script = "seq 1 300000 >&2 & seq 1 400000; wait"
    ran = execute(local_agent, "sh", "-c", script)
    assert ran.out == b"".join(b"%d\n" % n for n in range(1, 400001))
    assert ran.err == b"".join(b"%d\n" % n for n in range(1, 300001))


def test_lines_are_shown_as_they_come(local_agent: str) -> None:
    script = "echo one; sleep 2; echo two"
    started = Started("-c", local_agent, "exec", "x", "--", "sh", "-c", script)
    assert started.line() == "one"
    assert started.process.poll() is None
    assert started.end()[:2] == (0, "two\n")


@pytest.mark.parametrize("size", [0, 1, 50_000, 5_000_000])
def test_input_comes_back_identical(local_agent: str, size: int) -> None:
    data = os.urandom(size)
    assert execute(local_agent, "cat", stdin=data).out == data


def test_a_program_that_stops_reading_ends_the_call(local_agent: str) -> None:
    assert execute(local_agent, "head", "-c", "3", stdin=b"abc" * 3_000_000).out == b"abc"


def test_input_that_comes_slowly_is_passed_on_at_once(local_agent: str) -> None:
    reader, writer = os.pipe()
    script = "while read -r line; do echo $line; done"
    started = Started("-c", local_agent, "exec", "x", "--", "sh", "-c", script, stdin=reader)
    os.close(reader)
    for word in ("a", "b"):
        os.write(writer, f"{word}\n".encode())
        assert started.line() == word
    os.close(writer)
    assert started.end() == (0, "", "")


def test_no_stdin_leaves_it_alone(local_agent: str) -> None:
    assert qga("-c", local_agent, "exec", "-n", "x", "cat", stdin=b"mine").out == ""
    assert qga("-c", local_agent, "exec", "x", "cat", stdin=b"yours").out == "yours"


def test_a_background_child_neither_holds_the_call_nor_dies_of_it(
    local_agent: str, tmp_path: Path
) -> None:
    for wait in ("", "sleep 0.6"):
        proof = tmp_path / f"proof{len(wait)}"
        child = f"(sleep 1; echo late; echo later; touch {proof}) &"
        ran = execute(local_agent, "sh", "-c", f"{child} {wait}\necho now")
        assert ran.out == b"now\n"
        assert not proof.exists()
        assert eventually(proof.exists)


def test_a_keeper_that_comes_too_late_is_no_failure(
    local_agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = wrapper.WRAPPER.replace("export LC_ALL=C", "sleep 2; export LC_ALL=C")
    monkeypatch.setattr(wrapper, "WRAPPER", slow)
    monkeypatch.setattr(program, "_SHORT", (0.1, 0.1))
    ran = execute(local_agent, "echo", "hello")
    assert (ran.code, ran.out) == (0, b"hello\n")
    assert sum("guest-exec:" in line for line in ran.trace) == 2  # the wrapper, and a keeper


def test_timeout_ends_the_whole_tree(local_agent: str) -> None:
    tree = "setsid sleep 61 & env -i sleep 62 & (sleep 63 &); trap '' TERM; sleep 64 & wait; wait"
    ran = qga("-c", local_agent, "exec", "--timeout", "1s", "--kill-after", "600ms", "x", "--",
              "sh", "-c", tree)  # fmt: skip
    assert ran.code == 124
    assert ran.err == "qga: x: ended after 1 s\n"
    assert eventually(lambda: not marked())


def test_the_first_signal_is_forwarded(local_agent: str) -> None:
    script = "trap 'echo got it; exit 7' INT; echo ready; while :; do sleep 0.1; done"
    started = Started("-c", local_agent, "exec", "x", "--", "sh", "-c", script)
    assert started.line() == "ready"
    started.signal(signal.SIGINT)
    assert started.end() == (7, "got it\n", "")


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
    assert "the program runs on in the guest" in err
    assert not proof.exists()
    assert eventually(proof.exists)


def test_a_reader_that_goes_away_ends_the_program(local_agent: str) -> None:
    started = Started("-c", local_agent, "exec", "x", "yes")
    assert started.line() == "y"
    started.stdout.close()
    assert started.process.wait(30) == 141
    started.stderr.close()
    assert eventually(lambda: not marked())


def test_an_error_of_ours_ends_the_program(local_agent: str) -> None:
    def full(data: bytes) -> None:
        raise QgaError("disk full")

    with pytest.raises(QgaError, match="disk full"):
        execute(local_agent, "sh", "-c", "while echo; do sleep 0.1; done", stderr=full, stdout=full)
    assert eventually(lambda: not marked())


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


def test_a_policy_that_allows_opening_and_no_writing(tmp_path: Path) -> None:
    script = "echo a; sleep 1; echo b; exit 3"
    with run_local_agent(tmp_path, "a", "-b", "guest-file-write") as agent:
        ran = qga("-c", f"unix:{agent.socket}", "exec", "x", "--", "sh", "-c", script)
    assert (ran.code, ran.out, ran.err) == (3, "a\nb\n", "")
