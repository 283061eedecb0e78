"""Many guests on several hosts, one of which is down and one silent."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler


def named(name: str) -> Handler:
    return lambda request: {"host-name": name}


CONFIG = """
[hosts]
one = "unix:{folder}/one-{{vm}}.sock"
two = "unix:{folder}/two-{{vm}}.sock"
mute = "qemu+tcp://127.0.0.1:{port}/system"
gone = "qemu+tcp://127.0.0.1:1/system"
[groups]
web = ["one/web1", "t*/web*"]
"""


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two folders of agents, a host that takes connections and says nothing, one that is down."""
    agents = [
        FakeAgent(tmp_path / f"{name}.sock", named(name))
        for name in ("one-web1", "one-db1", "two-web1", "two-web2")
    ]
    (tmp_path / "qga").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        text = CONFIG.format(folder=tmp_path, port=mute.getsockname()[1])
        (tmp_path / "qga" / "config.toml").write_text(text)
        yield {"XDG_CONFIG_HOME": str(tmp_path)}
    for agent in agents:
        agent.close()


def test_globs_and_groups_span_hosts(hosts: dict[str, str]) -> None:
    def ask(guests: str) -> list[str]:
        ran = qga("os", "hostname", guests, "--no-header", env=hosts)
        assert ran.code == 0, ran.err
        return ran.out.splitlines()

    assert ask("o*/*") == ["one/db1\tone-db1", "one/web1\tone-web1"]
    assert ask("@web") == ["one/web1\tone-web1", "two/web1\ttwo-web1", "two/web2\ttwo-web2"]
    assert ask("two/web1") == ["two-web1"]


@pytest.mark.slow
def test_a_host_that_is_down_is_one_line_and_no_hang(hosts: dict[str, str]) -> None:
    started = time.monotonic()
    ran = qga("os", "hostname", "*/web*,gone/x,gone/y", "--no-header", "--timeout", "2s", env=hosts)
    assert time.monotonic() - started < 8
    assert ran.code == 123
    assert ran.out == "one/web1\tone-web1\ntwo/web1\ttwo-web1\ntwo/web2\ttwo-web2\n"
    lines = [line for line in ran.err.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 3
    assert lines[0].startswith("qga: mute: no answer within 2 s")
    assert lines[1].startswith("qga: gone: cannot use qemu+tcp://127.0.0.1:1/system")
    assert lines[2] == "qga: 3 ok, 2 failed (mute: timed out; gone: unreachable)"


def test_one_host_that_is_down_is_its_own_error(hosts: dict[str, str]) -> None:
    for guests in ("gone/x", "gone/*"):
        ran = qga("ping", guests, env=hosts)
        assert (ran.code, "cannot use qemu+tcp://127.0.0.1:1" in ran.err) == (3, True)


def test_an_unknown_guest_of_one_host_stops_all(hosts: dict[str, str]) -> None:
    ran = qga("os", "hostname", "one/web1,two/web9", env=hosts)
    assert (ran.code, ran.out) == (4, "")
    assert "web9" in ran.err


@pytest.mark.parametrize("guest", ["mute/x", "mute/*"])
def test_ctrl_c_and_timeout_work_while_a_host_connects(hosts: dict[str, str], guest: str) -> None:
    started = time.monotonic()
    assert qga("ping", guest, "--timeout", "500ms", env=hosts).code == 124
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "ping", guest, "-vv"],
        env={**os.environ, **hosts}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(1)  # nothing tells from outside that it has begun to connect
    process.send_signal(signal.SIGINT)
    assert process.wait(3) == -signal.SIGINT
    assert time.monotonic() - started < 8
