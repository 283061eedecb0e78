"""Tunnels whose other end is on this machine: what is carried, what is refused, who is trusted."""

import contextlib
import os
import random
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.errors import BadReply, OutcomeUnknown, QgaError, UsageError
from qga_cli.inside.network import frames
from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.frames import Broken, frame
from qga_cli.inside.network.mux import Mux
from qga_cli.network.address import Address, address, forward
from qga_cli.network.tunnel import Tunnel
from tests.kit.running import eventually
from tests.kit.tunnels import (
    await_that,
    carrying,
    dug,
    echo,
    flood,
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


def turn_on(tunnel: Tunnel) -> None:
    while True:
        tunnel.turn()


class Lying:
    """A link to a guest that says what it likes."""

    def __init__(self, said: bytes) -> None:
        self._out, tell = os.pipe()
        self.heard = bytearray()
        threading.Thread(target=self._say, args=(tell, said), daemon=True).start()

    @staticmethod
    def _say(tell: int, said: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens to the rest
            while said:
                said = said[os.write(tell, said) :]
        os.close(tell)

    def read(self, timeout: float | None = None) -> bytes:
        return os.read(self._out, 65536)

    def write(self, data: bytes) -> None:
        self.heard += data

    def end_input(self) -> None:
        self.heard += b"."

    def fileno(self) -> int:
        return self._out

    def close(self) -> None:
        os.close(self._out)


def lies() -> list[tuple[str, bytes, str]]:
    one = frame(frames.OPENED, 1)
    piece = frame(frames.DATA, 1, bytes(frames.LONGEST))
    return [
        ("calls", frame(frames.OPEN, 2, b"\0\0\0\1"), "nobody waits for"),
        ("calls as us", frame(frames.OPEN, 3, b"\0\0\0\1"), "not new"),
        ("asks us to listen", frame(frames.LISTEN, 2, b"22 0.0.0.0"), "unknown kind"),
        ("makes a kind up", frame(77, 1), "unknown kind"),
        ("is too long", frames.HEADER.pack(frames.DATA, 1, 2**31), "too long"),
        ("data before it is there", piece, "more than was granted"),
        ("more than granted", one + piece * 40, "more than was granted"),
        ("grants what was not sent", one + frame(frames.WINDOW, 1, b"\0\0\0\1"), "grant of more"),
        ("answers twice", one + one, "answer to no question"),
        ("never was", frame(frames.DATA, 4711, b"x"), "never was"),
        ("goes on after the end", one + frame(frames.END, 1) + piece, "more than was granted"),
    ]


@pytest.mark.parametrize(("said", "why"), [pytest.param(*lie[1:], id=lie[0]) for lie in lies()])
def test_a_guest_that_breaks_the_rules_ends_the_tunnel(said: bytes, why: str) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    tunnel = Tunnel(Lying(said))
    tunnel.connect(Address("tcp", port=80), socket=ours, reached=lambda error: None)
    with pytest.raises(BadReply, match=why):
        turn_on(tunnel)
    tunnel.close()
    theirs.close()


@pytest.mark.parametrize(
    "said",
    [b"8080 \x1b]0;mine\x07127.0.0.1", b"8080 127.0.0.1\n0.0.0.0", b"9" * 5000 + b" ::1", b"0 ::1",
     b"8080 ", b""],
)  # fmt: skip
def test_where_a_guest_listens_is_an_address_for_it_is_printed(said: bytes) -> None:
    tunnel = Tunnel(Lying(frame(frames.OPENED, 1, said)))
    with pytest.raises(BadReply, match="where it listens"):
        tunnel.ask_to_listen("127.0.0.1", 8080)
    tunnel.close()


def test_somebody_may_come_to_a_socket_in_the_guest_at_once() -> None:
    """What tells of the socket, and of who has come, may arrive in one piece."""
    said = frame(frames.OPENED, 1, b"8080 127.0.0.1") + frame(frames.OPEN, 2, b"\0\0\0\1")
    tunnel, came = Tunnel(Lying(said)), list[int | tuple[int, int]]()
    tunnel.called = lambda number, listener: came.append((number, listener))
    assert tunnel.ask_to_listen("127.0.0.1", 0, came.append) == ("127.0.0.1", 8080)
    assert came == [1, (2, 1)]
    tunnel.close()


def test_a_guest_that_calls_and_gives_up_does_not_fill_us_with_look_ups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way, go = [], threading.Event()

    def look_up(*_: object) -> list[object]:
        under_way.append(1)
        go.wait(30)
        return []

    monkeypatch.setattr("_socket.getaddrinfo", look_up)
    calls = b"".join(
        frame(frames.OPEN, 2 * at, b"\0\0\0\1") + frame(frames.RESET, 2 * at)
        for at in range(1, 1000)
    )
    tunnel = Tunnel(Lying(calls))
    tunnel.called = lambda number, listener: tunnel.dial(number, "db.example", 5432)
    tunnel._listening.add(1)
    with pytest.raises(OutcomeUnknown, match="has ended"):
        turn_on(tunnel)
    try:
        assert len(under_way) <= frames.CONNECTIONS
    finally:
        go.set()
    assert eventually(lambda: len(tunnel._resolver._found) == len(under_way))
    tunnel._resolver.take()
    assert tunnel._resolver.has_room()
    tunnel.close()


def test_two_who_come_when_there_is_room_for_one_end_no_tunnel() -> None:
    tunnel = Tunnel(Lying(b""))
    tunnel.came = lambda connection, number: b"tcp 80"
    places = [tunnel.listen("127.0.0.1", 0, number) for number in (-1, -2)]
    for at in range(frames.CONNECTIONS - 1):
        tunnel.connections[10_000 + at] = one = TunnelConnection(10_000 + at)
        one.dialing = True
    clients = [socket.create_connection(place) for place in places]
    tunnel.serve([(number, 1) for number in tunnel.listeners])
    assert len(tunnel.connections) == frames.CONNECTIONS
    for client in clients:
        client.close()
    tunnel.close()


def test_a_guest_that_calls_without_end_reaches_so_many_and_no_more() -> None:
    calls = b"".join(frame(frames.OPEN, 2 * at, b"\0\0\0\1") for at in range(1, 1000))
    tunnel = Tunnel(Lying(calls))
    dialed: list[int] = []

    def called(number: int, listener: int) -> None:
        dialed.append(number)
        one = tunnel.connections[number] = TunnelConnection(number)
        one.dialing = True

    tunnel.called = called
    tunnel._listening.add(1)
    with pytest.raises(OutcomeUnknown, match="has ended"):
        turn_on(tunnel)
    assert len(dialed) == frames.CONNECTIONS
    tunnel.close()


FRAMES = st.builds(
    frame,
    st.integers(0, 12),
    st.sampled_from([0, 1, 2, 3, 4, 5, 2**32 - 1]),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\0\0\0\1", bytes(frames.LONGEST)])),
)


@settings(deadline=None)
@given(st.lists(st.one_of(FRAMES, st.binary(max_size=30)), max_size=40))
def test_whatever_comes_it_is_bounded_and_nothing_but_the_rules_is_broken(
    said: list[bytes],
) -> None:
    class Ours(Mux):
        first = 1

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    mux = Ours()
    connection = mux.join(ours)
    try:
        for piece in said:
            mux.feed(piece)
            assert len(connection.pending) <= frames.GRANTED
            assert len(mux._inbox) <= frames.LONGEST + frames.HEADER.size
            assert len(mux.connections) <= frames.CONNECTIONS
            mux.serve([(number, 1) for number in (ours.fileno(),) if number >= 0])
    except Broken:
        pass  # what such a guest is told
    mux.drop_all()
    for number in (mux._resolver.bell, mux._resolver._ring):  # for a hundred of them
        os.close(number)
    theirs.close()


@both
def test_a_host_that_talks_nonsense_ends_the_guests_end(language: str) -> None:
    from tests.kit.tunnels import link

    made = link(language)
    with contextlib.suppress(BrokenPipeError):  # it may end before it has taken all
        made.write(os.urandom(100_000))
    assert made.process.wait(20) != 0
    made.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("80", b"tcp 80"),
        ("db:5432", b"tcp 5432 db"),
        ("[::1]:80", b"tcp 80 ::1"),
        ("unix:/run/x y.sock", b"unix /run/x y.sock"),
        ("sshd", b"sshd 22"),
        ("sshd:22", b"sshd 22"),
        ("sshd:2222", b"tcp 2222"),
    ],
)
def test_addresses(text: str, told: bytes) -> None:
    assert address(text, sshd=True).told() == told


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("8080:80", ("127.0.0.1", 8080, "localhost:80")),
        ("0:80", ("127.0.0.1", 0, "localhost:80")),
        ("8080:db:5432", ("127.0.0.1", 8080, "db:5432")),
        ("0.0.0.0:8080:80", ("0.0.0.0", 8080, "localhost:80")),
        ("[::]:8080:[::1]:80", ("::", 8080, "[::1]:80")),
        ("localhost:8080:db:80", ("localhost", 8080, "db:80")),
        ("5432:unix:/run/pg", ("127.0.0.1", 5432, "unix:/run/pg")),
    ],
)
def test_forwards(text: str, parts: tuple[str, int, str]) -> None:
    found = forward(text)
    assert (found.bind, found.port, str(found.to)) == parts


@pytest.mark.parametrize("text", ["", "x", "80:", ":80", "8080", "8080:0", "70000:80", "1:sshd",
                                  "80:unix:run", "8080:a b:80", "1:2:3:4:5"])  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        forward(text)
