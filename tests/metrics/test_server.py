"""The exporter's server: what clients that are slow, silent or many can do to it."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from qga_cli.metrics.server import Server
from tests.kit.prometheus import fetch
from tests.kit.running import eventually


class Served:
    """A server of the exporter's, with an answer that costs nothing."""

    def __init__(self) -> None:
        self.answered = 0
        self.answer = b"ok"
        self.server = Server("127.0.0.1", 0, self._answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def connect(self) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", self.server.server_port))
        return client

    def _answer(self, _: object, start: Callable[..., object]) -> list[bytes]:
        self.answered += 1
        start("200 OK", [("Content-Length", str(len(self.answer)))])
        return [self.answer]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """It has room for eight; a client has half a second for its question."""
    monkeypatch.setattr("qga_cli.metrics.server._ASKING", 0.5)
    monkeypatch.setattr("qga_cli.metrics.server._CLIENTS", 8)
    serving = Served()
    server = serving.server
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield serving
    server.shutdown()
    server.server_close()
    thread.join()


def test_head_has_no_page(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: client.recv(4096), b""))
    assert said.startswith(b"HTTP/1.0 200 ")
    assert said.endswith(b"Content-Length: 2\r\n\r\n")


def hears_the_end(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


def test_clients_that_say_nothing_fill_no_exporter_and_keep_nobody_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qga_cli.metrics.server._ASKING", 60)
    with ExitStack() as stack:
        many = [stack.enter_context(served.connect()) for _ in range(30)]
        for one in many:
            with contextlib.suppress(OSError):  # it was sent away
                one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        for one in many[:-8]:  # who came first was sent away
            assert hears_the_end(one)
        page = fetch(served.url)
        assert (page.status, page.text, page.seconds < 5) == (200, "ok", True)
        assert served.answered == 1  # half a question is none
        assert hears_the_end(many[-8])


def test_clients_that_do_not_take_their_answer_keep_nobody_out(served: Served) -> None:
    served.answer = bytes(10_000_000)
    with ExitStack() as stack:
        many = [stack.enter_context(served.connect()) for _ in range(8)]
        for one in many:
            one.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert eventually(lambda: served.answered == 8)
        served.answer = b"ok"
        page = fetch(served.url)
        assert (page.text, page.seconds < 5) == ("ok", True)


@pytest.mark.parametrize("said", [b"x" * 60_000 + b"\r\n", b"x"], ids=["too much", "too slowly"])
def test_a_client_has_so_long_and_so_much_for_its_question(served: Served, said: bytes) -> None:
    begun = time.monotonic()
    with served.connect() as one:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while not select.select([one], [], [], 0.1)[0] and time.monotonic() < begun + 20:
                one.sendall(said)
        assert hears_the_end(one)
    assert time.monotonic() < begun + 10


def test_a_client_that_goes_in_the_middle_is_not_in_the_journal(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(20):
        one = served.connect()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.sendall(b"nonsense\r\n\r\n")
        one.close()
    assert fetch(served.url).text == "ok"
    assert capfd.readouterr().err == ""
