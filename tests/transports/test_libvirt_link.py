"""Connections to libvirt: as many as it takes, and a new one for a broken one."""

import socket
import threading
from unittest.mock import Mock

import pytest

from qga_cli.errors import NoGuest, Unreachable, Unsupported
from qga_cli.guests.hosts import Hosts
from qga_cli.transports import libvirt_link
from qga_cli.transports.libvirt import LibvirtHost
from qga_cli.wire import encode

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
