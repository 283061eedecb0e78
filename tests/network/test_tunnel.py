"""Tunnels whose other end is on this machine: what is carried, what is refused, who is trusted."""

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import tty
from pathlib import Path

import pytest

from qga_cli.errors import QgaError
from qga_cli.inside.network import frames
from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.mux import Mux
from qga_cli.network.address import Address
from qga_cli.network.tunnel import Tunnel, program
from tests.kit.running import GUARD
from tests.kit.tunnels import (
    await_that,
    carrying,
    dug,
    echo,
    flood,
    link,
    picked,
    read_all,
    reply,
    server,
)

both = pytest.mark.parametrize("language", ["python3", "perl"])


def leading(tunnel: Tunnel, to: Address, told: list[str | None] | None = None) -> int:
    """A port of ours that leads there."""

    def came(connection: TunnelConnection, _: int) -> bytes:
        tunnel.expect(connection, lambda error: told.append(error) if told is not None else None)
        return to.told()

    tunnel.came = came
    return tunnel.listen("127.0.0.1", 0, -1)[1]


def is_reset(port: int) -> bool:
    """Whether who connects there meets an error."""
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as one:
            return one.recv(1) == bytes(2)
    except ConnectionResetError:
        return True


@both
def test_any_bytes_arrive_and_each_way_ends_by_itself(language: str) -> None:
    data = random.Random(19).randbytes(3_000_000)
    with dug(language) as (tunnel, _), server(echo) as echoing, server(reply) as replying:
        port = leading(tunnel, Address("tcp", port=echoing))
        other = leading(tunnel, Address("tcp", "127.0.0.1", replying))
        assert other != port
        with carrying(tunnel):
            with socket.create_connection(("127.0.0.1", other), 30) as one:
                one.sendall(data)
                one.shutdown(socket.SHUT_WR)
                assert read_all(one) == b"3000000 bytes"
            tunnel.came = lambda connection, _: Address("tcp", port=echoing).told()
            with socket.create_connection(("127.0.0.1", port), 30) as one:
                sender = threading.Thread(target=one.sendall, args=(data,))
                sender.start()
                found = b""
                while len(found) < len(data):
                    found += one.recv(65536)
                sender.join()
                assert found == data
                one.shutdown(socket.SHUT_WR)
                assert one.recv(1) == b""


@both
def test_a_refused_connection_is_told_with_the_reason(language: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    told: list[str | None] = []
    with dug(language) as (tunnel, _):
        port = leading(tunnel, Address("tcp", port=free), told)
        with carrying(tunnel):
            assert is_reset(port)
            tunnel.came = lambda connection, _: b"unix /no/such"
            assert is_reset(port)
    assert told == ["Connection refused"]


@both
def test_a_name_is_looked_up_on_the_other_side(language: str) -> None:
    told: list[str | None] = []
    with dug(language) as (tunnel, _), server(echo) as echoing:
        port = leading(tunnel, Address("tcp", "localhost", echoing), told)
        with carrying(tunnel):
            with socket.create_connection(("127.0.0.1", port), 30) as one:
                one.sendall(b"x")
                assert one.recv(1) == b"x"
            tunnel.came = lambda connection, _: b"tcp 80 no.such.invalid"
            assert is_reset(port)
    assert told == [None]


@both
def test_one_that_is_not_read_holds_no_other(language: str) -> None:
    with dug(language) as (tunnel, _), server(flood) as flooding, server(echo) as echoing:
        port = leading(tunnel, Address("tcp", port=flooding))
        with carrying(tunnel):
            stuck = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(5)]
            await_that(lambda: len(tunnel.connections) == 5)
            tunnel.came = lambda connection, _: Address("tcp", port=echoing).told()
            others = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(50)]
            for turn in range(5):
                for one in others:
                    one.sendall(bytes([turn]) * 1000)
                for one in others:
                    assert one.recv(1000, socket.MSG_WAITALL) == bytes([turn]) * 1000
            held = sum(len(one.pending) for one in tunnel.connections.values())
            assert held <= 5 * frames.GRANTED
            for one in (*stuck, *others):
                one.close()
            await_that(lambda: not tunnel.connections)


def test_many_that_have_much_to_say_wait_for_the_link_and_none_for_long() -> None:
    """Sixty downloads at a time broke the tunnel: what waits was looked at before all were read."""
    with contextlib.ExitStack() as stack:
        mux = Mux()
        for number in (mux._resolver.bell, mux._resolver._ring):
            stack.callback(os.close, number)
        for _ in range(100):
            ours, theirs = socket.socketpair()
            stack.enter_context(theirs)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            theirs.sendall(bytes(4 * frames.LONGEST))
            ours.setblocking(False)
            mux.join(ours).waiting = False
        stack.callback(mux.drop_all)
        came = dict.fromkeys(mux.connections, 0)
        turns = 0
        while sum(came.values()) < 100 * 4 * frames.LONGEST:
            mux.serve(mux.watch().poll(0))
            assert 0 < len(mux.out) <= frames.FULL + frames.HEADER.size + frames.LONGEST
            while mux.out:  # the link takes all of it
                _, number, length = frames.HEADER.unpack_from(mux.out)
                came[number] += length
                del mux.out[: frames.HEADER.size + length]
            turns += 1
            heard = [count for count in came.values() if count]
            assert len(heard) == 100 or len(heard) >= 8 * turns  # who was left out comes first
        assert turns <= 14


