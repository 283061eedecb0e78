"""Connections to libvirt: as many as it takes, and a new one for a broken one."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import pytest

from qga_cli.errors import NoGuest, Unreachable, Unsupported
from qga_cli.guests.hosts import Hosts
from qga_cli.transports import ListedGuest, libvirt_link
from qga_cli.transports.libvirt import LibvirtHost
from qga_cli.transports.libvirt_calls import LibvirtError
from qga_cli.transports.libvirt_link import Link
from qga_cli.wire import encode
from tests.kit.running import GUARD

TEST = "test:///default"


def links(host: LibvirtHost) -> list[int]:
    return [link.users for link in host._links]


def test_four_agents_share_a_connection() -> None:
    host = LibvirtHost(TEST)
    agents = [host.open("test") for _ in range(9)]
    assert links(host) == [4, 4, 1]
    agents[0].close()
    agents[0].close()  # once is enough
    assert links(host) == [3, 4, 1]
    agents[0] = host.open("test")
    assert links(host) == [4, 4, 1]
    host.close()


def test_an_unknown_guest_holds_no_place() -> None:
    host = LibvirtHost(TEST)
    for _ in range(9):
        with pytest.raises(NoGuest):
            host.open("nosuch")
    assert links(host) == [0]
    host.close()


def test_threads_open_one_connection_together() -> None:
    host = LibvirtHost(TEST)
    found = []
    threads = [threading.Thread(target=lambda: found.append(host.connection())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    host.close()


def test_a_connection_that_is_closed_is_opened_again() -> None:
    host = LibvirtHost(TEST)
    first = host.connection()
    host.close()
    assert host.connection() is not first
    assert [guest.name for guest in host.guests()] == ["test"]
    host.close()


def test_a_remote_host_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt_link, "_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host = LibvirtHost(f"qemu+tcp://127.0.0.1:{mute.getsockname()[1]}/system")
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            host.guests()
        host.close()


def test_nothing_is_connected_before_it_is_needed() -> None:
    hosts = Hosts("qemu+tcp://127.0.0.1:1/system")
    (target,) = hosts.resolve("web1")
    assert target.label == "web1"
    with pytest.raises(Unreachable):
        hosts.transport(target)
    hosts.close()


def test_only_the_command_itself_kills_a_link() -> None:
    sent: list[str] = []
    transport = LibvirtHost(TEST).open("test")
    transport._domain = Mock(ask_agent=lambda text, _: sent.append(text))
    transport.call(encode("guest-exec", {"arg": ["guest-sync-delimited"]}), 1)
    with pytest.raises(Unsupported, match="cannot pass"):
        transport.call(encode("guest-sync-delimited", {"id": 1}), 1)
    assert len(sent) == 1


def test_a_time_limit_longer_than_libvirt_can_be_told() -> None:
    given: list[int] = []
    transport = LibvirtHost(TEST).open("test")
    transport._domain = Mock(ask_agent=lambda _, timeout: given.append(timeout))
    for seconds in (0.2, 5, 100 * 365 * 86400):
        transport.call(encode("guest-ping", {}), seconds)
    assert given == [1, 5, 2**31 - 1]


def test_a_daemon_that_goes_between_two_questions_is_unreachable() -> None:
    def broken(*_: object) -> NoReturn:
        raise LibvirtError(38, "Cannot recv data", "Cannot recv data")

    host = LibvirtHost(TEST)
    host._links[0] = Mock(connection=lambda: Mock(uri=lambda: TEST, release=broken))
    with pytest.raises(Unreachable, match="Cannot recv data"):
        host.about()


def test_a_guest_that_goes_while_its_name_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    host = LibvirtHost(TEST)
    monkeypatch.setattr(host, "guests", lambda: [ListedGuest("web1:old", uuid="its-uuid")])
    with pytest.raises(NoGuest) as raised:
        host.open("web1")
    assert "guest 'web1:old' can be named by its UUID: its-uuid" in raised.value.hint
    host.close()


def test_a_host_that_has_gone_is_not_waited_for_without_end() -> None:
    """libvirt's close waits for the reply of a host that has lost power."""
    gone = threading.Event()
    host, hosts = LibvirtHost(TEST), Hosts(None)
    host._links.append(Link(TEST))
    for link in host._links:
        link._connection = Mock(close=lambda: gone.wait(GUARD))
    hosts._open = {None: host}
    began = time.monotonic()
    hosts.close()
    assert time.monotonic() - began < GUARD / 2
    gone.set()


def test_what_is_to_be_said_is_said_before_connections_are_closed() -> None:
    code = """
import os, sys, time
from qga_cli.transports.libvirt_calls import LibvirtConnection
def close(self):
    os.write(2, b"closing\\n")
    time.sleep(1000)
LibvirtConnection.close = close
from qga_cli.cli.main import main
main(sys.argv[1:])
"""
    words = [sys.executable, "-c", code, "-c", TEST]
    ran = subprocess.run([*words, "ping", "nosuch"], capture_output=True, text=True, timeout=GUARD)
    assert ran.returncode == 4
    first, *_, last = ran.stderr.splitlines()
    assert (first[:24], last) == ("qga: nosuch: no guest na", "closing")
    ran = subprocess.run([*words, "list", "test"], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=GUARD)  # fmt: skip
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["vm", "test", "closing"]


def test_a_daemon_of_this_host_that_is_stuck_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libvirt_link, "_PATIENCE", 0.3)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "sock"))
        mute.listen()
        host = LibvirtHost(f"qemu+unix:///system?socket={tmp_path}/sock")
        with pytest.raises(Unreachable, match=r"within 0\.3 s") as caught:
            host.guests()
        assert "stuck" in caught.value.hint
        host.close()
