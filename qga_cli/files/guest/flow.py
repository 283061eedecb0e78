"""A script of ours in the guest whose standard input and output are ports themselves.

    host                              guest
    guest-exec sh flow.sh    ──────▶  opens the ports
    reads the one port       ◀──────  nonce
    writes the other one     ──────▶  the script reads so many bytes as it was told
    reads                    ◀──────  what it writes, then the mark of the end and its exit code
    guest-exec-status        ◀──────  what it has said of errors

The agent is not needed meanwhile, so a restart of it matters to nobody; libvirt tells whether the
guest has the port open still.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing

from qga_cli import wire
from qga_cli.agent.program import Completed
from qga_cli.channel.ports import PATIENT, THOROUGH, Channel, lost
from qga_cli.channel.unopened import persist, unopened
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import Forbidden, NoChannel, NotAnswering, OutcomeUnknown, QgaError, Refused
from qga_cli.exec.outputs import Stream
from qga_cli.exec.unsettled import is_forgotten
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from qga_cli.channel.port import InPort, OutPort
    from qga_cli.files.guest.access import Access

_SHELL, _FIRST, _CEILING = 10.0, 0.05, 0.5  # seconds for the shell at most, and between two looks
_GLANCE = 0.2  # seconds between two looks at signals and the time
_QUIET, _LAST = 2.0, 1.0  # seconds of silence before a look; for what may be under way still
_END = '\n) <&4 >&3 3>&- 4>&-\necho "$qga_end $?" >&3\n'


def flow(
    access: Access,
    text: str,
    *words: str,
    take: Callable[[bytes], object],
    pieces: Iterator[bytes] | None = None,
    always: bool = False,
) -> Completed:
    """Run a script: `take` gets what it writes, and it reads what `pieces` give.

    Of these it must know how many bytes they are: its input has no end. Raises NoChannel when
    that is not possible, and then no piece was taken; NotAnswering when it was cut off.
    """

    def begin() -> _Flow:
        one = _Flow(access, THOROUGH if always else PATIENT)
        try:
            one.start(text, words, fed=pieces is not None)
        except BaseException:
            one.close()
            raise
        return one

    with closing(persist(begin) if always else begin()) as one:
        return one.carry(take, pieces)


class _Flow:
    def __init__(self, access: Access, patience: float) -> None:
        self._access = access
        self._pid = 0
        self._clean = False
        self._status: Mapping[str, Any] | None = None
        self._writer: _Writer | None = None
        self._ports: list[InPort | OutPort] = []
        self._channel = Channel.to(access.agent, patience)

    def start(self, text: str, words: tuple[str, ...], *, fed: bool) -> None:
        """Start the script, and wait until it has the ports. Raises NoChannel."""
        try:
            (self._out,), ways = self._channel.take(1, int(fed))
        except Forbidden as error:
            raise NoChannel(error.message, hint=error.hint) from error
        self._way = ways[0] if ways else None
        self._ports = [self._out, *ways]
        lines = [self._out.name, self._out.nonce, self._out.end.strip()]
        lines.append(self._way.name if self._way else "")
        whole = f"{script('channel/port')}{script('files/flow')}(\n{text}{_END}"
        given = "".join(f"{line}\n" for line in lines).encode()
        self._pid = self._access.start(whole, *words, stdin=given)
        until, pause = time.monotonic() + _SHELL, _FIRST
        while not self._arrived(pause):
            self._access.check()
            self._see()
            if self._status is not None or time.monotonic() > until:
                raise self._absent()
            pause = min(pause * 2, _CEILING)

    def carry(self, take: Callable[[bytes], object], pieces: Iterator[bytes] | None) -> Completed:
        """Carry everything, and tell how the script has ended."""
        self._access.agent.patient = True
        stream = Stream(take, self._out.end.strip().encode())
        if self._way and pieces is not None:
            self._writer = _Writer(self._way, pieces)
        heard = time.monotonic()
        while not stream.ended:
            try:
                data = self._out.read(_GLANCE)
            except OutcomeUnknown as error:
                raise self._lost(error.message) from error
            stream.feed(data)
            self._access.check()
            if self._writer and self._writer.error:
                raise self._writer.error
            if data:
                heard = time.monotonic()
            elif time.monotonic() > heard + _QUIET:
                if not self._is_there() and not (data := self._out.read(_LAST)):
                    raise self._lost("the guest has let go of the port")
                stream.feed(data)
                heard = time.monotonic()
        return self._result(stream.last)

    def close(self) -> None:
        """Give the ports back."""
        self._access.grace()
        with self._access.agent.alone():
            for port in self._ports:
                self._channel.give_back(port, clean=self._clean)
            if self._clean:
                self._channel.closed_in_guest()
            self._channel.close()
        if self._writer:
            self._writer.join()

    def _arrived(self, seconds: float) -> bool:
        try:
            self._out.greet(seconds)
        except NoChannel:
            return False
        return True

    def _absent(self) -> NoChannel:
        """Why the shell never came to the ports; it may be of lasting use to know."""
        status = self._status or {}
        said = wire.from_base64(status.get("err-data", "")).decode("utf-8", "replace").strip()
        return unopened(said[:200])

    def _result(self, last: str) -> Completed:
        code = last.split()[0] if last.split() else ""
        if not code.isdecimal() or len(code) > 3:
            raise self._access.lie(f"a script of ours ended by {last[:40]!r}")
        self._clean = code == "0" and not (self._writer and self._writer.is_busy)
        done = Completed({"exitcode": int(code)})
        try:
            done.stderr = self._access.finish(self._pid).stderr
        except Refused as error:
            if not is_forgotten(error):  # else the agent was restarted meanwhile
                raise
        return done

    def _is_there(self) -> bool:
        try:
            with self._access.agent.alone():
                return self._channel.is_open(self._out)
        except QgaError:  # the guest, or its host, has gone
            return False

    def _see(self) -> None:
        status = self._access.agent.call(EXEC_STATUS, {"pid": self._pid}).value
        if status["exited"]:
            self._status = status

    def _lost(self, reason: str) -> QgaError:
        return lost(self._access.agent, NotAnswering(reason).of(self._access.target))


class _Writer:
    """Sends pieces in a thread of its own."""

    def __init__(self, way: OutPort, pieces: Iterator[bytes]) -> None:
        self.error: Exception | None = None
        self._way = way
        self._pieces = pieces
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether there is something left to send."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Return when it has ended, as it does once its port is unplugged. A guest that floods the
        port may hold the write all the same (see channel/port.py), and what is to be sent may
        never come: then it is left behind, and ends with us."""
        self._thread.join(_LAST)

    def _work(self) -> None:
        try:
            for piece in self._pieces:
                self._way.write(piece)
        except OutcomeUnknown:
            return  # who reads the output is told
        except Exception as error:  # raised in the other thread
            self.error = error
