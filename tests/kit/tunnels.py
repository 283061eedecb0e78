"""A tunnel whose other end is a process of this machine, and servers to be reached through it."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

from qga_cli.network.tunnel import Tunnel, program
from tests import REPO
from tests.kit.running import GUARD

PICK = REPO / "qga_cli/inside/network/pick.sh"


class PipeLink:
    """A program of this machine in place of one in a guest."""

    def __init__(self, argv: list[str]) -> None:
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def read(self, timeout: float | None = None) -> bytes:
        return os.read(self._out, 65536)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._in, data) :]

    def fileno(self) -> int:
        return self._out

    def is_there(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(GUARD)
        self.process.stdout.close()


def picked(language: str, text: bytes) -> list[str]:
    """The words that start the guest's end, whose program comes on standard input."""
    return ["sh", "-c", PICK.read_text(), "qga", *[str(len(text))] * 2, language]


def link(language: str, text: bytes = b"") -> PipeLink:
    """The guest's end, started as in a guest; another `text` is its program."""
    text = text or program(language)
    made = PipeLink(picked(language, text))
    said = made.read()
    assert said == language.encode() + b"\n"
    made.write(text)
    return made


def turn_on(tunnel: Tunnel) -> None:
    """Carry until something ends it."""
    while True:
        tunnel.turn()


@contextlib.contextmanager
def dug(language: str) -> Iterator[tuple[Tunnel, PipeLink]]:
    made = link(language)
    tunnel = Tunnel(made)
    try:
        tunnel.greet()
        yield tunnel, made
    finally:
        tunnel.close()


@contextlib.contextmanager
def carrying(tunnel: Tunnel) -> Iterator[list[BaseException]]:
    """Somebody turns it meanwhile; what ended that."""
    over = threading.Event()
    errors: list[BaseException] = []

    def turn() -> None:
        try:
            while not over.is_set():
                tunnel.turn()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield errors
    finally:
        over.set()
        tunnel.wake()
        thread.join()


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serves each connection in a thread of its own; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def reply(connection: socket.socket) -> None:
    """Reads all there is, then says how much that was."""
    count = 0
    while data := connection.recv(65536):
        count += len(data)
    connection.sendall(b"%d bytes" % count)


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(bytes(65536))


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


def await_that(what: Callable[[], object], seconds: float = GUARD) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)
