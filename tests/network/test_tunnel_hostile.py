"""Tunnels whose other end breaks the rules: what it cannot reach, fill or end."""

import contextlib
import os
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.errors import BadReply, OutcomeUnknown
from qga_cli.inside.network import frames
from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.frames import Broken, frame
from qga_cli.inside.network.mux import Mux
from qga_cli.network.address import Address
from qga_cli.network.tunnel import Tunnel
from tests.kit.running import GUARD, eventually
from tests.kit.tunnels import turn_on

both = pytest.mark.parametrize("language", ["python3", "perl"])


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

    def is_there(self) -> bool:
        return True

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
    assert made.process.wait(GUARD) != 0
    made.close()
