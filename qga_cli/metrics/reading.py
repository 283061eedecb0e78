"""One guest, asked in a few short calls of which none changes it."""

from __future__ import annotations

import threading
import time

from qga_cli.agent import Agent
from qga_cli.commands.cpu.load import COMMAND as LOAD
from qga_cli.commands.cpu.stats import COMMAND as CPU_STATS
from qga_cli.commands.disk.stats import COMMAND as DISK_STATS
from qga_cli.commands.fs.list import COMMAND as FILESYSTEMS
from qga_cli.commands.fs.status import COMMAND as FREEZE_STATUS
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.info import enabled_commands
from qga_cli.commands.net.interfaces import COMMAND as INTERFACES
from qga_cli.commands.os.info import COMMAND as OS_INFO
from qga_cli.commands.ping import COMMAND as PING
from qga_cli.commands.time.get import COMMAND as TIME
from qga_cli.commands.user.list import COMMAND as USERS
from qga_cli.errors import BadReply, Forbidden, NotAnswering, QgaError, Refused, TimedOut
from qga_cli.freeze.record import Record
from qga_cli.health.inventory import agent_state
from qga_cli.metrics.once import Once
from qga_cli.transports import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.guests.hosts import Hosts
    from qga_cli.guests.targets import Target
    from qga_cli.spec import Command

_SHARE = 0.9  # of the time, for the answers: what has come by then is told in time
_SELDOM = 300.0  # seconds after which it is asked again which agent and system this is
_NEVER = float("-inf")
_FIRST_REST, _LONGEST_REST = 5.0, 60.0  # seconds in which an agent that was silent is left alone
_QUESTIONS = (FILESYSTEMS, LOAD, CPU_STATS, DISK_STATS, INTERFACES, USERS)


class Reading:
    """What is known of one guest. `told` has results by wire name; what was not told is missing.

    state     the guest's run state as its host tells it; "" where nobody can tell
    agent     in the words of `qga list`: answering, frozen, not answering ...; "" for a guest that
              does not run
    frozen    None where the agent cannot tell
    ping      seconds there and back
    offset    seconds that the guest's clock is ahead of ours
    at, took  when it was begun (time.time), and how long it took, in seconds
    taken     when it was ended (time.monotonic)
    errors    how many calls have failed so far, by kind
    """

    __slots__ = ("agent", "at", "errors", "frozen", "offset", "ping", "state", "taken",
                 "told", "took", "vm")  # fmt: skip

    def __init__(self, target: Target) -> None:
        self.vm = target.label
        self.state = target.state
        self.agent = ""
        self.frozen: bool | None = None
        self.ping: float | None = None
        self.offset: float | None = None
        self.told: dict[str, Any] = {}
        self.errors: dict[str, int] = {}
        self.at = time.time()
        self.took = 0.0
        self.taken = time.monotonic()

    @property
    def up(self) -> bool:
        """Whether the agent has answered."""
        return self.agent in ("answering", "frozen")


