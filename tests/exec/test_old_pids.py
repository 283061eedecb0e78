"""A program with the pid of earlier ones, of which nobody has asked the agent how they ended.

qemu-ga tells of the oldest program with a pid, so it told another one's end and output. Pids come
again after 32,768 processes, on Windows at once.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.agent import Agent
from qga_cli.agent.program import capture, request
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.transports import connect
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.running import execute
from tests.lab.local_agent import agent as run_local_agent

pytestmark = pytest.mark.slow

PID = 300
OWN_PIDS = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
NEXT = f"while [ -e /proc/{PID} ]; do :; done; echo {PID - 1} >/proc/sys/kernel/ns_last_pid"
OLD = "echo old; exit 7"
NEW = ("sh", "-c", "echo new; exit 3")


@pytest.fixture
def used(tmp_path: Path) -> Iterator[str]:
    """An agent whose next program gets the pid of two that have ended long ago."""
    with run_local_agent(tmp_path, "used", around=OWN_PIDS) as running:
        uri = f"unix:{running.socket}"
        agent = Agent(connect(uri).open("x"), "x")
        for _ in range(2):
            assert capture(agent, ["sh", "-c", NEXT]).code == 0
            old = request(["sh", "-c", OLD], capture=True)
            assert agent.call(EXEC, old).value == {"pid": PID}
        assert capture(agent, ["sh", "-c", NEXT]).code == 0
        agent.transport.close()
        yield uri


@pytest.mark.root
def test_a_small_program(used: str) -> None:
    agent = Agent(connect(used).open("x"), "x")
    done = capture(agent, NEW)
    agent.transport.close()
    assert (done.code, done.stdout) == (3, b"new\n")


@pytest.mark.root
@pytest.mark.parametrize("sleep", ["", "sleep 1;"])
def test_exec(used: str, sleep: str) -> None:
    ran = execute(used, "sh", "-c", f"{sleep} echo new; exit 3")
    assert (ran.code, ran.out, ran.err) == (3, b"new\n", b"")


@pytest.mark.root
def test_a_script_of_ours(used: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    ran = qga("-c", used, "ls", f"x:{tmp_path}/folder")
    assert (ran.code, ran.out, ran.err) == (0, "file\n", "")


@pytest.mark.root
def test_a_detached_program(used: str, tmp_path: Path) -> None:
    ran = qga("-c", used, "exec", "-d", "x", "--", *NEW)
    assert (ran.code, ran.out) == (0, f"{PID}\n")
    ran = qga("-c", used, "exec-status", "--wait", "x", str(PID))
    assert (ran.code, ran.out, ran.err) == (3, "new\n", "")


def test_an_agent_that_never_comes_to_the_end_of_them(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    told = {"exited": True, "exitcode": 0, "out-data": "aGk="}
    lying = fake(lambda request: {"pid": 7} if request["execute"] == "guest-exec" else told)
    agent = Agent(connect(lying.uri).open("x"), "x")
    assert capture(agent, ["true"]).stdout == b"hi"
    agent.transport.close()
    assert len(lying.requests) < 100
