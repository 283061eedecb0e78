"""`qga metrics` and `qga exporter`: what Prometheus is told, and whom it may not hurt."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli import catalog
from qga_cli.cli.run import Run
from qga_cli.errors import NotAnswering
from qga_cli.guests.targets import Target
from qga_cli.metrics.bounds import Bounds
from qga_cli.metrics.collector import Look
from qga_cli.metrics.exposition import text
from qga_cli.metrics.families import families
from qga_cli.metrics.family import GAUGE, Family
from qga_cli.metrics.once import Once
from qga_cli.metrics.reading import Reading
from tests import REPO, lab
from tests.health.test_list import Scripted
from tests.kit.command import Configured, qga
from tests.kit.fake import FakeAgent, Handler, Silence
from tests.kit.policies import READ_ONLY, lines, template, vouched
from tests.kit.prometheus import by, exporter, fetch, prometheus, promtool, query, samples
from tests.kit.running import eventually
from tests.lab.hypervisor import virsh
from tests.lab.local_agent import LocalAgent
from tests.lab.local_agent import agent as local_qemu_ga

RULES = REPO / "packaging" / "prometheus"
FILESYSTEM = {"name": "vda1", "mountpoint": "/", "type": "ext4", "used-bytes": 25,
              "total-bytes": 100, "disk": []}  # fmt: skip


@pytest.fixture
def five(tmp_path: Path) -> Iterator[tuple[str, dict[str, LocalAgent]]]:
    """Five real agents, and the template of their sockets."""
    with ExitStack() as stack:
        agents = {
            name: stack.enter_context(local_qemu_ga(tmp_path, name))
            for name in ("a", "b", "c", "d", "e")
        }
        yield f"unix:{tmp_path}/{{vm}}.sock", agents


@pytest.mark.slow
def test_one_of_five_is_stopped(five: tuple[str, dict[str, LocalAgent]]) -> None:
    uri, agents = five
    with exporter("-c", uri, "--timeout", "1s", "--keep", "100ms") as address:
        os.kill(agents["c"].pid, signal.SIGSTOP)
        try:
            page = fetch(f"{address}/metrics")
            found = samples(page.text)
            assert by(found, "qga_up") == {"a": 1, "b": 1, "c": 0, "d": 1, "e": 1}
            # Not filesystems: where this machine is a container, none is on a disk.
            assert set(by(found, "qga_users")) == {"a", "b", "d", "e"}
            assert 0.9 <= page.seconds < 5
            info = {dict(one)["vm"]: dict(one)["agent"] for one in found["qga_guest_info"]}
            assert (info["a"], info["c"]) == ("answering", "not answering")
            assert promtool("check", "metrics", stdin=page.text).stdout == ""
            again = samples(fetch(f"{address}/metrics").text)
            assert by(again, "qga_up")["c"] == 0
            when = "qga_scrape_timestamp_seconds"  # the silent one is left alone for a while
            assert by(again, when)["c"] == by(found, when)["c"]
            assert by(again, when)["a"] > by(found, when)["a"]
        finally:
            os.kill(agents["c"].pid, signal.SIGCONT)
        assert eventually(lambda: by(samples(fetch(f"{address}/metrics").text), "qga_up")["c"])


def test_promtool_has_nothing_to_say(five: tuple[str, dict[str, LocalAgent]]) -> None:
    ran = qga("-c", five[0], "metrics")
    assert (ran.code, ran.err) == (0, "")
    checked = promtool("check", "metrics", stdin=ran.out)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_hundred_sockets_in_one_scrape(tmp_path: Path) -> None:
    herd = [FakeAgent(tmp_path / f"vm{number}.sock", Scripted()) for number in range(100)]
    try:
        with exporter("-c", f"unix:{tmp_path}/{{vm}}.sock", "--keep", "1ms") as address:
            pages = [fetch(f"{address}/metrics") for _ in range(3)]
        assert [sum(by(samples(page.text), "qga_up").values()) for page in pages] == [100] * 3
        assert min(page.seconds for page in pages) < 2  # this machine has other work too
    finally:
        for agent in herd:
            agent.close()


def test_alerts_come_when_they_should() -> None:
    done = promtool("test", "rules", str(RULES / "alerts.test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    rules = set(re.findall(r"alert: (\w+)", (RULES / "alerts.yml").read_text()))
    assert rules == set(re.findall(r"alertname: (\w+)", (RULES / "alerts.test.yml").read_text()))


def expressions() -> set[str]:
    """Every query of the dashboard, as Grafana sends it for all guests."""
    panels = json.loads((RULES / "dashboard.json").read_text())["panels"]
    found = {target["expr"] for panel in panels for target in panel["targets"]}
    return {one.replace("$__rate_interval", "1m").replace("$vm", ".*") for one in found}


def test_prometheus_scrapes_a_real_guest(guest: lab.Guest, tmp_path: Path) -> None:
    """And nothing in the guest, or plugged into it, is another after that."""
    before = virsh(guest.uri, "dumpxml", guest.name)
    log = tmp_path / "log"
    known = set(re.findall(r"\bqga_\w+", "".join(expressions())))
    with exporter("-c", guest.uri, guest.name, "--timeout", "20s", "--audit", str(log)) as address:
        patient = {"X-Prometheus-Scrape-Timeout-Seconds": "60"}
        told = samples(fetch(f"{address}/metrics", **patient).text)
        with prometheus(tmp_path, address) as server:
            share = "1 - qga_filesystem_avail_bytes / qga_filesystem_size_bytes"
            (fullest,) = query(server, f"topk(1, {share})")
            assert fullest["metric"]["vm"] == guest.name
            rows = json.loads(qga("-c", guest.uri, "fs", "list", guest.name, "-o", "json").out)
            full = {row["mountpoint"]: row["used-bytes"] / row["total-bytes"] for row in rows}
            assert fullest["metric"]["mountpoint"] == max(full, key=full.__getitem__)
            assert float(fullest["value"][1]) == pytest.approx(max(full.values()), abs=0.01)
            for expression in expressions():
                encoded = urllib.parse.urlencode({"query": expression})
                page = fetch(f"{server}/api/v1/query?{encoded}")
                assert page.status == 200, (expression, page.text)
    # An agent before 7.1 counts nothing, one before 10.0 knows no load.
    unknown = {"qga_load1", "qga_cpus", "qga_cpu_seconds_total", "qga_disk_read_bytes_total",
               "qga_disk_written_bytes_total"}  # fmt: skip
    allowed = unknown if int(guest.agent_version.split(".")[0]) < 10 else set()
    assert known - told.keys() <= {"qga_scrape_errors_total", *allowed}
    assert virsh(guest.uri, "dumpxml", guest.name) == before
    sent = {line["command"] for line in lines(log)}
    assert "guest-get-fsinfo" in sent
    changing = [name for name in sent if (one := catalog.by_wire(name)) is None or one.changes]
    assert not changing


def qemu(guest: lab.Guest) -> int:
    """The process that is the guest."""
    mark = f"guest={guest.name},".encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in entry.read_bytes():
                return int(entry.parent.name)
        except OSError:  # it has just ended
            continue
    raise AssertionError(f"no QEMU of {guest.name}")


def test_a_stuck_qemu_hurts_nobody_else(guest: lab.Guest, spare: lab.Guest) -> None:
    stuck = qemu(spare)
    patient = {"X-Prometheus-Scrape-Timeout-Seconds": "60"}
    os.kill(stuck, signal.SIGSTOP)
    try:
        names = f"{guest.name},{spare.name}"
        with exporter("-c", guest.uri, "--timeout", "4s", "--keep", "1ms", names) as address:
            for _ in range(2):
                page = fetch(f"{address}/metrics", **patient)
                found = samples(page.text)
                assert by(found, "qga_up") == {guest.name: 1, spare.name: 0}
                assert by(found, "qga_domain_cpu_seconds_total")[guest.name] > 0
                assert page.seconds < 10
    finally:
        os.kill(stuck, signal.SIGCONT)


def looked(*filesystems: dict[str, object], vm: str = "x") -> Look:
    """A look at one guest that has these filesystems."""
    reading = Reading(Target(None, vm, vm, "running"))
    reading.agent = "answering"
    reading.told["guest-get-fsinfo"] = filesystems
    return Look({}, [reading])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), min_size=3, max_size=3), st.integers(0, 2**64 - 1))
def test_any_text_of_a_guest_is_a_label_and_no_more(words: list[str], size: int) -> None:
    mountpoint, device, vm = words
    row = FILESYSTEM | {"mountpoint": mountpoint, "name": device, "total-bytes": size}
    shown = text(families(looked(row, vm=vm)))
    assert all(line.isprintable() and len(line) < 1500 for line in shown.splitlines())
    (labels,) = samples(shown)["qga_filesystem_size_bytes"]
    assert {name for name, _ in labels} == {"vm", "mountpoint", "device", "fstype"}
    assert samples(shown)["qga_filesystem_size_bytes"][labels] == float(size)


def test_labels_are_escaped_cut_and_stay_different() -> None:
    family = Family("qga_x", GAUGE, ("a",), "Help.")
    for label in ('C:\\"', "tab\there", "\x1b[2J", "é", "x" * 500 + "1", "x" * 500 + "2"):
        family.add(1, label)
    assert [line for line in text([family]).splitlines() if line[0] != "#"][:4] == [
        r'qga_x{a="C:\\\""} 1',
        r'qga_x{a="tab\\there"} 1',
        r'qga_x{a="\\x1b[2J"} 1',
        'qga_x{a="é"} 1',
    ]
    assert len(family.samples) == 6
    assert max(len(label) for (label,) in family.samples) == 120


def test_a_series_comes_once_and_many_are_left_out() -> None:
    over = [FILESYSTEM | {"used-bytes": used} for used in (1, 2)]  # one mounted over the other
    many = [FILESYSTEM | {"mountpoint": f"/{number}"} for number in range(1000)]
    found = samples(text(families(looked(*over, *many))))
    assert len(found["qga_filesystem_used_bytes"]) == 63
    assert (
        found["qga_filesystem_used_bytes"][
            (("device", "vda1"), ("fstype", "ext4"), ("mountpoint", "/"), ("vm", "x"))
        ]
        == 2
    )
    assert by(found, "qga_left_out", "what") == {"filesystem": 1002 - 64}


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


def test_a_guest_that_renames_what_it_has_fills_no_prometheus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds, told = Bounds(), set()
    for number in range(100):
        rows = [FILESYSTEM | {"mountpoint": f"/{number}/{one}"} for one in range(60)]
        made = families(looked(*rows))
        bounds.apply(made)
        told |= {(family.name, labels) for family in made for labels in family.samples}
    assert 1000 < len(told) <= 2010
    assert by(samples(text(made)), "qga_left_out", "what") == {"series": 180}
    assert by(samples(text(made)), "qga_up") == {"x": 1}
    other = families(looked(FILESYSTEM, vm="y"))
    bounds.apply(other)
    assert by(samples(text(other)), "qga_filesystem_used_bytes") == {"y": 25}
    later = time.monotonic() + 90000
    monkeypatch.setattr(time, "monotonic", lambda: later)
    made = families(looked(FILESYSTEM))
    bounds.apply(made)
    assert by(samples(text(made)), "qga_filesystem_used_bytes") == {"x": 25}


def test_the_time_of_each_guest_does_not_end_the_exporter(local_agent: str) -> None:
    for name, ends in (("list", True), ("exporter", False), ("top", False), ("metrics", False)):
        command = catalog.load((name,))
        run = Run(command, {"connect": local_agent, "timeout": "5s"})
        fleet = run._start([Target(None, "", "")], lambda index, target: None)
        assert (fleet._limit is not None) == ends, name


def test_what_is_always_full_is_told_on_request(tmp_path: Path) -> None:
    snap = FILESYSTEM | {"type": "squashfs", "mountpoint": "/snap/x", "used-bytes": 100}
    agent = FakeAgent(tmp_path / "x.sock", Scripted(guest_get_fsinfo=[FILESYSTEM, snap]))
    for words, mountpoints in (((), {"/"}), (("--all-filesystems",), {"/", "/snap/x"})):
        found = samples(qga("-c", agent.uri, "metrics", *words).out)
        assert set(by(found, "qga_filesystem_used_bytes", "mountpoint")) == mountpoints
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
    assert "qga-cli[exporter]" in ran.stderr
    assert "python3-prometheus-client" in ran.stderr
