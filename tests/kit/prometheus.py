"""What the tests of metrics share: an exporter that runs, a Prometheus that scrapes it."""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests import REPO
from tests.kit.command import environment
from tests.lab.process import PATH

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]

# What an agent tells of a filesystem.
FILESYSTEM = {"name": "vda1", "mountpoint": "/", "type": "ext4", "used-bytes": 25,
              "total-bytes": 100, "disk": []}  # fmt: skip


def samples(text: str) -> Samples:
    """Values by metric and labels. Raises ValueError for what is no exposition."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            series = found.setdefault(sample.name, {})
            assert labels not in series, f"{sample.name}{labels} comes twice"
            series[labels] = sample.value
    return found


def by(found: Samples, metric: str, label: str = "vm") -> dict[str, float]:
    """A metric's values by one label."""
    return {dict(labels)[label]: value for labels, value in found.get(metric, {}).items()}


def promtool(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run Debian's promtool."""
    program = shutil.which("promtool", path=PATH)
    assert program, "promtool is missing: run `python3 -m tests.lab setup --tests`"
    return subprocess.run([program, *words], input=stdin, capture_output=True, text=True)


class Page:
    """What came back over HTTP, and how long it took."""

    def __init__(self, status: int, text: str, seconds: float) -> None:
        self.status = status
        self.text = text
        self.seconds = seconds


def fetch(url: str, method: str = "GET", **headers: str) -> Page:
    """Fetch a page, whatever its status."""
    request = urllib.request.Request(url, method=method, headers=headers)
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            status, data = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            status, data = error.code, error.read()
    return Page(status, data.decode(), time.monotonic() - begun)


@contextmanager
def exporter(*words: str, config: str = "") -> Iterator[str]:
    """`qga exporter`, and where it listens; at the end it must stop when it is asked to."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "qga", "config.toml")
        own.parent.mkdir()
        own.write_text(config)
        with _exporter(words, {"XDG_CONFIG_HOME": folder}) as address:
            yield address


@contextmanager
def _exporter(words: tuple[str, ...], extra: dict[str, str]) -> Iterator[str]:
    words = ("exporter", "--listen", "127.0.0.1:0", *words)
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(extra),
    )
    assert process.stderr
    try:
        line = process.stderr.readline()
        place = re.search(r"http://\S+", line)
        assert place, line + process.stderr.read()
        yield place[0].removesuffix("/metrics")
        process.terminate()
        _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (143, "")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Debian's Prometheus, scraping one exporter; its address."""
    program = shutil.which("prometheus", path=PATH)
    assert program, "prometheus is missing: run `python3 -m tests.lab setup --tests`"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rules = REPO / "packaging" / "prometheus" / "alerts.yml"
    job = {"job_name": "qga", "static_configs": [{"targets": [target.removeprefix("http://")]}]}
    every = {"scrape_interval": "5s", "scrape_timeout": "5s", "evaluation_interval": "5s"}
    settings = {"global": every, "rule_files": [str(rules)], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    with open(folder / "prometheus.log", "w") as log:
        process = subprocess.Popen(
            [
                program, f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def query(address: str, expression: str, seconds: float = 60) -> list[dict[str, Any]]:
    """What Prometheus answers, once it answers something."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    end = time.monotonic() + seconds
    while True:
        try:
            page = fetch(url)
        except urllib.error.URLError:  # it does not listen yet
            page = Page(0, "", 0)
        if page.status == 200:  # else it is starting
            found: list[dict[str, Any]] = json.loads(page.text)["data"]["result"]
            if found:
                return found
        assert time.monotonic() < end, f"nothing for {expression}"
        time.sleep(0.05)