@both
def test_the_other_side_listens_and_reaches_the_one_address(language: str) -> None:
    with dug(language) as (tunnel, made), server(echo) as echoing:
        numbers = list[int]()
        host, port = tunnel.ask_to_listen("127.0.0.1", 0, numbers.append)
        assert host == "127.0.0.1"
        came = []

        def called(connection: int, listener: int) -> None:
            came.append(listener)
            tunnel.dial(connection, "127.0.0.1", echoing)

        tunnel.called = called
        with carrying(tunnel):
            ones = [socket.create_connection((host, port), 30) for _ in range(20)]
            for at, one in enumerate(ones):
                one.sendall(b"%d" % at)
                one.shutdown(socket.SHUT_WR)
            assert [read_all(one) for one in ones] == [b"%d" % at for at in range(20)]
            assert came == numbers * 20
            for one in ones:
                one.close()
        made.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), 5)


@both
def test_an_address_that_is_taken_is_told(language: str) -> None:
    with (
        dug(language) as (tunnel, _),
        server(echo) as taken,
        pytest.raises(QgaError, match=f"cannot listen on 127.0.0.1:{taken}: Address already"),
    ):
        tunnel.ask_to_listen("127.0.0.1", taken)


@both
def test_when_the_other_side_is_killed_that_is_told_and_nothing_stays(language: str) -> None:
    with dug(language) as (tunnel, made), server(echo) as echoing:
        port = leading(tunnel, Address("tcp", port=echoing))
        with carrying(tunnel) as errors:
            one = socket.create_connection(("127.0.0.1", port), 30)
            one.sendall(b"x")
            assert one.recv(1) == b"x"
            made.process.kill()
            await_that(lambda: errors)
        assert "has ended in the guest" in str(errors[0])
    with pytest.raises(ConnectionResetError):
        one.recv(1)
    one.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


@both
def test_a_link_that_breaks_ends_the_other_side(language: str) -> None:
    """As a port that is unplugged, each call on which fails: Perl tried again without end."""
    theirs, ours = os.openpty()  # where the other side of it has gone, reading fails
    tty.setraw(ours)
    given = program(language)
    words = picked(language, given)
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, close_fds=True
    ) as process:
        os.close(theirs)
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(ours, 100)
        while given:
            given = given[os.write(ours, given[:1000]) :]
        assert len(os.read(ours, 100)) == frames.HEADER.size  # it is there
        os.close(ours)
        try:
            process.wait(GUARD)
        finally:
            process.kill()


def test_who_may_have_to_wait_is_not_written_to() -> None:
    """Our standard output, where it is another user's pipe: a signal was not heard meanwhile."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, bytes(4096)):
            continue
    os.set_blocking(writer, True)
    connection = TunnelConnection(1)
    connection.writer, connection.most = writer, 4096
    connection.pending += bytes(10_000)
    writing = threading.Thread(target=connection.write_pending, daemon=True)
    writing.start()
    writing.join(GUARD)
    assert not writing.is_alive()
    assert len(connection.pending) == 10_000
    os.read(reader, 2**20)
    connection.write_pending()
    assert not connection.pending
    os.close(reader)
    os.close(writer)


def test_a_look_up_that_takes_long_holds_no_other_connection() -> None:
    """Perl forks for it, and the fork had all sockets: who was reset did not hear of it."""
    asks = b"my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });"
    assert program("perl").count(asks) == 1
    made = link("perl", program("perl").replace(asks, b"sleep 3600; " + asks))
    tunnel, over = Tunnel(made), threading.Event()

    def until_reset(connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionResetError):
            echo(connection)
        over.set()

    def children() -> list[int]:
        path = f"/proc/{made.process.pid}/task/{made.process.pid}/children"
        return [int(pid) for pid in Path(path).read_text().split()]

    with contextlib.closing(tunnel), server(until_reset) as first:
        tunnel.greet()
        port = leading(tunnel, Address("tcp", port=first))
        with carrying(tunnel), socket.create_connection(("127.0.0.1", port), 30) as one:
            one.sendall(b"x")
            assert one.recv(1) == b"x"
            tunnel.came = lambda connection, _: Address("tcp", "slow.example", 80).told()
            with socket.create_connection(("127.0.0.1", port), 30):
                await_that(children)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
                heard = over.wait(10)
                for pid in children():
                    os.kill(pid, signal.SIGKILL)
    assert heard
