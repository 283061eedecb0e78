"""The byte stream under faults: stale replies, torn lines, silence, endless data."""

import fcntl
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from qga_cli.errors import BadReply, NotAnswering, OutcomeUnknown
from qga_cli.transports.stream import StreamTransport

PING = '{"execute":"guest-ping"}'
Peer = Callable[[socket.socket], None]


@contextmanager
def peer(behave: Peer) -> Iterator[StreamTransport]:
    """A transport whose every connection is served by `behave` in a thread."""
    peers: list[threading.Thread] = []
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(EOFError, OSError):  # our side has hung up
            behave(connection)
            done.wait(10)

    def connect(timeout: float) -> socket.socket:
        ours, theirs = socket.socketpair()
        peers.append(threading.Thread(target=serve, args=(theirs,)))
        peers[-1].start()
        return ours

    transport = StreamTransport(connect, "test")
    try:
        yield transport
    finally:
        transport.close()
        done.set()
        for thread in peers:
            thread.join(10)


def read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(1)
        if not data:
            raise EOFError
        line += data
    return line


def sync(connection: socket.socket, before: bytes = b"") -> None:
    """Answer the synchronisation as qemu-ga does: a complaint about 0xFF, then 0xFF and the id."""
    line = read_line(connection)
    assert line.startswith(b"\xff"), line
    token = json.loads(line[1:])["arguments"]["id"]
    complaint = b'{"error": {"class": "GenericError", "desc": "JSON parse error, stray"}}\n'
    connection.sendall(
        before + complaint + b"\xff" + json.dumps({"return": token}).encode() + b"\n"
    )


def answer(*parts: bytes, before: bytes = b"") -> Peer:
    """Synchronise, then answer one request with `parts`, sent one by one."""

    def behave(connection: socket.socket) -> None:
        sync(connection, before)
        read_line(connection)
        for part in parts:
            connection.sendall(part)

    return behave


@pytest.mark.parametrize(
    "parts",
    [
        (b'{"return": {}}\n',),
        (b'{"ret', b'urn": {}}', b"\n"),
        (*(bytes([byte]) for byte in b'{"return": {}}\n'),),
    ],
)
def test_reply_however_it_is_cut(parts: tuple[bytes, ...]) -> None:
    with peer(answer(*parts)) as transport:
        assert transport.call(PING, 5) == '{"return": {}}'


@pytest.mark.parametrize(
    "stale",
    [
        b'{"return": {"pid": 4711}}\n',
        b'{"return": {}}\n{"error": {"desc": "old"}}\n',
        b'{"return": "cut short',
        b'\xff{"return": 1}\n',
        b"\x00\x01 not json at all\n",
    ],
)
def test_stale_replies_are_dropped(stale: bytes) -> None:
    with peer(answer(b'{"return": {}}\n', before=stale)) as transport:
        assert transport.call(PING, 5) == '{"return": {}}'


def test_silence_after_sending_is_an_unknown_outcome_and_the_late_reply_is_dropped() -> None:
    late = threading.Event()

    def behave(connection: socket.socket) -> None:
        sync(connection)
        read_line(connection)
        late.wait(5)
        connection.sendall(b'{"return": "late"}\n')
        sync(connection)
        read_line(connection)
        connection.sendall(b'{"return": "mine"}\n')

    with peer(behave) as transport:
        with pytest.raises(OutcomeUnknown, match=r"within 0\.1 s"):
            transport.call(PING, 0.1)
        late.set()
        assert transport.call(PING, 5) == '{"return": "mine"}'


def test_a_second_reply_to_one_request_is_not_taken_for_the_next() -> None:
    def behave(connection: socket.socket) -> None:
        sync(connection)
        read_line(connection)
        connection.sendall(b'{"return": 1}\n{"return": "twice"}\n')
        sync(connection)
        read_line(connection)
        connection.sendall(b'{"return": 2}\n')

    with peer(behave) as transport:
        assert transport.call(PING, 5) == '{"return": 1}'
        assert transport.call(PING, 5) == '{"return": 2}'


def test_nobody_there_is_not_delivered() -> None:
    with peer(lambda connection: None) as transport, pytest.raises(NotAnswering):
        transport.call(PING, 0.1)


