"""The host's wall clock jumps in the middle of a call: nothing ends sooner, later or otherwise."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import lab
from tests.kit.clock import Clock
from tests.kit.command import Ran, environment, qga
from tests.kit.fake import FakeAgent, Handler, Silence
from tests.kit.freezes import await_status, in_guest, status
from tests.kit.running import GUARD

HOURS = (5, -9, 24 * 365, -24 * 365 * 10)
LITTLE = 8.0  # seconds that a loaded machine may take beyond what is asked for


class Jumpy:
    """A command line that sees its clock jump, from its end's being waited for on."""

    def __init__(self, clock: Clock, *words: str) -> None:
        self._clock = clock
        self._begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qga_cli", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(clock.environment),
        )  # fmt: skip

    def end(self, meanwhile: Callable[[], object] = lambda: None) -> tuple[Ran, float]:
        """What it did, and how many seconds it took. `meanwhile` is done among the jumps."""
        over = threading.Event()
        thread = threading.Thread(target=self._jump, args=(over,))
        thread.start()
        try:
            meanwhile()
            out, err = self.process.communicate(timeout=GUARD)
        finally:
            over.set()
            thread.join()
            if self.process.poll() is None:
                self.process.kill()
                self.process.communicate()
        return Ran(self.process.returncode, out, err), time.monotonic() - self._begun

    def _jump(self, over: threading.Event) -> None:
        for count in itertools.count(1):  # never twice to the same hour: that would undo a jump
            self._clock.jump(HOURS[count % len(HOURS)] * count)
            if over.wait(0.2):
                return


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The clock of what `Jumpy` starts."""
    folder = tmp_path / "clock"
    folder.mkdir()
    return Clock(folder)


@pytest.mark.slow
@pytest.mark.parametrize("hours", HOURS)
def test_the_clock_is_seen(local_agent: str, clock: Clock, hours: int) -> None:
    clock.jump(hours)
    ran = qga("-c", local_agent, "exec", "-o", "json", "x", "true", env=clock.environment)
    seen = datetime.fromisoformat(json.loads(ran.out)["started"])
    assert abs(seen - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=2)


def test_exec_takes_its_time(guest: lab.Guest, clock: Clock) -> None:
    script = "for i in 1 2 3 4; do echo $i; sleep 0.5; done; exit 3"
    words = ("exec", guest.name, "--", "sh", "-c", script)
    ran, seconds = Jumpy(clock, *words).end()
    assert (ran.code, ran.out, ran.err) == (3, "1\n2\n3\n4\n", "")
    assert 2 <= seconds < 2 + LITTLE
    ran, _ = Jumpy(clock, "exec", "-o", "json", guest.name, "--", "sleep", "1").end()
    assert 1 <= json.loads(ran.out)["duration"] < 1 + LITTLE


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ("exec --timeout 2s VM sleep 60", 2),
        ("wait VM --for file:/no/such/file --timeout 2s", 1.4),  # it looks a last time
        ("fs with-frozen --max 2s VM -- sleep 60", 2),
    ],
)
def test_the_time_is_over_when_it_is(
    guest: lab.Guest, clock: Clock, words: str, least: float
) -> None:
    ran, seconds = Jumpy(clock, *words.replace("VM", guest.name).split()).end()
    assert ran.code == 124, ran.err
    assert least <= seconds < least + LITTLE
    assert status(guest) == "thawed"


def test_a_call_without_reply_ends_at_its_timeout(
    fake: Callable[[Handler], FakeAgent], clock: Clock
) -> None:
    agent = fake(lambda request: Silence())
    ran, seconds = Jumpy(clock, "-c", agent.uri, "--timeout", "1s", "fs", "trim", "x").end()
    assert ran.code == 124, ran.err
    assert 1 <= seconds < 1 + LITTLE


def test_the_watchdog_thaws_in_time(guest: lab.Guest, clock: Clock) -> None:
    jumpy = Jumpy(clock, "fs", "with-frozen", "--max", "3s", guest.name, "--", "sleep", "60")

    def stop() -> None:
        await_status(guest, "frozen", GUARD)
        frozen = time.monotonic()
        jumpy.process.send_signal(signal.SIGSTOP)
        await_status(guest, "thawed", 3 + LITTLE)
        jumpy.process.send_signal(signal.SIGCONT)
        assert time.monotonic() - frozen > 2

    assert jumpy.end(stop)[0].code == 124


def test_what_comes_true_is_waited_for(guest: lab.Guest, clock: Clock) -> None:
    jumpy = Jumpy(clock, "wait", guest.name, "-v", "--for", "file:/run/come", "--timeout", "30s")

    def come() -> None:
        assert jumpy.process.stderr
        assert b"host: " in jumpy.process.stderr.readline()
        assert b"not yet" in jumpy.process.stderr.readline()
        in_guest(guest, "touch /run/come")

    try:
        ran, seconds = jumpy.end(come)
    finally:
        in_guest(guest, "rm -f /run/come")
    assert ran.code == 0, ran.err
    assert seconds < 20


def test_copies_arrive_whole(guest: lab.Guest, clock: Clock, tmp_path: Path) -> None:
    data = os.urandom(4_000_000)
    (tmp_path / "data").write_bytes(data)
    far = f"{guest.name}:/run/clock"
    try:
        for source, target in (("data", far), (far, "back")):
            words = [word if ":" in word else str(tmp_path / word) for word in (source, target)]
            ran, _ = Jumpy(clock, "cp", *words).end()
            assert (ran.code, ran.err) == (0, "")
    finally:
        in_guest(guest, "rm -f /run/clock")
    assert (tmp_path / "back").read_bytes() == data
