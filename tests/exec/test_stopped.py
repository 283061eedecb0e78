"""exec by a qga that was stopped for long (Ctrl-Z): its keeper's pid may be another's by then.

And by one whose reader stands still: its program must not be ended by that.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli import inside
from qga_cli.agent import Agent, vigil
from qga_cli.errors import QgaError
from qga_cli.exec import keeper, streamed
from qga_cli.exec.outputs import Spooled
from qga_cli.exec.run import run
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.kit.running import eventually, execute
from tests.lab.local_agent import agent


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[str]:
    """One that has started nothing yet: an agent takes a pid that comes again for the old program
    as long as nobody has asked how that ended."""
    with agent(tmp_path, "own") as running:
        yield f"unix:{running.socket}"


LAST = Path("/proc/sys/kernel/ns_last_pid")


@pytest.mark.slow
@pytest.mark.parametrize("silence", [1.0, 1e9], ids=["asked", "not-asked"])
def test_a_pid_that_is_another_users_now_is_not_written_through(
    own_agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence: float
) -> None:
    """The victim holds a file open for reading only; root would empty it, by /proc.

    Without the question it is emptied: so the second case shows that the first can fail.
    """
    secret = tmp_path / "read-only"
    secret.write_bytes(b"precious\n")
    text = inside.script
    monkeypatch.setattr(keeper, "script", lambda name: text(name).replace("sleep 20", "sleep 1"))
    monkeypatch.setattr(keeper, "_SILENCE", silence)
    monkeypatch.setattr(streamed, "_SHORT", (0.1, 0.1))
    stopped: list[subprocess.Popen[bytes]] = []
    step = streamed.StreamedProgram._carry

    def carry(self: streamed.StreamedProgram) -> bool:
        assert self._keeper
        if self._streams[0].begun and not stopped:
            pid = self._keeper._pid
            assert eventually(lambda: not os.path.exists(f"/proc/{pid}"), 30)
            stopped.append(takes(pid, secret))
            output = self._keeper.outputs[0]
            assert isinstance(output, Spooled)
            output._empty(output._all[0])  # as after each file that was read
        return step(self)

    monkeypatch.setattr(streamed.StreamedProgram, "_carry", carry)
    error = None
    try:
        with pytest.raises(QgaError) as raised:
            execute(own_agent, "sh", "-c", "echo one; while sleep 0.3; do echo two; done",
                    timeout=20)  # fmt: skip
        error = raised.value
    finally:
        for process in stopped:
            process.kill()
            process.wait()
    assert (secret.read_bytes() == b"precious\n") == (silence == 1.0), error
    if silence == 1.0:
        assert "did not hear of this qga" in str(error)


@pytest.mark.slow
def test_a_reader_that_reads_nothing_for_long_ends_no_program(
    own_agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`| less`: the keeper gave up after 40 seconds, and the program met SIGPIPE."""
    monkeypatch.setattr(keeper, "_BEAT", 0.3)
    monkeypatch.setattr(vigil, "_LOOK", 0.1)
    really = inside.script
    soon = {"exec/keeper": really("exec/keeper").replace("sleep 20", "sleep 1")}
    assert "sleep 1 " in soon["exec/keeper"]
    monkeypatch.setattr(keeper, "script", lambda name: soon.get(name) or really(name))
    given = bytearray()

    def read(data: bytes) -> None:
        if not given:
            time.sleep(6)  # twice as long as it bears
        given.extend(data)

    agent = Agent(connect(own_agent).open("x"), "x")
    ran = run(
        agent,
        ["sh", "-c", "sleep 0.6; seq 2000000; sleep 1; echo end"],
        stdin=None, stdout=read, stderr=given.extend, interrupt=Interrupt(),
    )  # fmt: skip
    agent.transport.close()
    assert ran.code == 0
    assert bytes(given).endswith(b"\n2000000\nend\n")


def takes(pid: int, path: Path) -> subprocess.Popen[bytes]:
    """A process of this pid that has the file open for reading as 0, 3, 4 ... 9."""
    opened = "".join(f" {number}<{path}" for number in (0, 3, 4, 5, 6, 7, 8, 9))
    for _ in range(200):
        LAST.write_text(str(pid - 1))
        process = subprocess.Popen(["sh", "-c", f"exec sleep 60{opened}"])
        if process.pid == pid:
            assert eventually(lambda: os.path.exists(f"/proc/{pid}/fd/9"))
            return process
        process.kill()
        process.wait()
    pytest.fail("no process takes that pid")
