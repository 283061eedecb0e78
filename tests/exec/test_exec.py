"""exec against a real agent on this machine: streams, codes, words."""

import base64
import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qga_cli.agent import Agent
from qga_cli.errors import NoProgram, NotExecutable, NotRunning
from qga_cli.exec import streamed
from qga_cli.exec.calls import AgentCalls
from qga_cli.inside import script
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from qga_cli.transports.libvirt_errors import not_running
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent
from tests.kit.running import Started, eventually, execute

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_keeper_that_comes_too_late_is_no_failure(
    local_agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(name: str) -> str:
        return script(name).replace("export LC_ALL=C", "sleep 2; export LC_ALL=C")

    monkeypatch.setattr(streamed, "script", slow)
    monkeypatch.setattr(streamed, "_SHORT", (0.1, 0.1))
    ran = execute(local_agent, "echo", "hello")
    assert (ran.code, ran.out) == (0, b"hello\n")
    assert sum("guest-exec:" in line for line in ran.trace) == 2  # the wrapper, and a keeper


@pytest.mark.parametrize(
    ("load", "idle"),
    [
        (b"0.00 0.01 0.05 1/87 1234\n", True),
        (b"0.90 0.51 0.05 2/87 1234\n", False),
        (b"0.00 0.01 0.05 11/87 1234\n", False),
        (b"1/1\n", False),
        (b"", False),
        (None, False),
    ],
)
def test_a_guest_is_idle_where_only_the_agent_runs(
    tmp_path: Path, load: bytes | None, idle: bool
) -> None:
    def loaded(request: dict[str, object]) -> object:
        if request["execute"] == "guest-file-open":
            if load is None:
                raise AgentFault("failed to open file '/proc/loadavg': No such file or directory")
            return 1000
        if request["execute"] == "guest-file-close":
            return {}
        data = base64.b64encode(load or b"").decode()
        return {"count": len(load or b""), "buf-b64": data, "eof": True}

    fake = FakeAgent(tmp_path / "x.sock", loaded)
    agent = Agent(connect(fake.uri).open("x"), "x")
    assert AgentCalls(agent, Interrupt()).idle() is idle
    closed = fake.requests[-1]["execute"] == "guest-file-close"
    assert closed is (load is not None)
    agent.transport.close()
    fake.close()


@pytest.mark.parametrize(
    ("state", "patient"), [("paused", True), ("shut off", True), ("paused", False)]
)
def test_a_pause_is_waited_for_once_the_program_runs(state: str, patient: bool) -> None:
    stops = [not_running(state), not_running(state)]

    def call(*_: object) -> object:
        if stops:
            raise stops.pop()
        return SimpleNamespace(value={"exited": True})

    agent: Any = SimpleNamespace(call=call, transport=SimpleNamespace(state=lambda: state))
    calls = AgentCalls(agent, Interrupt())
    calls.patient = patient
    if patient and state == "paused":
        assert calls.status(7) == {"exited": True}
    else:
        with pytest.raises(NotRunning):
            calls.status(7)


def test_a_pause_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*_: object) -> object:
        raise not_running("paused")

    monkeypatch.setattr("qga_cli.agent.patience.PAUSE", 0.6)
    agent: Any = SimpleNamespace(call=call, transport=SimpleNamespace(state=lambda: "paused"))
    calls = AgentCalls(agent, Interrupt())
    calls.patient = True
    with pytest.raises(NotRunning, match="guest is paused"):
        calls.status(7)
