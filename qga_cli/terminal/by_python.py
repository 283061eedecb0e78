"""A terminal's carrier whose other end is `inside`, under the guest's Python."""

from __future__ import annotations

import os
import re
import struct
import time

from qga_cli.agent import Agent
from qga_cli.agent.program import capture
from qga_cli.agent.scope import mover, scope_name
from qga_cli.channel.unopened import Unopened
from qga_cli.errors import BadReply, QgaError, Refused
from qga_cli.inside import modules
from qga_cli.inside.terminal import frames
from qga_cli.inside.terminal.frames import frame, take
from qga_cli.terminal.carrier import DEVICE, READ, Carrier, TerminalRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Ways = Callable[[], "PythonCarrier"]

_PYTHONS = ("python3", "/usr/libexec/platform-python")  # the second: RHEL, where it always is
_TROUBLE = re.compile(r"\d{1,4}")

_TYPED = 1024  # bytes in a frame
_FULL = 65536  # bytes; what is typed by hand fills none of it, so `~.` is always seen
_NUDGE = 0.1  # seconds without an ACK until what we wrote is flushed
_SILENCE = 3 * frames.TICKING  # seconds without a frame until the guest's end is probed


class PythonCarrier(Carrier):
    """Frames to and from the guest."""

    def __init__(self, agent: Agent, device: str, size: tuple[int, int]) -> None:
        super().__init__(agent)
        self._size = size
        self._inbox = bytearray()
        self._outbox: list[bytes] = []
        self._sent = self._done = 0  # bytes
        self._heard = self._wrote = time.monotonic()
        self._connect(device)

    def type(self, keys: bytes) -> None:
        for start in range(0, len(keys), _TYPED):
            self._outbox.append(frame(frames.INPUT, keys[start : start + _TYPED]))

    def resize(self, size: tuple[int, int]) -> None:
        self._size = size
        self._outbox.append(frame(frames.RESIZE, struct.pack(">HH", *size)))

    def hang_up(self) -> None:
        """See Carrier.hang_up. Sent at once: what is under way may fill the window for ever."""
        self._outbox.clear()
        self._send(frame(frames.HANG_UP))

    def full(self) -> bool:
        return sum(map(len, self._outbox)) > _FULL

    def push(self) -> bool:
        now = time.monotonic()
        room = self._room()
        count = 0
        while count < len(self._outbox) and len(self._outbox[count]) < room:
            room -= len(self._outbox[count])
            count += 1
        if count:
            self._send(b"".join(self._outbox[:count]))
            del self._outbox[:count]
        else:
            self._rest(now)
        return count > 0

    def ready(self) -> bool:
        """See Carrier.ready. An acknowledgement makes room, and shows nothing."""
        return bool(self._outbox) and len(self._outbox[0]) < self._room()

    def beat(self) -> None:
        """See Carrier.beat. The guest's end hangs up after 40 s in which we send and take nothing;
        any frame will do, as long as there is room for it."""
        probe = frame(frames.RESIZE, struct.pack(">HH", *self._size))
        if self._room() > len(probe):
            self._send(probe)

    def _room(self) -> int:
        return frames.WINDOW - (self._sent - self._done)

    def pull(self) -> bytes:
        self._inbox += self._receive()
        shown = b""
        found = take(self._inbox)
        while found:
            self._heard = time.monotonic()
            kind, payload = found
            if kind == frames.OUTPUT:
                shown += payload
            elif kind == frames.ACK and len(payload) == 8:
                self._done = min(self._sent, *struct.unpack(">Q", payload))
            elif kind == frames.EXIT and len(payload) == 1:
                self.code = payload[0]
            elif kind != frames.TICK:
                raise BadReply("the guest's end of the terminal talks nonsense")
            found = take(self._inbox)
        return shown

    def _send(self, data: bytes) -> None:
        self._transmit(data + b"\n")
        self._sent += len(data) + 1
        self._wrote = time.monotonic()

    def _connect(self, device: str) -> None:
        try:
            self._reader = self._open(device, "r")
            self._writer = self._open(device, "r+")
        except QgaError:
            self._release()
            raise

    def _receive(self) -> bytes:
        return self._reader.read(READ)

    def _transmit(self, data: bytes) -> None:
        self._writer.write(data)

    def _rest(self, now: float) -> None:
        """What is to be done when there is nothing to send."""
        if self._sent > self._done and now > self._wrote + _NUDGE:
            self._writer.flush()  # for a stdio that does not buffer terminals by lines
            self._wrote = now
        elif now > max(self._heard, self._wrote) + _SILENCE:
            self.resize(self._size)  # fails if the guest's end has gone

    def _bid_farewell(self) -> None:
        self._writer.write(frame(frames.BYE) + b"\n")


def start(
    agent: Agent, request: TerminalRequest, on_ports: Ways | None = None
) -> PythonCarrier | None:
    """Start what is wished for; None if the guest has no Python that can.

    Given ports, `on_ports` makes the carrier once the guest has opened them. Raises Unopened if it
    cannot.
    """
    source = program(request)
    for python in _PYTHONS:
        try:
            done = capture(agent, [python, "-IS", "-", "qga"], stdin=source)
        except Refused as error:
            if "No such file" not in error.desc:
                raise
            continue
        said = done.stdout.decode("ascii", "replace")
        if _TROUBLE.fullmatch(said):
            name = os.fsdecode(request.program[0])
            raise Refused(f"the guest cannot run {name}: {os.strerror(int(said))}")
        if said == frames.ON_PORTS and on_ports:
            agent.trace(1, f"a terminal by the guest's {python}, on ports")
            return on_ports()
        if said == frames.NO_PORTS:
            raise Unopened("the guest's Python cannot open the ports")
        if DEVICE.fullmatch(said):
            agent.trace(1, f"a terminal by the guest's {python}, on {said}")
            return PythonCarrier(agent, said, request.size)
        agent.trace(
            1, f"the guest's {python} cannot: {done.stderr.decode(errors='replace')[-200:]}"
        )
    return None


def program(request: TerminalRequest) -> bytes:
    """The modules of `inside` as one text, without their imports of each other, and its start."""
    text = modules("terminal", "frames", "relay", "begin")
    wanted = {name: getattr(request, name) for name in TerminalRequest.__slots__}
    wanted["mover"] = mover(scope_name())
    return f"{text}\nbegin({wanted!r})\n".encode()
