"""exec leaves nothing behind in a guest: no file, process, handle or record, however it ends."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.running import GUARD, Started, await_unmarked, eventually, execute, marked
from tests.lab.local_agent import LocalAgent, agent

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


def opened(pid: int) -> Iterator[tuple[Path, str]]:
    """What a process has open: the link in /proc, and where it leads."""
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield file, str(file.readlink())


def spools(pid: int) -> list[Path]:
    """Spool files without a name that a process holds."""
    return [file for file, target in opened(pid) if "qga-" in target]


def descriptors(pid: int) -> list[str]:
    """What a process has open, kinds only: pipe, anon_inode …"""
    kinds = (target.split(":")[0] for _, target in opened(pid))
    return sorted(kind for kind in kinds if kind != "socket")  # clients come and go


@pytest.mark.slow
def test_many_in_a_row_leak_nothing(own: LocalAgent) -> None:
    uri = f"unix:{own.socket}"
    before = descriptors(own.pid)
    for count in range(60):
        script = "sleep 0.3; echo" if count % 20 == 0 else "sleep 0.01 & echo"
        execute(uri, "sh", "-c", script, stdin=b"x" if count % 2 else None)
    await_unmarked()
    assert eventually(lambda: descriptors(own.pid) == before), descriptors(own.pid)
    assert spooled() == []


@pytest.mark.slow
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
            started.process.wait(GUARD)
            started.stderr.close()
        else:
            started.end()
    assert spooled() == []
    assert spools(own.pid) == []
    assert eventually(lambda: descriptors(own.pid) == before), descriptors(own.pid)
    await_unmarked()


# qga with a keeper and a timer that lose their patience sooner.
HASTY = """
from qga_cli.exec import keeper, streamed
script = keeper.script
def hasty(name):
    text = script(name).replace("sleep 20", "sleep 0.5")
    return text.replace("sleep 50", "sleep 2").replace("fd/9 50", "fd/9 2")
keeper._BEAT = 0.1
keeper.script = streamed.script = hasty
from qga_cli.__main__ import main
main()
"""


def hasty(own: LocalAgent, script: str) -> "subprocess.Popen[bytes]":
    """Such a qga, to be killed."""
    words = ("-c", f"unix:{own.socket}", "exec", "x", "--", "sh", "-c", script)
    return subprocess.Popen([sys.executable, "-c", HASTY, *words], stdout=subprocess.PIPE)


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    assert process.stdout
    process.stdout.close()


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_nothing(own: LocalAgent) -> None:
    moments = random.Random(7)
    for _ in range(8):
        process = hasty(own, "seq 1 9999999; sleep 3")
        time.sleep(moments.uniform(0.1, 1.2))
        kill(process)
    assert eventually(lambda: spooled() == [], 5)
    await_unmarked()


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("program", ["yes", "cat"])
def test_what_serves_a_killed_qga_ends_by_itself(
    own: LocalAgent, tmp_path: Path, streamed: bool, program: str
) -> None:
    os.mkfifo(tmp_path / "silence")
    running = f"{program} {tmp_path}/silence"
    process = hasty(own, f"echo; exec {running}")
    assert process.stdout
    assert streamed is False or process.stdout.readline() == b"\n"
    assert eventually(lambda: any(words.startswith(running) for words in marked()))
    kill(process)

    def helpers() -> list[str]:
        return [words for words in marked() if not words.startswith((running, "sh -c # qga-"))]

    assert eventually(lambda: helpers() == [])
    if program == "cat":  # it has written too little to meet an error, and runs on
        assert any(words.startswith(running) for words in marked())
        os.close(os.open(tmp_path / "silence", os.O_WRONLY | os.O_NONBLOCK))
    await_unmarked()
    assert all(file.stat().st_size == 0 for file in spools(own.pid))
