"""The host's end of a terminal whose other end is guest_terminal.py in the guest."""

import re
import struct
import time

from qga_cli import guest_terminal, wire
from qga_cli.agent import Agent
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.flush import COMMAND as FLUSH
from qga_cli.commands.file.open import COMMAND as OPEN
from qga_cli.commands.file.read import COMMAND as READ
from qga_cli.commands.file.write import COMMAND as WRITE
from qga_cli.errors import BadReply, QgaError, Refused
from qga_cli.exec import capture
from qga_cli.guest_terminal import ACK, EXIT, OUTPUT, TICK, frame, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEVICE = re.compile(r"/dev/pts/\d{1,9}")
_TROUBLE = re.compile(r"(user|directory|program) (\d{1,5})")
PYTHONS = ("python3", "/usr/libexec/platform-python")  # the second: RHEL, where it is always there

_READ = 65536  # bytes a call; the guest has a quarter of it ready at most
_PATIENCE = 50.0  # seconds for a call: longer than the guest waits for us
_TYPED = 1024  # bytes in a frame
_NUDGE = 0.1  # seconds without an ACK until what we wrote is flushed
_SILENCE = 3 * guest_terminal.TICKING  # seconds without a frame until the guest's end is probed


class Carrier:
    """Frames to and from the guest. Not for two threads at once.

    `code` is the program's exit code, None while it runs.
    """

    def __init__(self, agent: Agent, path: str, size: bytes) -> None:
        self.agent = agent
        self._size = size
        self._inbox = bytearray()
        self._outbox: list[bytes] = []
        self._sent = self._acknowledged = 0
        self._heard = self._wrote = time.monotonic()
        self.code: int | None = None
        self._reader = self._open(path, "r")
        self._writer = self._open(path, "r+")

    def type(self, data: bytes) -> None:
        """Queue what the program is to read."""
        for start in range(0, len(data), _TYPED):
            self._outbox.append(frame(guest_terminal.INPUT, data[start : start + _TYPED]))

    def resize(self, size: bytes) -> None:
        """Queue a new window size."""
        self._size = size
        self._outbox.append(frame(guest_terminal.RESIZE, size))

    def hang_up(self, _: None) -> None:
        """Have the program get SIGHUP, before it reads what is still queued."""
        self._outbox = [frame(guest_terminal.HANG_UP)]

    @property
    def queued(self) -> int:
        """How much of what was typed waits here, in frames."""
        return len(self._outbox)

    def push(self) -> bool:
        """Send as much of what is queued as the guest can take. False when that is nothing."""
        now = time.monotonic()
        room = guest_terminal.WINDOW - (self._sent - self._acknowledged) - 1
        count = 0
        while count < len(self._outbox) and len(self._outbox[count]) <= room:
            room -= len(self._outbox[count])
            count += 1
        if count:
            self._write(b"".join(self._outbox[:count]) + b"\n")
            del self._outbox[:count]
            self._wrote = now
        elif self._sent > self._acknowledged and now > self._wrote + _NUDGE:
            self._call(FLUSH, handle=self._writer)  # for a stdio that does not buffer by lines
            self._wrote = now
        elif now > max(self._heard, self._wrote) + _SILENCE:
            self.resize(self._size)  # fails if the guest's end has gone
        return count > 0

    def pull(self) -> bytes:
        """What the program has written since; empty when nothing."""
        reply = self._call(READ, handle=self._reader, count=_READ)
        self._inbox += wire.from_base64(reply["buf-b64"])
        shown = b""
        found = take(self._inbox)
        while found:
            self._heard = time.monotonic()
            kind, payload = found
            if kind == OUTPUT:
                shown += payload
            elif kind == ACK and len(payload) == 8:
                (self._acknowledged,) = struct.unpack(">Q", payload)
            elif kind == EXIT and len(payload) == 1:
                self.code = payload[0]
            elif kind != TICK:
                raise BadReply("the guest's end of the terminal sent something else")
            found = take(self._inbox)
        return shown

    def close(self) -> None:
        """Let the guest's end go, and the agent's handles."""
        bye = _written(self._writer, frame(guest_terminal.BYE) + b"\n")
        steps = ((WRITE, bye), (CLOSE, {"handle": self._writer}), (CLOSE, {"handle": self._reader}))
        for command, arguments in steps:
            try:
                self.agent.call(command, arguments, timeout=3)
            except Refused as error:  # the guest's end has gone by itself
                self.agent.trace(1, f"closing the terminal: {error.message}")
            except QgaError as error:
                self.agent.trace(1, f"leaving the terminal to the guest: {error.message}")
                return

    def _open(self, path: str, mode: str) -> int:
        return int(self.agent.call(OPEN, {"path": path, "mode": mode}).value)

    def _write(self, data: bytes) -> None:
        self._call(WRITE, **_written(self._writer, data))
        self._sent += len(data)

    def _call(self, command: "Any", **arguments: object) -> "Any":
        try:
            return self.agent.call(command, arguments, timeout=_PATIENCE).value
        except Refused as error:
            if type(error) is not Refused:
                raise
            raise Refused("the guest's end of the terminal has gone", details=error.desc) from error


def start(agent: Agent, wish: "dict[str, Any]") -> "Carrier | None":
    """Start the programs of `wish` (see guest_terminal.main) under Python; None without one."""
    with open(guest_terminal.__file__, "rb") as file:
        source = file.read() + f"\nmain({wish!r})\n".encode()
    for python in PYTHONS:
        try:
            done = capture(agent, [python, "-IS", "-", "qga"], stdin=source)
        except Refused as error:
            if "No such file" not in error.desc:
                raise
            continue
        said = done.stdout.decode("ascii", "replace")
        if _DEVICE.fullmatch(said):
            return Carrier(agent, said, wish["size"])
        if not _TROUBLE.fullmatch(said):
            agent.trace(1, f"{python}: {done.stderr.decode(errors='replace')[-200:]}")
            continue
        raise Refused(said)
    return None


def _written(handle: int, data: bytes) -> dict[str, object]:
    return {"handle": handle, "buf-b64": wire.to_base64(data)}