class GuestReader:
    """Reads one guest again and again, one reading at a time.

    What seldom changes is kept. An agent that was silent is left alone for a while: each call that
    it does not answer holds one of libvirtd's few workers for five seconds.
    """

    def __init__(self, hosts: Hosts, target: Target, patience: float) -> None:
        self._hosts = hosts
        self._target = target
        self._patience = patience
        self._once = Once()
        self._lock = threading.Lock()
        self._last: Reading | None = None
        self._rest = 0.0  # until then (time.monotonic) it is left alone
        self._silences = 0  # one after another
        self._given_up = 0  # how often an answer was not waited for any longer
        self._known: dict[str, Any] = {}  # of what is seldom asked
        self._able: set[str] = set()  # commands that the agent takes
        self._asked = _NEVER  # when that was asked (time.monotonic, which begins with the host)
        self._errors: dict[str, int] = {}

    @property
    def idle(self) -> float:
        """Seconds since somebody last asked."""
        return time.monotonic() - self._last.taken if self._last else 0.0

    def recent(self, target: Target, keep: float) -> Reading | None:
        """The last reading, if it is not `keep` seconds old yet or the agent is left alone."""
        with self._lock:
            last, now = self._last, time.monotonic()
            if target.state != self._target.state or last is None:
                self._target, self._rest, self._silences = target, 0.0, 0
                return None  # it was started or stopped
            return last if now < max(self._rest, last.taken + keep) else None

    def read(self, seconds: float) -> Reading:
        """A new reading, of what comes in that time. Raises NotAnswering when that of somebody
        else takes too long."""
        reading: Reading = self._once.do(lambda: self._read(seconds), self._patience)
        return reading

    def failed(self, target: Target, error: QgaError, seconds: float) -> Reading:
        """The reading of a guest that has not answered within so many seconds."""
        reading = Reading(target)
        reading.took = seconds
        with self._lock:
            self._given_up += 1
            self._note(reading, error)
            self._last = reading
        return reading

    def _read(self, seconds: float) -> Reading:
        target, given_up = self._target, self._given_up
        reading = Reading(target)
        begun = time.monotonic()
        error: QgaError | None = None
        if target.state in RUNNING:
            try:
                self._ask(target, reading, begun + seconds * _SHARE)
            except NotAnswering as failure:
                if reading.up:  # slow, that is: what has come counts
                    self._count(failure)
                else:
                    error = failure
            except QgaError as failure:
                error = failure
        reading.taken = time.monotonic()
        reading.took = reading.taken - begun
        with self._lock:
            if given_up == self._given_up:  # else it comes too late, and has been told as silent
                self._note(reading, error)
                self._last = reading
        return reading

    def _note(self, reading: Reading, error: QgaError | None) -> None:
        if error:
            reading.agent = agent_state(error) or ""
            self._count(error)
        if isinstance(error, (NotAnswering, TimedOut)):
            rest = min(_LONGEST_REST, _FIRST_REST * 2**self._silences)
            self._rest = time.monotonic() + rest
            self._silences = min(self._silences + 1, 10)
            self._asked = _NEVER  # it may come back as another
        else:
            self._silences = 0
        reading.errors = dict(self._errors)

    def _count(self, error: QgaError) -> None:
        self._errors[error.kind] = self._errors.get(error.kind, 0) + 1

    def _ask(self, target: Target, reading: Reading, deadline: float) -> None:
        agent = Agent(self._hosts.transport(target), target.label)
        agent.deadline = deadline
        try:
            if not self._is_held(agent, reading):
                self._ask_agent(agent, reading)
        finally:
            agent.transport.close()

    def _is_held(self, agent: Agent, reading: Reading) -> bool:
        """Whether a qga of this host holds the guest frozen, or is about to: then its agent is for
        that one alone, and what is known is in the note of the freeze."""
        record = Record(agent.transport.identity())
        if not record.guarded():
            return False
        reading.frozen = bool(record.read().get("frozen"))
        reading.agent = "frozen" if reading.frozen else "busy"
        reading.told |= self._known
        return True

    def _ask_agent(self, agent: Agent, reading: Reading) -> None:
        if not self._able or time.monotonic() > self._asked + _SELDOM:
            self._introduce(agent)
        status = self._maybe(agent, FREEZE_STATUS)
        reading.agent = "answering"
        reading.told |= self._known
        if status is not None:
            reading.frozen = status == "frozen"
        if reading.frozen:  # whoever has frozen it will want its agent again at once
            reading.agent = "frozen"
            self._asked = _NEVER  # a frozen agent may say that it has no commands
            return
        begun = time.monotonic()
        if self._maybe(agent, PING) is not None:
            reading.ping = time.monotonic() - begun
        for command in (*((OS_INFO,) if OS_INFO.wire not in self._known else ()), *_QUESTIONS):
            value = self._maybe(agent, command)
            if value is not None:
                reading.told[command.wire] = value
        if OS_INFO.wire in reading.told:
            self._known[OS_INFO.wire] = reading.told[OS_INFO.wire]
        before = time.time()
        clock = self._maybe(agent, TIME)
        if clock is not None:
            reading.offset = clock / 1e9 - (before + time.time()) / 2

    def _introduce(self, agent: Agent) -> None:
        """Ask which agent this is, and which commands it takes."""
        self._known = {}
        self._able = {INFO.wire, PING.wire, FREEZE_STATUS.wire}
        info = self._maybe(agent, INFO)
        if info is not None:
            self._known[INFO.wire] = info
            self._able = enabled_commands(info)
        self._asked = time.monotonic()

    def _maybe(self, agent: Agent, command: Command) -> Any:
        """The result of a call; None if it is refused: it is not tried again for a while."""
        if command.wire not in self._able:
            return None
        if agent.deadline is not None and time.monotonic() > agent.deadline:
            raise NotAnswering("the agent is slow: not everything was told in time")
        try:
            return agent.call(command).value
        except Forbidden:
            self._able.discard(command.wire)  # by this host's policy: no fault of the guest's
        except (Refused, BadReply) as error:
            self._able.discard(command.wire)
            self._count(error)
        return None
