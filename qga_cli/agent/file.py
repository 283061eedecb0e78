"""Small files of the guest, read whole: those of /proc and /sys, which have no size."""

from __future__ import annotations

from qga_cli import wire
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from qga_cli.agent import Reply
    from qga_cli.spec import Command

    class Caller(Protocol):
        """An Agent, or what calls one as it does."""

        def call(
            self,
            command: Command,
            arguments: Mapping[str, object] | None = None,
            timeout: float | None = None,
        ) -> Reply:
            """See Agent.call."""


_CHUNK = 64 * 1024
_LIMIT = 4 * 2**20  # bytes; a guest may send without end


def read_small(agent: Caller, path: str) -> bytes:
    """The file's content, cut at 4 MiB. Raises Refused when it cannot be read."""
    handle = agent.call(OPEN, {"path": path}).value
    content = b""
    try:
        while len(content) < _LIMIT:
            reply = agent.call(READ, {"handle": handle, "count": _CHUNK}).value
            data = wire.from_base64(reply["buf-b64"])
            content += data
            if reply["eof"] or len(data) < _CHUNK:  # the agent's fread goes on to the end
                break
    finally:
        agent.call(CLOSE, {"handle": handle})
    return content
