"""Prometheus, promtool and real agents: what a scrape brings, and whom it may not hurt."""

import json
import os
import re
import signal
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from qga_cli import catalog
from tests import REPO, lab
from tests.health.test_list import Scripted
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.policies import lines
from tests.kit.prometheus import by, exporter, fetch, prometheus, promtool, query, samples
from tests.kit.running import eventually
from tests.lab.hypervisor import virsh
from tests.lab.local_agent import LocalAgent
from tests.lab.local_agent import agent as local_qemu_ga

RULES = REPO / "packaging" / "prometheus"


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