def test_a_peer_that_hangs_up_at_once_is_told_in_words() -> None:
    def leave(connection: socket.socket) -> None:
        connection.recv(1)  # what is left unread makes the close a reset
        connection.close()

    with peer(leave) as transport, pytest.raises(NotAnswering) as caught:
        transport.call(PING, 1)
    assert caught.value.message == "test closed the connection: Connection reset by peer"


def test_end_of_file_in_a_reply_is_an_unknown_outcome_and_the_next_call_reconnects() -> None:
    turns = iter([b'{"ret', b'{"return": {}}\n'])

    def behave(connection: socket.socket) -> None:
        sync(connection)
        read_line(connection)
        connection.sendall(next(turns))
        connection.shutdown(socket.SHUT_RDWR)

    with peer(behave) as transport:
        with pytest.raises(OutcomeUnknown, match="closed"):
            transport.call(PING, 5)
        assert transport.call(PING, 5) == '{"return": {}}'


def test_one_byte_at_a_time_for_ever_ends_at_the_deadline() -> None:
    def behave(connection: socket.socket) -> None:
        sync(connection)
        read_line(connection)
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    with peer(behave) as transport:
        begun = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            transport.call(PING, 0.3)
        assert time.monotonic() - begun < 2


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qga_cli.wire.MAX_REPLY", 1 << 20)

    def behave(connection: socket.socket) -> None:
        sync(connection)
        read_line(connection)
        while True:
            connection.sendall(b"x" * 65536)

    with peer(behave) as transport, pytest.raises(BadReply, match="longer than 1 MiB"):
        transport.call(PING, 10)


@pytest.mark.parametrize("synced", [False, True])
def test_an_agent_that_never_stops_talking_does_not_hold_us(synced: bool) -> None:
    def behave(connection: socket.socket) -> None:
        if synced:
            sync(connection)
            read_line(connection)
        while True:
            connection.sendall(b'{"return": {}}\n' * 1000 if not synced else b" ")

    with peer(behave) as transport:
        begun = time.monotonic()
        with pytest.raises(OutcomeUnknown if synced else NotAnswering):
            transport.call(PING, 0.5)
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "reply",
    [
        b'{"return": [' + b"[]," * 400_000 + b"[]]}\n",
        b'{"return": "\xf0\x9f\x98\x80' + b"x" * 2**20 + b'"}\n',
    ],
)
def test_a_reply_that_would_swell_in_memory_is_refused(reply: bytes) -> None:
    with peer(answer(reply)) as transport, pytest.raises(BadReply, match="no file and no output"):
        transport.call(PING, 10)


def test_a_file_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qga_cli.wire.MAX_REPLY", 1000)
    reply = b'{"return": {"count": 3, "buf-b64": "' + b"QUJD" * 2**19 + b'", "eof": true}}'
    with peer(answer(reply + b"\n")) as transport:
        assert transport.call('{"execute":"guest-file-read"}', 10) == reply.decode()


def test_an_unread_file_of_an_earlier_client_is_skipped() -> None:
    stale = b'{"return": {"buf-b64": "' + b"A" * (9 * 2**20) + b'"}}\n'
    with peer(answer(b'{"return": {}}\n', before=stale)) as transport:
        assert transport.call(PING, 10) == '{"return": {}}'


def test_a_descriptor_that_select_cannot_watch() -> None:
    with peer(answer(b'{"return": {}}\n')) as transport:
        connect = transport._connect

        def high(timeout: float) -> socket.socket:
            with connect(timeout) as low:
                return socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD, 1024))

        transport._connect = high
        assert transport.call(PING, 10) == '{"return": {}}'


def test_a_reply_to_the_synchronisation_is_short_or_none() -> None:
    """70 MiB of empty lists were two gigabytes of memory, and eight seconds."""
    bomb = b'{"return":[' + b"[]," * 2_000_000 + b"[]]}"

    def behave(connection: socket.socket) -> None:
        read_line(connection)
        connection.sendall(b"\xff" + bomb + b"\n")

    with peer(behave) as transport:
        tracemalloc.start()
        try:
            with pytest.raises(NotAnswering):
                transport.call(PING, 1.0)
            assert tracemalloc.get_traced_memory()[1] < 5 * len(bomb)
        finally:
            tracemalloc.stop()


def test_a_time_limit_longer_than_poll_can_be_told() -> None:
    with peer(answer(b'{"return": {}}\n')) as transport:
        assert transport.call(PING, 30 * 86400) == '{"return": {}}'
