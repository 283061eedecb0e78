"""What `qga metrics` tells Prometheus, and whom it may not hurt."""

import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import FileError, NotAnswering
from qga_cli.guests.hosts import Hosts
from qga_cli.interrupt import Interrupt
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.once import Once
from qga_cli.metrics.verb import put
from qga_cli.transports.counters import Counters
from tests.health.test_list import Scripted
from tests.kit.command import Configured, qga
from tests.kit.fake import FakeAgent, Handler, Silence, left_socket
from tests.kit.policies import READ_ONLY, template, vouched
from tests.kit.prometheus import FILESYSTEM, by, exporter, fetch, samples
from tests.kit.running import GUARD, eventually


class Slow(Scripted):
    """It does not answer one of the questions."""

    def __call__(self, request: dict[str, object]) -> object:
        return (
            Silence()
            if request["execute"] == "guest-network-get-interfaces"
            else super().__call__(request)
        )


def test_what_a_slow_guest_has_said_in_time_counts(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "x.sock", Slow(guest_get_fsinfo=[FILESYSTEM]))
    found = samples(qga("-c", agent.uri, "metrics", "--timeout", "500ms").out)
    assert by(found, "qga_up") == {"x.sock": 1}
    assert by(found, "qga_filesystem_used_bytes") == {"x.sock": 25}
    assert by(found, "qga_scrape_errors_total", "kind") == {"not-answering": 1}
    agent.close()


def test_it_counts_also_where_prometheus_leaves_less_time_than_we_do(tmp_path: Path) -> None:
    """A guest that is up was told as not answering, to every other scrape too."""
    agent = FakeAgent(tmp_path / "x.sock", Slow(guest_get_fsinfo=[FILESYSTEM]))
    with exporter("-c", agent.uri, "--timeout", "3s") as address:
        header = {"X-Prometheus-Scrape-Timeout-Seconds": "2.5"}  # one second for each guest
        found = samples(fetch(f"{address}/metrics", **header).text)
        assert by(found, "qga_up") == {"x.sock": 1}
        assert by(found, "qga_filesystem_used_bytes") == {"x.sock": 25}
    agent.close()


