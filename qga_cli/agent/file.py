"""A file of the guest, by the agent's file commands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from qga_cli import wire
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.flush import COMMAND as FLUSH
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ
from qga_cli.commands.file.seek import COMMAND as SEEK
from qga_cli.commands.file.write import COMMAND as WRITE
from qga_cli.errors import BadReply
from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from qga_cli.agent import Reply

    class Caller(Protocol):
        """An Agent, or what calls one as it does."""

        def call(
            self,
            command: Command,
            arguments: Mapping[str, object] | None = None,
            timeout: float | None = None,
        ) -> Reply:
            """See Agent.call."""


_CHUNK = 64 * 1024  # bytes that pass on every way
_LIMIT = 4 * 2**20  # bytes of a small file; a guest may send without end

Call = Callable[[Command, dict[str, object]], "Any"]  # one call of the agent, its value returned


class AgentFile:
    """An open file. The handle outlives connections, so it must be closed on every path.

    `call` makes the agent's calls, with whatever patience its owner has. `shown` is what messages
    call the file, `chunk` the most bytes of one write. The agent's numbers are held against what
    was asked: one that lies would have us keep 50 MB a call, or lose what it says it took.
    """

    def __init__(
        self, call: Call, path: str, mode: str = "r", *, shown: str = "", chunk: int = _CHUNK
    ) -> None:
        self.path = path
        self.position = 0  # after the last read or seek
        self._call = call
        self._mode = mode
        self._shown = shown or path
        self._chunk = chunk
        self._handle: int = self._open()

    def read(self, count: int) -> bytes:
        """At most `count` bytes from the position; b"" at the end, as it is now."""
        reply = self._on(READ, count=count)
        data = wire.from_base64(reply["buf-b64"] or "")
        if len(data) != reply["count"] or len(data) > count:
            raise self._lie(
                f"was asked for {count} bytes, says it sends {reply['count']}, "
                f"and sends {len(data)}"
            )
        self.position += len(data)
        return data

    def write(self, data: bytes) -> None:
        """All of `data`. A short write is continued, as qga/commands-posix.c allows itself one."""
        while data:
            data = data[self._write(data[: self._chunk]) :]

    def write_nothing(self) -> None:
        """Have the agent say, once, what became of an earlier write: its stdio keeps that."""
        self._write(b"")

    def _write(self, data: bytes) -> int:
        count: int = self._on(WRITE, **{"buf-b64": wire.to_base64(data)})["count"]
        if not min(1, len(data)) <= count <= len(data):
            raise self._lie(f"was given {len(data)} bytes and says it took {count}")
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position, `whence` as for lseek; where it is then."""
        position: int = self._on(SEEK, offset=offset, whence=whence)["position"]
        if position < 0 or (whence == 0 and position != offset):
            raise self._lie(f"was told to seek to {offset}, and says that it is at {position}")
        self.position = position
        return position

    def flush(self) -> None:
        """Hand what is buffered in the agent to the guest's kernel. A full disk may show here."""
        self._on(FLUSH)

    def close(self) -> None:
        """Let go of it. Raises what the agent says to that."""
        self._on(CLOSE)

    def _open(self) -> int:
        handle: int = self._call(OPEN, {"path": self.path, "mode": self._mode})
        return handle

    def _on(self, command: Command, **arguments: object) -> Any:
        """One call with the handle."""
        return self._call(command, {"handle": self._handle, **arguments})

    def _lie(self, what: str) -> BadReply:
        return BadReply(f"{self._shown}: the agent {what}")


def read_small(agent: Caller, path: str) -> bytes:
    """The content of a file without a size, of /proc or /sys, cut at 4 MiB. Raises Refused."""
    file = AgentFile(lambda command, arguments: agent.call(command, arguments).value, path)
    content = b""
    with closing(file):
        # The agent's fread goes on to the end: less than was asked for is the last piece.
        while len(content) < _LIMIT and (piece := file.read(_CHUNK)):
            content += piece
            if len(piece) < _CHUNK:
                break
    return content
