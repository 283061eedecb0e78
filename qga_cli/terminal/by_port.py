"""A terminal's carrier on two ports, not polled; its frames are those of by_python.py."""

from __future__ import annotations

import struct
import time

from qga_cli.agent import Agent
from qga_cli.channel.ports import PATIENT, THOROUGH, Channel, lost, obstacle
from qga_cli.channel.unopened import persist
from qga_cli.errors import Forbidden, NoChannel, NotConnected, OutcomeUnknown, QgaError
from qga_cli.exec.ways import remember
from qga_cli.inside.terminal import frames
from qga_cli.inside.terminal.frames import frame
from qga_cli.terminal import by_python
from qga_cli.terminal.by_python import PythonCarrier
from qga_cli.terminal.carrier import PARTING, TerminalRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.channel.port import InPort, OutPort

_COME = 10.0  # seconds for the guest to say the nonce; it has the port open by then
_QUIET, _QUIETEST = 2.0, 30.0  # seconds of silence before a look whether the guest is still there


class PortCarrier(PythonCarrier):
    """Frames to and from the guest, as they come."""

    def __init__(
        self, agent: Agent, channel: Channel, ports: tuple[InPort, OutPort], size: tuple[int, int]
    ) -> None:
        self._channel = channel
        self._port, self._way = ports
        self._shown = self._told = 0  # bytes
        self._quiet, self._looked = _QUIET, time.monotonic()
        super().__init__(agent, "", size)
        self.arrives = self._port.fileno()

    def _connect(self, device: str) -> None:
        try:
            self._port.greet(_COME)
        except NoChannel as error:  # the program has been started: no other way is left
            raise self._lost(error.message) from error

    def push(self) -> bool:
        """See Carrier.push. What was pulled before is on the screen by now."""
        if self._shown >= self._told + frames.SCREEN // 4:
            self._told = self._shown
            self._send(frame(frames.SHOWN, struct.pack(">Q", self._shown)))
        return super().push()

    def beat(self) -> None:
        """See Carrier.beat: the guest's end waits for SHOWN, and sees when the port is let go."""

    def close(self) -> None:
        """See Carrier.close. The guest's end says when it has let go of the ports."""
        try:
            self._way.write(frame(frames.BYE))
            until = time.monotonic() + PARTING
            while not self._port.at_rest and time.monotonic() < until:
                self._port.read(0.01)
        except QgaError as error:
            self.agent.trace(1, f"leaving the terminal to the guest: {error.message}")
        clean = self._port.at_rest
        self._channel.give_back(self._way, clean=clean)
        self._channel.give_back(self._port, clean=clean)
        if clean:
            self._channel.closed_in_guest()
        self._channel.close()

    def _receive(self) -> bytes:
        try:
            data = self._port.read(0)
        except OutcomeUnknown as error:
            raise self._lost(error.message) from error
        if data:
            self._quiet, self._looked = _QUIET, time.monotonic()
        self._shown += len(data)
        return data

    def _transmit(self, data: bytes) -> None:
        try:
            self._way.write(data)
        except OutcomeUnknown as error:
            raise self._lost(error.message) from error

    def _rest(self, now: float) -> None:
        if now < self._looked + self._quiet:
            return
        self._looked = now
        self._quiet = min(self._quiet * 2, _QUIETEST)
        try:
            there = self._channel.is_open(self._port)
        except NoChannel as error:
            raise self._lost(error.message) from error
        if not there:
            raise self._lost("the guest's end of the terminal has gone")

    def _lost(self, reason: str) -> QgaError:
        return lost(self.agent, NotConnected(f"the terminal is lost: {reason}"))


def start(agent: Agent, request: TerminalRequest, *, always: bool) -> PythonCarrier | None:
    """Start what is wished for, on ports if they can be had; None if the guest has no Python that
    can. Raises NoChannel where they must `always` be had."""
    if always:
        carrier = persist(lambda: _on_ports(agent, request, THOROUGH))
        if not carrier:
            raise NoChannel(
                "the guest has no Python that opens the ports",
                hint="install python3 there, or leave `--channel always` out",
            )
        return carrier
    if reason := obstacle(agent):
        agent.trace(1, reason)
    else:
        try:
            return _on_ports(agent, request, PATIENT)
        except NoChannel as error:
            remember(agent, error)
    request.ports = []
    return by_python.start(agent, request)


def _on_ports(agent: Agent, request: TerminalRequest, patience: float) -> PythonCarrier | None:
    """On ports; see start. Raises NoChannel when nothing was started."""
    channel = Channel.to(agent, patience)
    try:
        (port,), (way,) = channel.take(1, 1)
        request.ports = [port.name, way.name, port.nonce, port.end.strip()]
        carrier = by_python.start(
            agent, request, lambda: PortCarrier(agent, channel, (port, way), request.size)
        )
    except Forbidden as error:
        channel.close()
        raise NoChannel(error.message, hint=error.hint) from error
    except BaseException:
        channel.close()
        raise
    if not carrier:
        channel.close()
    return carrier
