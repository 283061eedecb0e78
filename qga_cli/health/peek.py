"""Small files of the guest, read whole: those of /proc and /sys, which have no size."""

from __future__ import annotations

from qga_cli import wire
from qga_cli.agent import Agent
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ
from qga_cli.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.freeze.line import Line

_CHUNK = 64 * 1024
_LIMIT = 4 * 2**20  # bytes; a guest may send without end


def exists(agent: Agent, path: str) -> None:
    """Raise Refused, with the guest's reason, unless the file can be opened for reading."""
    try:
        agent.call(CLOSE, {"handle": agent.call(OPEN, {"path": path}).value})
    except Refused:
        from qga_cli.interrupt import Interrupt
        from qga_cli.windows.files import Files
        from qga_cli.windows.paths import is_full
        from qga_cli.windows.system import is_windows

        # There a folder cannot be opened, nor a file that a service has open.
        if not (is_full(path) and is_windows(agent)):
            raise
        with Files(agent, Interrupt()) as files:
            if not files.exists(path):
                raise


def read(agent: Agent | Line, path: str) -> bytes:
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
