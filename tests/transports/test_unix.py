"""UNIX sockets of the host that others wait at too."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from qga_cli.errors import Busy
from qga_cli.transports import unix
from tests.kit.running import GUARD


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A socket whose queue is full, as of a QEMU that has a client and is slow."""
    path = str(tmp_path / "agent.sock")
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen(1)
        while True:
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            if client.connect_ex(path) == errno.EAGAIN:
                break
        yield path, listener


def test_a_socket_whose_queue_is_full_is_busy(crowded: tuple[str, socket.socket]) -> None:
    """It was called dead, at once: "nobody listens there now"."""
    with pytest.raises(Busy, match=r"no turn at .* within 0\.1 s: other callers wait"):
        unix.connect(crowded[0], 0.1)


def test_who_comes_to_a_full_queue_waits_for_its_turn(
    crowded: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, listener = crowded
    connect, refused = socket.socket.connect, list[str]()

    def tried(self: socket.socket, address: str) -> None:
        try:
            connect(self, address)
        except BlockingIOError:
            refused.append(address)
            listener.accept()[0].close()  # the one that was served has gone
            raise

    monkeypatch.setattr(socket.socket, "connect", tried)
    unix.connect(path, GUARD).close()
    assert refused == [path]
