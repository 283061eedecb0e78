"""--watch: rates, redrawing on a terminal, rows in a pipe, and its end."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import yaml

from qga_cli import spec
from qga_cli.commands.cpu.stats import COMMAND as CPU_STATS
from qga_cli.commands.disk.stats import COMMAND as DISK_STATS
from qga_cli.guests.fleet import Outcome
from qga_cli.guests.targets import Target
from qga_cli.render import View, watch
from qga_cli.spec import Column
from tests.kit.command import environment, qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.running import GUARD, readable

Make = Callable[[Handler], FakeAgent]


def disks(*ios: int | None) -> list[dict[str, object]]:
    return [
        {"name": f"vd{letter}", "major": 1, "minor": 0,
         "stats": {} if count is None else {"read-ios": count, "read-sectors": count * 8}}
        for letter, count in zip("abc", ios, strict=False)
    ]  # fmt: skip


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time forward."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


def test_rates_of_counters(clock: Callable[[float], None]) -> None:
    view = View(DISK_STATS, output="tsv", watch=True, columns="disk,reads,read,running")
    assert view.one(disks(10, 20)) == ""  # nothing to compare with
    clock(2)
    assert view.one(disks(30, 20)).splitlines() == [
        "time\tdisk\treads/s\tread/s\trunning",
        "102\tvda\t10\t40960\t-",
        "102\tvdb\t0\t0\t-",
    ]
    clock(4)
    # vda began anew, vdb is not told, vdc is new
    assert view.one(disks(3, None, 7)).splitlines() == [
        "106\tvda\t-\t-\t-",
        "106\tvdb\t-\t-\t-",
    ]
    clock(1)
    assert view.one(disks(3, None, 8)).splitlines()[2] == "107\tvdc\t1\t4096\t-"


def test_a_fleet_in_a_pipe_begins_with_the_second_round(clock: Callable[[float], None]) -> None:
    view = View(DISK_STATS, output="tsv", watch=True, columns="disk,reads", fleet=True)
    for total in (10, 30):
        shown = "".join(
            view.many([Outcome(Target(None, name, name), disks(total * factor))])
            for name, factor in (("a", 1), ("b", 2))
        )
        clock(2)
    assert shown == "time\tvm\tdisk\treads/s\n102\ta\tvda\t10\n102\tb\tvda\t20\n"


def test_it_does_not_go_with_gather() -> None:
    ran = qga("disk", "stats", "a,b", "--watch", "1", "--gather")
    assert ran.code == 2
    assert "--gather" in ran.err


def test_busy_time_in_percent(clock: Callable[[float], None]) -> None:
    view = View(CPU_STATS, output="csv", watch=True, columns="cpu,user,idle", header=False)
    view.one([{"type": "linux", "cpu": 0, "user": 1000, "idle": 5000}])
    clock(2)
    assert view.one([{"type": "linux", "cpu": 0, "user": 1500, "idle": 6500}]) == "102,0,25,75\n"


def test_documents_of_yaml_are_told_apart() -> None:
    view = View(DISK_STATS, output="yaml", watch=True)
    text = view.one(disks(10)) + view.one(disks(20))
    assert len(list(yaml.safe_load_all(text))) == 2


def test_sorted_by_rate_not_by_total(clock: Callable[[float], None]) -> None:
    view = View(DISK_STATS, output="tsv", watch=True, columns="disk", sort="-reads", header=False)
    view.one(disks(1000, 0))
    clock(1)
    assert view.one(disks(1001, 50)) == "101\tvdb\n101\tvda\n"


def test_a_frame_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "6")
    monkeypatch.setenv("COLUMNS", "80")
    frame = watch.frame("".join(f"row {n}\n" for n in range(9)), "test", first=False)
    lines = frame.split("\x1b[J")[1].splitlines()
    assert lines[1:] == ["", "row 0", "row 1", "... 7 more"]


@pytest.mark.parametrize("name", ["dumb", None])
def test_a_dumb_terminal_gets_no_escape_sequence(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.delenv("TERM")
    if name:
        monkeypatch.setenv("TERM", name)
    for first in (True, False):
        frame = watch.frame("row\n", "test", first=first)
        assert re.fullmatch(r"test  \d\d:\d\d:\d\d\n\nrow\n\n", frame)


def test_only_what_grows_is_compared() -> None:
    assert not watch.Rates([Column("a"), Column("b", kind=spec.BYTES)]).grow
    assert watch.Rates([Column("a", kind=spec.TRAFFIC)]).grow


def counting(calls: list[int]) -> Handler:
    """cpu load, a little more at every call."""

    def handle(request: dict[str, object]) -> object:
        calls.append(1)
        return {"load1m": float(len(calls)), "load5m": 0.0, "load15m": 0.0}

    return handle


def start(agent: FakeAgent, *words: str, stdout: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "-c", agent.uri, *words],
        env=environment(None), text=True, stdout=stdout, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, 143)])
def test_rows_in_a_pipe_until_a_signal(fake: Make, signum: int, code: int) -> None:
    agent = fake(counting([]))
    process = start(agent, "cpu", "load", "x", "--watch", "100ms", stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "time\tload1m\tload5m\tload15m\n"
    for number in (1, 2, 3):
        assert process.stdout.readline().split("\t")[1] == str(number)
    process.send_signal(signum)
    _, err = process.communicate(timeout=GUARD)
    assert (process.returncode, err) == (code, "")


def test_redrawn_on_a_terminal(fake: Make) -> None:
    agent = fake(counting([]))
    master, slave = pty.openpty()
    process = start(agent, "cpu", "load", "x", "--watch", "100ms", stdout=slave)
    os.close(slave)
    shown = ""
    while shown.count("\x1b[J") < 3 and readable(master, 30):
        shown += os.read(master, 4096).decode()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=GUARD)
    os.close(master)
    frames = re.sub(r"\x1b\[[\d;]*m", "", shown).split("\x1b[H\x1b[J")
    assert frames[2].splitlines()[2:4] == ["LOAD1M  LOAD5M  LOAD15M", "  2.00    0.00     0.00"]


def test_an_error_ends_it(fake: Make) -> None:
    calls: list[int] = []

    def handle(request: dict[str, object]) -> object:
        if len(calls) == 2:
            raise AgentFault("no more")
        return counting(calls)(request)

    process = start(fake(handle), "cpu", "load", "x", "--watch", "10ms", stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=GUARD)
    assert process.returncode == 1
    assert len(out.splitlines()) == 3
    assert err == "qga: x: no more\n"


def test_rounds_that_were_missed_are_not_made_up_for(fake: Make) -> None:
    """A guest that was silent for an hour was asked a thousand times at once when it was back."""
    asked: list[float] = []

    def handle(request: dict[str, object]) -> object:
        asked.append(time.monotonic())
        if len(asked) == 1:
            time.sleep(1.5)
        return counting([])(request)

    process = start(fake(handle), "cpu", "load", "x", "--watch", "300ms", stdout=subprocess.PIPE)
    assert process.stdout
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=GUARD)
    assert min(later - one for one, later in pairwise(asked[1:5])) > 0.2


def test_a_fleet_goes_on(fake: Make) -> None:
    calls: list[int] = []

    def handle(request: dict[str, object]) -> object:
        if len(calls) % 2:
            calls.append(0)
            raise AgentFault("no more")
        return counting(calls)(request)

    agent = fake(handle)
    process = start(agent, "cpu", "load", "a,b", "-j1", "--watch", "50ms", stdout=subprocess.PIPE)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=GUARD)
    assert process.returncode == -signal.SIGINT
    assert lines[0].startswith("time\tvm\tload1m")
    assert [line.split("\t")[1] for line in lines[1:]] == ["a", "a", "a"]
    assert "qga: b: no more" in err
