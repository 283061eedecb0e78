"""Output that somebody has open and nobody reads: the first signal ends qga all the same."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import lab
from tests.kit import channels
from tests.kit.command import environment, qga
from tests.kit.fake import FakeAgent
from tests.kit.running import code_of, eventually, is_full

ENDS = 5.0  # seconds after the signal, of which one is a reader's; more under load, never for ever


@contextmanager
def unread(*words: str, stdout: int, stderr: int = subprocess.PIPE
           ) -> "Iterator[subprocess.Popen[bytes]]":  # fmt: skip
    """The command line once it waits for whoever should read `stdout`."""
    argv = [sys.executable, "-m", "qga_cli", *words]
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment(None)
    ) as process:
        try:
            assert eventually(lambda: is_full(stdout) or process.poll() is not None)
            assert process.poll() is None, process.stderr and process.stderr.read()
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[bytes]", signum: int, seconds: float = ENDS) -> int | None:
    """The exit code after one signal; None if it still waits."""
    process.send_signal(signum)
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    return None


@pytest.fixture(params=["a pipe", "a socket", "a terminal"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Where nobody reads, and where is written."""
    made = {
        "a pipe": os.pipe,
        "a socket": lambda: [one.detach() for one in socket.socketpair()],
        "a terminal": pty.openpty,
    }
    reader, writer = made[request.param]()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_answer_that_nobody_reads(
    signum: signal.Signals, ends: tuple[int, int], fake: Callable[..., FakeAgent]
) -> None:
    agent = fake(lambda request: [{"user": "u" * 100, "login-time": 1.0}] * 4000)
    with unread("-c", agent.uri, "user", "list", "x", "-o", "json", stdout=ends[1]) as process:
        assert ended(process, signum) == code_of(signum)
        assert process.stderr
        assert b"interrupted" in process.stderr.read()


def test_a_slow_reader_gets_everything_after_a_signal(fake: Callable[..., FakeAgent]) -> None:
    agent = fake(lambda request: [{"user": "u" * 100, "login-time": 1.0}] * 4000)
    reader, writer = os.pipe()
    with unread("-c", agent.uri, "user", "list", "x", "-o", "json", stdout=writer) as process:
        os.close(writer)
        process.send_signal(signal.SIGTERM)
        said = b""
        while piece := os.read(reader, 60_000):
            said += piece
            time.sleep(0.3)
        assert said.count(b"login-time") == 4000
        assert process.wait(ENDS) == 0
    os.close(reader)


def test_a_file_that_nobody_reads(local_agent: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3_000_000))
    place = f"vm:{tmp_path}/large"
    os.mkfifo(tmp_path / "fifo")
    fifo = os.open(tmp_path / "fifo", os.O_RDWR)
    for words in (["cat", place], ["cp", place, "-"]):
        reader, writer = os.pipe()
        # With stderr in the same pipe, not even the complaint can be read.
        with unread("-c", local_agent, *words, stdout=writer, stderr=writer) as process:
            assert ended(process, signal.SIGTERM) == 143, words
        os.close(reader)
        os.close(writer)
    with unread("-c", local_agent, "cp", place, f"{tmp_path}/fifo", stdout=fifo) as process:
        assert ended(process, signal.SIGTERM) == 143
    os.close(fifo)


@pytest.mark.parametrize("channel", ["never", "always"])
def test_a_program_whose_output_nobody_reads(channel: str, guest: lab.Guest) -> None:
    """The signal is passed on to it, and what it writes after that fails."""
    # dash writes a word about what a signal has ended, to where nobody reads any more.
    heed = "trap 'echo >/run/heard' HUP; trap : PIPE"
    for signum, text in (
        (signal.SIGTERM, "cat /dev/zero; sleep 993"),
        (signal.SIGHUP, f"{heed}; cat /dev/zero; while sleep 994; do :; done"),
    ):
        reader, writer = os.pipe()
        words = ("exec", "--channel", channel, guest.name, "--", "sh", "-c", text)
        with unread(*words, stdout=writer) as process:
            assert ended(process, signum, 20) == 128 + signum
        os.close(reader)
        os.close(writer)
    heard = "test -e /run/heard && ! pgrep -x -f 'cat /dev/zero|sleep 993'"
    assert eventually(lambda: qga("exec", guest.name, "--", "sh", "-c", heard).code == 0)
    qga("exec", guest.name, "--", "sh", "-c", "pkill -x -f 'sleep 994'; rm /run/heard")
    assert channels.in_use(guest) == []
