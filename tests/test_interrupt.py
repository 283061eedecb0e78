"""Waiting that a signal ends."""

import fcntl
import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from qga_cli.cli import last_signal
from qga_cli.interrupt import Interrupt
from qga_cli.threads import Bell
from tests.kit.fake import FakeAgent, Silence
from tests.kit.freezes import start
from tests.kit.running import GUARD

if TYPE_CHECKING:
    from _typeshed import TraceFunction


class End:
    """One end of a pipe."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number


def test_select_returns_what_can_be_read() -> None:
    reader, writer = os.pipe()
    end = End(reader)
    interrupt = Interrupt()
    assert interrupt.select([end], 0, 0) == []
    os.write(writer, b"x")
    assert interrupt.select([end], 5, 0) == [end]


def test_select_takes_descriptors_of_any_number() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = soft if soft > 2000 else min(4096, hard) if hard > 0 else 4096
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    reader, writer = os.pipe()
    end = End(fcntl.fcntl(reader, fcntl.F_DUPFD_CLOEXEC, min(most - 1, 1500)))
    os.close(writer)
    assert Interrupt().select([end], 5, 0) == [end]  # its end can be read
    os.close(end.number)
    os.close(reader)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_select_ends_at_a_signal_and_knows_old_ones() -> None:
    interrupt = Interrupt()
    threading.Timer(0.05, interrupt.set, [2]).start()
    began = time.monotonic()
    assert interrupt.select([], 5, 0) == []
    assert time.monotonic() - began < 2
    assert interrupt.select([], 5, 0) == [], "a signal that came before counts"
    began = time.monotonic()
    assert interrupt.select([], 0.1, 1) == []
    assert time.monotonic() - began >= 0.1, "the signal we know of does not wake us again"


def test_select_is_ended_by_no_ring_without_a_signal() -> None:
    """Python may handle a signal later than the thread that hears of it rings, or earlier."""
    interrupt = Interrupt()
    threading.Timer(0.05, interrupt.wake).start()
    began = time.monotonic()
    assert interrupt.select([], 0.3, 0) == []
    assert time.monotonic() - began >= 0.3


def test_select_waits_longer_than_poll_can_be_told() -> None:
    reader, writer = os.pipe()
    end = End(reader)
    os.write(writer, b"x")
    assert Interrupt().select([end], 100 * 365 * 86400, 0) == [end]


EAGER = """
import os, signal, sys
class Hand:
    def find_spec(self, name, path=None, target=None):
        if name == "qga_cli.catalog":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Hand())
from qga_cli.__main__ import main
main()
"""


def test_ctrl_c_before_all_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", EAGER, "ping", "x"], capture_output=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.mark.parametrize(
    ("words", "wire", "told"),
    [
        ("fs freeze x", "guest-fsfreeze-freeze", ": it may have run"),
        ("fs trim x", "guest-fstrim", ": it may have run"),
        ("fs list x", "guest-get-fsinfo", ""),
    ],
)
def test_what_ctrl_c_does_not_call_back(
    fake: Callable[..., FakeAgent], words: str, wire: str, told: str
) -> None:
    agent = fake(lambda request: Silence() if request["execute"] == wire else [])
    process = start("-c", agent.uri, *words.split())
    while wire not in [request["execute"] for request in agent.requests]:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=GUARD)
    assert err.decode() == f"qga: x: interrupted{told}\n"


@pytest.mark.parametrize("moment", range(1, 50))
def test_a_signal_at_any_moment_of_a_sleep_wakes_it(moment: int) -> None:
    """As its handler runs: in the thread that sleeps, wherever that is just then."""
    interrupt = Interrupt()
    steps = itertools.count(1)

    def trace(frame: FrameType, event: str, argument: object) -> "TraceFunction | None":
        over = event == "return" and frame.f_code is Interrupt.sleep.__code__  # it has its answer
        if next(steps) == moment and not over:
            interrupt.set(signal.SIGINT)
        return trace

    sys.settrace(trace)
    try:
        woken = interrupt.sleep(0.05, 0)
    finally:
        sys.settrace(None)
    assert woken is bool(interrupt.count)


def test_a_signal_that_python_has_not_handled_yet_wakes_who_waits() -> None:
    """Its handler runs in the main thread, which may have just fallen asleep."""
    interrupt, bell = Interrupt(), Bell()
    with interrupt.watched(bell.ring), last_signal.heeded(interrupt, lambda signum, left: ""):
        os.write(signal.set_wakeup_fd(-1), bytes([signal.SIGINT]))
        assert bell.wait(10)
