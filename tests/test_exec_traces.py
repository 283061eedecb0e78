"""exec leaves nothing behind in a guest: no file, process, handle or record, however it ends."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.local_agent import LocalAgent, agent
from tests.running import Started, eventually, execute, marked

PLACES = ("/dev/shm", "/run", "/tmp", "/var/tmp")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalAgent]:
    """An agent that no other test talks to."""
    with agent(tmp_path, "own") as running:
        yield running


def spooled() -> list[str]:
    """Names of ours where spool files are made."""
    return [name for place in PLACES for name in os.listdir(place)
            if name.startswith("qga-") and len(name.split(".")[0]) == 20]  # fmt: skip


def deleted(pid: int) -> list[str]:
    """Spool files without a name that a process holds."""
    folder = Path(f"/proc/{pid}/fd")
    return [name for name in map(str, map(Path.readlink, folder.iterdir())) if "qga-" in name]


def descriptors(pid: int) -> list[str]:
    """What a process has open, kinds only: pipe, anon_inode …"""
    folder = Path(f"/proc/{pid}/fd")
    kinds = [str(fd.readlink()).split(":")[0] for fd in folder.iterdir()]
    return sorted(kind for kind in kinds if kind != "socket")  # clients come and go


def test_many_in_a_row_leak_nothing(own: LocalAgent) -> None:
    uri = f"unix:{own.socket}"
    before = descriptors(own.pid)
    for count in range(60):
        script = "sleep 0.3; echo" if count % 20 == 0 else "sleep 0.01 & echo"
        execute(uri, "sh", "-c", script, stdin=b"x" if count % 2 else None)
    assert eventually(lambda: marked() == [])
    assert descriptors(own.pid) == before
    assert spooled() == []


@pytest.mark.parametrize("way", ["code", "signal", "timeout", "interrupt", "reader", "input"])
def test_streamed_programs_leave_nothing(own: LocalAgent, way: str) -> None:
    uri = f"unix:{own.socket}"
    before = descriptors(own.pid)
    ends = {"code": "exit 3", "signal": "kill -9 $$", "reader": "exec yes"}
    end = ends.get(way, "sleep 50 | sleep 50")
    words = ["exec", *(["--timeout", "1s"] if way == "timeout" else []), "x", "--", "sh", "-c",
             "seq 1 30000; echo err >&2; sleep 0.5; echo done;" + end]  # fmt: skip
    if way == "input":
        assert execute(uri, "head", "-1", stdin=b"line\n" * 10**6).out == b"line\n"
    else:
        started = Started("-c", uri, *words)
        assert started.line() == "1"
        if way == "interrupt":
            started.signal(signal.SIGINT)
        if way == "reader":
            started.stdout.close()
            started.process.wait(30)
            started.stderr.close()
        else:
            started.end()
    assert spooled() == []
    assert deleted(own.pid) == []
    assert descriptors(own.pid) == before
    assert eventually(lambda: marked() == [])


def test_killed_at_any_moment_it_leaves_no_file(own: LocalAgent) -> None:
    words = ("-c", f"unix:{own.socket}", "exec", "x", "--", "sh", "-c", "seq 1 9999999; sleep 3")
    moments = random.Random(7)
    for _ in range(8):
        started = Started(*words)
        time.sleep(moments.uniform(0.1, 1.2))
        started.signal(signal.SIGKILL)
        started.stdout.close()
        started.process.wait()
        started.stderr.close()
    assert eventually(lambda: spooled() == [], 5)
