"""connect, forward, ssh and rsh with a real guest that has no network interface at all."""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import REPO, lab
from tests.kit.channels import may_write_ports, plugged
from tests.kit.command import SUITE, Configured, qga
from tests.kit.remains import Remains
from tests.kit.running import GUARD
from tests.kit.tunnels import await_that, echo, read_all, server
from tests.lab.hypervisor import virsh
from tests.test_docs import BLOCK, environment, script

pytestmark = pytest.mark.slow

QGA = [sys.executable, "-m", "qga_cli"]
WRITES = may_write_ports()  # else all goes through agent calls, ten times slower and more
# Echoes, on a port and on a UNIX socket; and a server of web pages that is busybox's.
SERVERS = r"""
mkdir -p /srv /root/.ssh && cd /srv && echo 'a page' >index.html
busybox httpd -p 127.0.0.1:80 -h /srv
socat -t 30 TCP-LISTEN:7,bind=127.0.0.1,fork,reuseaddr,nodelay EXEC:cat </dev/null >/dev/null 2>&1 &
socat -t 30 UNIX-LISTEN:/run/echo.sock,fork EXEC:cat </dev/null >/dev/null 2>&1 &
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
"""


@pytest.fixture(scope="module")
def island() -> Iterator[lab.Guest]:
    """A guest without a network interface, with servers, sshd (not running), git and rsync."""
    with lab.up(f"qga-island-{os.getpid()}", f"{SUITE}-tools") as guest:
        xml = virsh(guest.uri, "dumpxml", guest.name)
        found = re.search(r"<interface.*?</interface>", xml, re.S)
        assert found
        device = guest.folder / "interface.xml"
        device.write_text(found[0])
        virsh(guest.uri, "detach-device", guest.name, str(device), "--live")
        await_that(lambda: qga("exec", guest.name, "ls", "/sys/class/net").out == "lo\n")
        done = qga("exec", guest.name, "sh", "-c", SERVERS)
        assert (done.code, done.err) == (0, "")
        yield guest


@pytest.fixture(scope="module")
def home(island: lab.Guest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home with a key that the guest takes, and a `qga` on his way."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".ssh").mkdir(0o700)
    (folder / "bin").mkdir()
    for name in ("qga", "qga-rsh"):
        words = "rsh " if name == "qga-rsh" else ""
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m qga_cli {words}"$@"\n')
        program.chmod(0o755)
    key = folder / ".ssh" / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    assert qga("ssh", "add", island.name, "root", f"@{key}.pub").code == 0
    return folder


@pytest.fixture(autouse=True)
def tidy(island: lab.Guest) -> Iterator[None]:
    """Nothing of ours goes on in the guest after a test."""
    yield
    await_that(lambda: not left(island), 90)


def left(guest: lab.Guest) -> str:
    """Our processes in the guest, and what listens there beside the servers; ports in use."""
    ours = "[q]ga-(tunnel|login)|[s]shd|[p]ython3 -ISc|[p]erl -e"
    text = f"ss -ltnH | grep -v ':\\(7\\|80\\) '; pgrep -fa '{ours}'; true"
    said = qga("exec", guest.name, "sh", "-c", text).out
    return said + " ".join(port.name for port in plugged(guest) if port.is_open)


@contextlib.contextmanager
def forwarding(*words: str) -> Iterator[tuple[list[int], "subprocess.Popen[str]"]]:
    """`qga forward`, once it stands: the ports that it tells."""
    process = subprocess.Popen(
        [*QGA, "forward", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        ports = []
        for _ in [word for word in words if ":" in word]:
            line = process.stdout.readline()
            assert line, process.communicate()
            ports += [int(re.findall(r"127\.0\.0\.1:(\d+)", line)[0])]
        yield ports, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=GUARD)


def test_connect_joins_our_streams_to_an_address(island: lab.Guest) -> None:
    data = random.Random(7).randbytes(2_000_000 if WRITES else 200_000)
    for address in ("7", "localhost:7", "127.0.0.1:7", "unix:/run/echo.sock"):
        done = qga("connect", "-v", island.name, address, stdin=data)
        assert (done.code, done.stdout == data) == (0, True), done.err
        assert "carried by python3" in done.err
    refused = qga("connect", island.name, "9", stdin=b"x")
    assert (refused.code, refused.out) == (1, "")
    said = refused.err.splitlines()[0 if WRITES else 1 :]  # the first: that there are no ports
    assert said == [f"qga: {island.name}: localhost:9: Connection refused"]
    away = qga("connect", island.name, "192.0.2.1:80")
    assert (away.code, away.out) == (1, "")
    assert "Network is unreachable" in away.err


def test_without_a_channel_it_works_and_says_so(island: lab.Guest) -> None:
    data = random.Random(8).randbytes(300_000)
    done = qga("connect", "--channel", "never", island.name, "7", stdin=data)
    assert (done.code, done.stdout == data) == (0, True), done.err
    assert "no channel, so through agent calls, which is slower" in done.err
    with forwarding("--channel", "never", island.name, "0:80") as ((port,), _):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), 60) as one:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert read_all(one).endswith(b"\r\n\r\na page\n")