def test_a_guest_that_starts_with_its_host_is_told_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first five minutes of a host, of one that was not there at the first look only qga_up
    was told."""
    begun, clock = time.monotonic(), time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() - begun + 20)
    path = tmp_path / "x.sock"
    left_socket(path)
    collector = Collector(Hosts(f"unix:{path}"), parallel=1, patience=GUARD)
    assert not collector.look("*", Interrupt()).readings[0].up
    path.unlink()
    agent = FakeAgent(path, Scripted(guest_get_fsinfo=[FILESYSTEM]))
    (reading,) = collector.look("*", Interrupt()).readings
    assert reading.up
    assert reading.told.keys() >= {"guest-info", "guest-get-fsinfo", "guest-get-osinfo"}
    agent.close()


def asked(agent: FakeAgent) -> list[object]:
    return [request["execute"] for request in agent.requests]


def test_a_frozen_guest_is_asked_no_more_than_that(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "x.sock", Scripted(guest_fsfreeze_status="frozen"))
    found = samples(qga("-c", agent.uri, "metrics").out)
    assert (by(found, "qga_frozen"), by(found, "qga_up")) == ({"x.sock": 1}, {"x.sock": 1})
    assert asked(agent) == ["guest-info", "guest-fsfreeze-status"]
    agent.close()


class Freezer(Scripted):
    """It freezes and thaws, and tells what it was asked while frozen."""

    def __init__(self) -> None:
        super().__init__(guest_fsfreeze_freeze=2, guest_fsfreeze_thaw=2)
        self.frozen = False

    def __call__(self, request: dict[str, object]) -> object:
        if request["execute"] == "guest-fsfreeze-status":
            return "frozen" if self.frozen else "thawed"
        if str(request["execute"]).endswith(("freeze", "thaw")):
            self.frozen = str(request["execute"]).endswith("freeze")
        return super().__call__(request)


def test_an_agent_that_a_backup_of_ours_needs_is_left_to_it(
    fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    """It is not even connected to, for a socket has one client at a time."""
    agent = fake(Freezer())
    written = tmp_path / "qga.prom"
    name = agent.path.name
    metrics = f"exec {sys.executable} -m qga_cli -c {agent.uri} metrics --write {written}"
    ran = qga("-c", agent.uri, "fs", "with-frozen", name, "--", "sh", "-c", metrics)
    assert ran.code == 0, ran.err
    found = samples(written.read_text())
    assert (by(found, "qga_frozen"), by(found, "qga_up")) == ({name: 1}, {name: 1})
    after = asked(agent)[asked(agent).index("guest-fsfreeze-freeze") :]
    assert "guest-info" not in after


def test_two_who_scrape_at_once_ask_once(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "x.sock", Scripted())
    with exporter("-c", agent.uri, "--keep", "1h") as address:
        threads = [threading.Thread(target=fetch, args=[f"{address}/metrics"]) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fetch(f"{address}/metrics?target=x.sock")
    assert asked(agent).count("guest-get-osinfo") == 1
    agent.close()


@pytest.mark.parametrize(("end", "told"), [(None, {"web1"}), (9.0, {"web1"}), (0.3, set[str]())])
def test_counters_past_a_stuck_qemu_have_time_on_a_loaded_host(
    end: float | None, told: set[str]
) -> None:
    """But no more than Prometheus leaves."""
    over, calls = threading.Event(), list[int]()

    def counters() -> dict[str, Counters]:
        calls.append(1)
        if len(calls) == 1:
            over.wait(30)
        over.wait(0.8)
        return {"web1": Counters()}

    host = SimpleNamespace(spread=bool, counters=counters)
    hosts: Any = SimpleNamespace(host=lambda uri: host)
    collector = Collector(hosts, parallel=1, patience=3.0)
    begun = time.monotonic()
    stuck = collector._host(None).count()
    try:
        until = None if end is None else begun + end
        assert set(collector._counted(None, stuck, begun + 0.1, until)) == told
        assert time.monotonic() - begun < (2.5 if told else 0.7)
    finally:
        over.set()


def test_work_under_way_is_waited_for_for_a_while() -> None:
    once, begun, go = Once(), threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        go.wait(30)
        return "first"

    results: list[object] = []
    first = threading.Thread(target=lambda: results.append(once.do(work, 30)))
    first.start()
    begun.wait(30)
    with pytest.raises(NotAnswering):
        once.do(lambda: "second", 0.01)
    second = threading.Thread(target=lambda: results.append(once.do(lambda: "second", 30)))
    second.start()
    assert eventually(lambda: len(once._changed._waiters) == 1)  # type: ignore[attr-defined]
    go.set()
    first.join()
    second.join()
    assert results == ["first", "first"]
    assert once.do(lambda: "third", 0) == "third"


def test_written_in_one_step(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "x.sock", Scripted())
    folder = tmp_path / "collector"
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    os.symlink(precious, folder / "qga.prom")
    old = os.umask(0o077)
    try:
        ran = qga("-c", agent.uri, "metrics", "--write", str(folder / "qga.prom"))
    finally:
        os.umask(old)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    found = os.lstat(folder / "qga.prom")
    assert (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o644)
    assert precious.read_text() == "mine"
    assert by(samples((folder / "qga.prom").read_text()), "qga_up") == {"x.sock": 1}
    assert os.listdir(folder) == ["qga.prom"]
    ran = qga("-c", agent.uri, "metrics", "--write", str(folder / "nosuch" / "qga.prom"))
    assert (ran.code, ran.err.splitlines()[0][-25:]) == (1, "No such file or directory")
    agent.close()


def test_nothing_but_files_is_replaced(tmp_path: Path) -> None:
    """As root, `--write /dev/null` put a file in the place of the device."""
    os.mkfifo(tmp_path / "fifo")
    for path in (str(tmp_path / "fifo"), "/proc/self/fd/1", "/dev/fd/1"):
        with pytest.raises(FileError, match="a file would take its place"):
            put(path, "text")
    assert os.listdir(tmp_path) == ["fifo"]
    assert (tmp_path / "fifo").is_fifo()


def test_samples_as_json(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "x.sock", Scripted())
    rows = json.loads(qga("-c", agent.uri, "metrics", "-o", "json").out)
    assert {"name": "qga_up", "labels": {"vm": "x.sock"}, "value": 1.0} in rows
    agent.close()


def test_a_host_that_is_away(tmp_path: Path) -> None:
    uri = f"unix:{tmp_path}/nosuch/{{vm}}.sock"
    ran = qga("-c", uri, "metrics")
    assert ran.code == 3
    assert by(samples(ran.out), "qga_host_up", "host") == {uri: 0}
    assert "cannot be read" in ran.err or "No such file" in ran.err
    with exporter("-c", uri) as address:
        page = fetch(f"{address}/metrics")
    assert (page.status, by(samples(page.text), "qga_host_up", "host")) == (200, {uri: 0})


def test_a_policy_that_lets_nobody_change_anything(configured: Configured, tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "agent0.sock", Scripted(guest_get_fsinfo=[FILESYSTEM]))
    words = ("-c", template(agent), "metrics", "agent0")
    found = samples(configured(READ_ONLY + vouched(agent), *words).out)
    assert by(found, "qga_filesystem_used_bytes") == {"agent0": 25}
    denied = '[policy."agent*"]\ndeny = ["guest-get-fsinfo"]\n'
    found = samples(configured(denied + vouched(agent), *words).out)
    assert (by(found, "qga_filesystem_used_bytes"), by(found, "qga_up")) == ({}, {"agent0": 1})
    assert not by(found, "qga_scrape_errors_total")
    agent.close()
