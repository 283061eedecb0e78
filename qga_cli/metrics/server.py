"""The exporter's HTTP server: bounds on how many clients wait, and for how long."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
import time
from socketserver import TCPServer, ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from wsgiref.types import WSGIApplication

_CLIENTS = 64  # connections; for one more the one goes that we have waited for the longest
_ASKING = 10.0  # seconds for a client to say all that it wants
_HEAD = 16384  # bytes that it may take for that
_TAKING = 30.0  # seconds for it to take the answer
_MOMENT = 1.0  # seconds for a client that was sent away to be gone


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each of a bounded number of clients."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, port: int, application: WSGIApplication) -> None:
        if ":" in address:
            self.address_family = socket.AF_INET6
        self._room = threading.BoundedSemaphore(_CLIENTS)
        self._awaited: dict[socket.socket, None] = {}  # to ask, or to take; the first one longest
        self._lock = threading.Lock()
        super().__init__((address, port), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """As inherited, without asking DNS for our own name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer it in a thread of its own, if there is room."""
        if not self._room.acquire(blocking=False):
            self._send_one_away()
            if not self._room.acquire(timeout=_MOMENT):
                self.shutdown_request(request)
                return
        self.await_client(request)
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be started
            self.has_come(request)
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As inherited; then there is room again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_come(request)
            self._room.release()

    def await_client(self, request: socket.socket) -> None:
        """From now on it may be sent away, for one more that wants something."""
        with self._lock:
            self._awaited[request] = None

    def has_come(self, request: socket.socket) -> None:
        """From now on it is not."""
        with self._lock:
            self._awaited.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone: it could fill the journal."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _send_one_away(self) -> None:
        with self._lock:
            oldest = next(iter(self._awaited), None)
            if oldest:
                del self._awaited[oldest]
                with contextlib.suppress(OSError):  # it has gone by itself
                    oldest.shutdown(socket.SHUT_RDWR)


class _Handler(WSGIRequestHandler):
    server: Server

    def handle(self) -> None:
        """Read all of a request's head before anything is made of it; then send all at once.

        HEAD is answered as GET, without the page: the libraries below do not know it.
        """
        head = self._head()
        self.server.has_come(self.connection)
        if head:
            bare = head.startswith(b"HEAD ")
            answer = io.BytesIO()
            self.rfile, self.wfile = io.BytesIO(b"GET" + head[4:] if bare else head), answer
            super().handle()
            said = answer.getvalue()
            self.server.await_client(self.connection)
            self.connection.sendall(said[: said.find(b"\r\n\r\n") + 4] if bare else said)

    def _head(self) -> bytes:
        """What the client says, empty when it takes too long or too much for that."""
        until, said = time.monotonic() + _ASKING, b""
        while b"\n\r\n" not in said and b"\n\n" not in said:
            left = until - time.monotonic()
            if left <= 0 or len(said) > _HEAD:
                return b""
            self.connection.settimeout(left)
            try:
                piece = self.connection.recv(_HEAD)
            except OSError:  # it is silent, or has gone
                return b""
            if not piece:  # it has gone, or was sent away: half a question is none
                return b""
            said += piece
        self.connection.settimeout(_TAKING)
        return said

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: a line for each scrape would fill the journal."""
