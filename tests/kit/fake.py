"""A scripted agent on a UNIX socket, for faults that a real one cannot be made to show."""

import json
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Handler = Callable[[dict[str, object]], object]


class Raw(bytes):
    """Bytes to send as they are, instead of a reply."""


class Silence:
    """No reply at all."""


class Hangup:
    """Close the connection instead of replying."""


class AgentFault(Exception):
    """Answer with an error reply whose desc is the exception's text."""


class FakeAgent:
    """Speaks real bytes: 0xFF, sync-delimited, one JSON line per reply.

    `handler` gets each request but the synchronisation and returns the value of `return`, or a
    Raw, Silence or Hangup; it raises AgentFault for an error reply. `greeting` is sent to every
    new connection: what an earlier client left unread.
    """

    def __init__(self, path: Path, handler: Handler, greeting: bytes = b"") -> None:
        self.path = path
        self.requests: list[dict[str, object]] = []
        self.connections = 0
        self._handler = handler
        self._greeting = greeting
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(4)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def uri(self) -> str:
        """What to give to --connect."""
        return f"unix:{self.path}"

    def close(self) -> None:
        """Take no further connection."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self.connections += 1
            with connection, suppress(BrokenPipeError, ConnectionResetError):  # it has left again
                connection.sendall(self._greeting)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        buffer = b""
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            buffer += data
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                answer = self._answer(line)
                if answer is None:
                    return
                try:
                    connection.sendall(answer)
                except (BrokenPipeError, ConnectionResetError):
                    return

    def _answer(self, line: bytes) -> bytes | None:
        prefix = b""
        if line.startswith(b"\xff"):  # a real agent complains about the byte first
            prefix = b'{"error":{"class":"GenericError","desc":"JSON parse error, stray"}}\n'
            line = line[1:]
        request = json.loads(line)
        if request["execute"] == "guest-sync-delimited":
            return prefix + b"\xff" + _line({"return": request["arguments"]["id"]})
        self.requests.append(request)
        try:
            value = self._handler(request)
        except AgentFault as fault:
            return _line({"error": {"class": "GenericError", "desc": str(fault)}})
        if isinstance(value, Raw):
            return bytes(value)
        if isinstance(value, Silence):
            return b""
        return None if isinstance(value, Hangup) else _line({"return": value})


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def left_socket(path: Path) -> None:
    """The file of a socket that nobody listens on: a guest of a template whose agent is away."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fsencode(path))
