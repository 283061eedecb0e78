"""`qga metrics` and `qga exporter`: what Prometheus is told, and whom it may not hurt."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import NoGuest, NotAnswering
from qga_cli.guests.hosts import Hosts
from qga_cli.interrupt import Interrupt
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.exporter import Exporter
from qga_cli.metrics.once import Once
from qga_cli.transports import ListedGuest
from qga_cli.transports.counters import Counters
from tests.health.test_list import Scripted
from tests.kit.command import Configured, qga
from tests.kit.fake import FakeAgent, Handler, Silence
from tests.kit.policies import READ_ONLY, template, vouched
from tests.kit.prometheus import FILESYSTEM, by, exporter, fetch, samples
from tests.kit.running import eventually


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


def test_pages(tmp_path: Path) -> None:
    agents = [FakeAgent(tmp_path / f"{name}.sock", Scripted()) for name in ("web1", "web2", "db1")]
    with exporter("-c", f"unix:{tmp_path}/{{vm}}.sock", "web*") as address:
        for asking, guests in (
            ("", {"web1", "web2"}),
            ("?target=web1", {"web1"}),
            ("?target=web1&target=web2", {"web1", "web2"}),
            ("?target=*2", {"web2"}),
            ("?target=*1", {"web1"}),  # db1 is none of those that it was started for
        ):
            assert set(by(samples(fetch(f"{address}/metrics{asking}").text), "qga_up")) == guests
        page = fetch(f"{address}/metrics?name[]=qga_up")
        assert set(samples(page.text)) == {"qga_up"}
        page = fetch(f"{address}/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert page.text.endswith("# EOF\n")
        for path, status, said in (
            ("/metrics?target=nosuch", 404, "nosuch"),
            ("/metrics?target=db1", 404, "names guests that 'web*' does not"),
            ("/metrics?target=web1&target=db1", 404, "names guests that 'web*' does not"),
            ("/metrics?target=a,,b", 400, "empty guest name"),
            ("/metrics?target=" + "a" * 3000, 400, "more than"),
            ("/nosuch", 404, "/metrics"),
            ("/", 200, '<a href="/metrics">'),
        ):
            page = fetch(address + path)
            assert (page.status, said in page.text) == (status, True), page.text
        assert fetch(f"{address}/metrics", "POST").status == 405
        assert fetch(f"{address}/metrics", "HEAD").status == 200
    for agent in agents:
        agent.close()


def test_of_other_hosts_nothing_is_told_or_asked(tmp_path: Path) -> None:
    places = {}
    for host in ("alpha", "beta"):
        (tmp_path / host).mkdir()
        places[host] = FakeAgent(tmp_path / host / "x.sock", Scripted())
    hosts = "".join(f'{host} = "unix:{tmp_path}/{host}/{{vm}}.sock"\n' for host in places)
    config = f"[hosts]\n{hosts}"
    with exporter("alpha/*", config=config) as address:
        page = fetch(f"{address}/metrics?target=beta/x")
        assert (page.status, "other hosts" in page.text) == (404, True)
        assert set(by(samples(fetch(f"{address}/metrics").text), "qga_up")) == {"alpha/x"}
    with exporter(config=config) as address:  # for no guests in particular
        page = fetch(f"{address}/metrics?target=beta/x")
        assert set(by(samples(page.text), "qga_up")) == {"beta/x"}
    for agent in places.values():
        agent.close()


UUID = "0a0b0c0d-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("pattern", "called"), [("", "web1"), ("web*,db1", "web1"), (UUID, "web1"), ("b/*", "b/web1")]
)
def test_a_guest_has_one_name_however_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, pattern: str, called: str
) -> None:
    """Whoever reached the exporter could have others told of it by its UUID, or in any word that
    libvirt takes for that: each was kept for a day."""
    guests = [ListedGuest("web1", UUID, 7, "shut off"), ListedGuest("db1", state="shut off")]
    way = SimpleNamespace(close=bool)
    host = SimpleNamespace(guests=lambda: guests, spread=bool, counters=dict, open=lambda word: way)
    monkeypatch.setattr("qga_cli.guests.hosts.connect", lambda uri: host)
    hosts = Hosts("a", {"a": "test:one", "b": "test:one"})
    job: Any = SimpleNamespace(hosts=hosts, interrupt=Interrupt())
    served = Exporter(job, Collector(hosts, parallel=2, patience=9), pattern, everything=False)

    def told(query: str) -> set[str]:
        made = served._collect({"QUERY_STRING": query})
        return {labels[0] for one in made if one.labels[:1] == ("vm",) for labels in one.samples}

    for word in (UUID, UUID.upper(), UUID.replace("-", ""), "7", "web1", "a/web1", f"b/{UUID}"):
        assert told(f"target={word}") == {called}
    assert told(f"target={UUID}&target=web1&target=7") == {called}
    assert called in told("")
    for word in (f"+{UUID}", "nosuch"):
        with pytest.raises(NoGuest):
            told(f"target={word}")
    assert set(served._bounds._known) <= {called, called.replace("web1", "db1")}


@pytest.mark.slow
def test_where_it_listens(local_agent: str) -> None:
    for place in (":9942", "::1:9942", "localhost:http", "localhost:99999", "localhost"):
        ran = qga("-c", local_agent, "exporter", "--listen", place)
        assert (ran.code, "--listen" in ran.err) == (2, True), ran.err
    ran = qga("-c", local_agent, "exporter", "--listen", "192.0.2.1:9942")
    assert (ran.code, "cannot listen on 192.0.2.1:9942" in ran.err) == (1, True)


def test_without_the_library_it_says_what_to_type(local_agent: str) -> None:
    script = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from qga_cli.cli.main import main; main(sys.argv[1:])"
    )
    words = [sys.executable, "-c", script, "-c", local_agent, "exporter"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert f"{sys.executable} -m pip install prometheus-client" in ran.stderr
    assert "python3-prometheus-client" in ran.stderr