def test_perl_carries_where_python_is_not(island: lab.Guest) -> None:
    hide = "mv /usr/bin/python3 /usr/bin/python3.hidden"
    assert qga("exec", island.name, "sh", "-c", hide).code == 0
    try:
        done = qga("connect", "-v", island.name, "7", stdin=b"hello")
        assert (done.code, done.out) == (0, "hello")
        assert "carried by perl" in done.err
        both = f"{hide.replace('python3', 'perl')}"
        assert qga("exec", island.name, "sh", "-c", both).code == 0
        done = qga("connect", island.name, "7", stdin=b"hello")
        assert done.code == 6
        assert "has none of python3, perl" in done.err
    finally:
        show = "for p in python3 perl; do mv /usr/bin/$p.hidden /usr/bin/$p; done; true"
        qga("exec", island.name, "sh", "-c", show)


def test_many_requests_at_once_are_answered_right(island: lab.Guest) -> None:
    wrong: list[bytes] = []
    with forwarding(island.name, "0:80", "0:7") as ((web, echoing), _):

        def ask(count: int) -> None:
            for _ in range(count):
                with socket.create_connection(("127.0.0.1", web), 60) as one:
                    one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    said = read_all(one)
                if not (b" 200 OK\r\n" in said[:20] and said.endswith(b"\na page\n")):
                    wrong.append(said)

        threads = [threading.Thread(target=ask, args=(10 if WRITES else 1,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with socket.create_connection(("127.0.0.1", echoing), 60) as one:
            times = []
            for turn in range(200 if WRITES else 10):
                began = time.monotonic()
                one.sendall(bytes([turn]))
                assert one.recv(1) == bytes([turn])
                times.append(time.monotonic() - began)
    assert wrong == []
    # 1 ms on a machine that has nothing else to do; agent calls promise nothing.
    assert min(times) < 0.1 or not WRITES


def test_the_guest_reaches_the_one_address_of_this_host(island: lab.Guest) -> None:
    with (
        server(echo) as echoing,
        forwarding(island.name, "-R", f"0:127.0.0.1:{echoing}") as (
            (port,),
            process,
        ),
    ):
        ask = f"printf hello | socat -t 20 - TCP:127.0.0.1:{port}"
        assert qga("exec", island.name, "sh", "-c", ask).out == "hello"
        process.kill()
        await_that(lambda: not left(island), 90)


def test_a_command_runs_while_it_stands_and_its_code_counts(island: lab.Guest) -> None:
    line = "test $QGA_PORT = $QGA_PORTS; exec curl -s localhost:$QGA_PORT"
    done = qga("forward", island.name, "0:80", "--", "sh", "-c", line)
    assert (done.code, done.out) == (0, "a page\n")
    assert ("through agent calls" in done.err) if not WRITES else done.err == ""
    assert qga("forward", island.name, "0:80", "--", "sh", "-c", "exit 7").code == 7
    assert qga("forward", island.name, "0:80", "--", "no-such-program").code == 127


def test_a_policy_and_a_log_know_who_opened_what(
    island: lab.Guest, configured: Configured, tmp_path: Path
) -> None:
    log = tmp_path / "audit.jsonl"
    done = qga("connect", "--audit", str(log), island.name, "7", stdin=b"x")
    assert done.code == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    calls = [line for line in lines if line["level"] == "call"]
    told = [line["arguments"] for line in calls if line["command"] == "connect"]
    assert told == [{"to": "localhost:7"}]
    read_only = '[policy."*"]\nread-only = true\n'
    for words in (("connect", island.name, "7"), ("forward", island.name, "0:80"),
                  ("forward", island.name, "-R", "0:80")):  # fmt: skip
        done = configured(read_only, *words)
        # 125: forward may run a command, whose code the others are.
        wanted = 6 if words[0] == "connect" else 125
        assert (done.code, "policy" in done.err) == (wanted, True), done.err
    denied = configured(
        '[policy."*"]\ndeny = ["connect-back"]\n', "forward", island.name, "-R", "0:9"
    )
    assert "connect-back is denied" in denied.err


@pytest.mark.port_written
def test_whatever_kills_it_nothing_stays(island: lab.Guest) -> None:
    chance = random.Random(int(os.environ.get("QGA_TEST_SEED", "19")))
    remains = Remains(island, "socat", "cat", "busybox httpd", limit=10)
    lines = (
        ("forward", island.name, "0:80", "-R", "0:7"),
        ("connect", island.name, "7"),
        ("connect", island.name, "sshd"),
    )
    for _ in range(int(os.environ.get("QGA_TEST_KILLS", "4"))):
        words, moment = chance.choice(lines), chance.uniform(0, 4)
        signum = chance.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        # The other end of both, which nobody writes, reads or closes.
        process = subprocess.Popen(
            [*QGA, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        time.sleep(moment)
        process.send_signal(signum)
        process.wait(GUARD)
        assert not (left := remains.soon()), f"{words}, {signum.name} after {moment:.2f} s: {left}"
        said = qga("exec", island.name, "ss", "-ltnH").out.splitlines()
        assert [line for line in said if not re.search(r":(7|80) ", line)] == []
        process.communicate()


def documents() -> list[tuple[str, str]]:
    text = (REPO / "docs" / "without-network.md").read_text()
    return [(before, block) for before, language, block in BLOCK.findall(text) if language == "sh"]


@pytest.mark.parametrize("block", documents(), ids=lambda block: str(block[1])[:40])
def test_what_the_document_shows_runs_without_a_network(
    block: tuple[str, str], island: lab.Guest, home: Path
) -> None:
    env = environment(home, island)
    for part in filter(None, block):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script(part, island)], cwd=home, env=env,
            capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
