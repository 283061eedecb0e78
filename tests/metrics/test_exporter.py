"""`qga exporter`: its pages, which guests it tells of and by which names, and where it listens."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import NoGuest
from qga_cli.guests.hosts import Hosts
from qga_cli.interrupt import Interrupt
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.exporter import Exporter
from qga_cli.transports import ListedGuest
from tests.health.test_list import Scripted
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.prometheus import by, exporter, fetch, samples


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
    for place in (
        ":9942",
        f"localhost:{'9' * 5000}",
        "localhost:\u0668\u0660",
        "::1:9942",
        "localhost:http",
        "localhost:99999",
        "localhost",
    ):
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
