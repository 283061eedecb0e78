"""One guest's agent: calls, checked replies, refusals explained."""

from __future__ import annotations

import time

from qga_cli import wire
from qga_cli.errors import (
    BadReply,
    Frozen,
    NotAnswering,
    OutcomeUnknown,
    QgaError,
    Refused,
    Unsupported,
)
from qga_cli.shape import check
from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from qga_cli.errors import GuestName
    from qga_cli.transports import Transport

    Trace = Callable[[int, str], None]  # verbosity it belongs to, text

    class Waits(Protocol):
        """Who shows that an agent is waited for."""

        def begin(self, agent: str) -> None: ...
        def end(self) -> None: ...


# Success sends no reply line to these (shutdown, suspend): how long an error may take to come.
# Not 5 s, libvirt's patience for guest-sync: the two must be told apart by their length.
_SILENCE = 3.0
_EXPLAINING = 5.0  # seconds for each question that explains a refusal
_LOOK = 0.1  # seconds between two looks at the guest's state
UNKNOWN = "not told"  # of the system that it runs on
_RECORDS = 20  # of programs with one pid that an agent may have; a lying one has no end of them


class Reply:
    """What one call brought: the line as it came, and the checked value of its `return`.

    `code` is the exit code for an answer that is bad news (`fs status '*'`: frozen); it came after
    so many `seconds`.
    """

    __slots__ = ("code", "seconds", "text", "value")

    def __init__(self, text: str, value: Any, code: int = 0, seconds: float = 0.0) -> None:
        self.text = text
        self.value = value
        self.code = code
        self.seconds = seconds


class Agent:
    """The agent of the guest `name`, called through one transport. Not for two threads at once.

    `deadline` (time.monotonic) bounds every call, whatever its own patience.
    """

    def __init__(
        self,
        transport: Transport,
        name: str,
        trace: Trace | None = None,
        waits: Waits | None = None,
    ) -> None:
        self.transport = transport
        self.name = name
        self.target: GuestName | None = None  # whose its errors are, where a verb has two guests
        self.deadline: float | None = None
        self.sent = False  # whether the running or last call may have reached the guest
        self._quiet = 0.0  # time.monotonic() until which a command without reply may have effect
        self.system = ""  # its id as guest-get-osinfo has it, once somebody has asked
        self._shell = "sh"
        self._new: set[object] = set()  # pids of programs whose state nobody has asked for yet
        self._trace = trace
        self._waits = waits

    def call(
        self,
        command: Command,
        arguments: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Run one wire command. `timeout` in seconds; the command's own patience by default.

        Raises the errors of errors.py; a refusal is explained with the agent's version, policy
        and freeze state, which costs further calls on that path only.
        """
        asked = arguments or {}
        if command.wire == "guest-exec" and asked["path"] == "sh":
            asked = {**asked, "path": self._shell}
        text = wire.encode(command.wire, asked)
        try:
            reply = self._explained(command, text, timeout)
        except Refused as error:
            if asked.get("path") != "sh" or not self._has_shell_elsewhere(error):
                raise
            asked = {**asked, "path": self._shell}
            reply = self._explained(command, wire.encode(command.wire, asked), timeout)
        if command.wire == "guest-exec":
            self.started(reply.value["pid"])
        elif command.wire == "guest-exec-status" and arguments and arguments["pid"] in self._new:
            self._new.discard(arguments["pid"])
            reply = self._last_record(command, text, timeout, reply)
        return reply

    def _has_shell_elsewhere(self, error: Refused) -> bool:
        """Whether a shell that the agent's PATH does not have may be /bin/sh, as on NixOS.

        Not on Windows, where any user may make a C:\\bin\\sh.exe for us to run.
        """
        if isinstance(error, Frozen | Unsupported):
            return False
        if not self.system:
            told = self.ask("guest-get-osinfo")
            self.system = str(told.get("id") or "") if isinstance(told, dict) else ""
        if self.system in ("", "mswindows", UNKNOWN):
            return False
        self._shell = "/bin/sh"
        return True

    def started(self, pid: int) -> None:
        """The agent has given a program this pid: what it says of an earlier one is not meant."""
        self._new.add(pid)

    def _last_record(
        self, command: Command, text: str, timeout: float | None, reply: Reply
    ) -> Reply:
        """The state of the program that was started last with this pid.

        What nobody asks for, as of a program whose qga was killed, the agent keeps as long as it
        lives, and of several records with one pid it tells the oldest (guest_exec_info_find,
        qga/commands.c): another program's end and output. Telling an end takes the record away, so
        ours is the last. One that runs at the first look needs no second: its pid was free.
        """
        for _ in range(_RECORDS):
            if not reply.value["exited"]:
                break
            try:
                reply = self._ask(command, text, timeout)
            except (wire.AgentError, QgaError):  # there is no other, or nobody can tell
                break
        return reply

    def _explained(self, command: Command, text: str, timeout: float | None) -> Reply:
        try:
            return self._ask(command, text, timeout)
        except wire.AgentError as error:
            from qga_cli.agent import refusal  # only now: the good path starts a millisecond sooner

            if not refusal.is_over(self.ask, command, error.desc):
                raise refusal.explain(self.ask, command, error.desc) from error
        try:
            return self._ask(command, text, timeout)
        except wire.AgentError as error:
            raise refusal.explain(self.ask, command, error.desc) from error

    def _ask(self, command: Command, text: str, timeout: float | None) -> Reply:
        """One request, its reply checked. Raises AgentError for a refusal."""
        started = time.monotonic()
        try:
            patience = command.patience if timeout is None else timeout
            line = self._exchange(text, patience, silent=command.result is None)
            value = wire.decode(line)
            check(value, {} if command.result is None else command.result)
        except OutcomeUnknown as error:
            if command.result is None:
                return Reply("", None)  # silence is how these succeed
            if not command.changes:
                raise NotAnswering(error.message, hint=error.hint) from error
            raise
        except BadReply:
            self.transport.resync()
            raise
        return Reply(line, value, seconds=time.monotonic() - started)

    def exchange(self, text: str, timeout: float, *, silent: bool = False) -> str:
        """Send one request line as it is and return the reply line as it came.

        Raises as Transport.call. `silent`: no reply means success, and is returned as "".
        """
        try:
            return self._exchange(text, timeout, silent=silent)
        except OutcomeUnknown:
            if silent:
                return ""
            raise

    def ask(self, name: str) -> object:
        """The result of a question asked only to explain; None when it has no answer either."""
        try:
            return wire.decode(self.exchange(wire.encode(name, {}), _EXPLAINING))
        except QgaError as error:
            self.trace(1, f"{name}, asked to explain the refusal, failed too: {error.message}")
            return None

    def delivered(self, name: str) -> str:
        """What is known after a command whose success sends no reply.

        An agent that goes down closes its channel a moment before the guest's state changes, so
        what is left of the time for such a command is spent waiting for that.
        """
        while (state := self.transport.state()) == "running" and time.monotonic() < self._quiet:
            time.sleep(_LOOK)
        now = f"the guest is {'still running' if state == 'running' else state}"
        completed = now if state else "that the guest completes it is not known"
        return f"{self.name}: {name} was delivered; {completed}"

    def trace(self, level: int, text: str) -> None:
        """Print a step for users who asked for this much with -v."""
        if self._trace:
            self._trace(level, text)

    def _exchange(self, text: str, timeout: float, *, silent: bool) -> str:
        if silent:
            timeout = min(timeout, _SILENCE)
        started = time.monotonic()
        if self.deadline is not None:
            timeout = max(0.001, min(timeout, self.deadline - started))
        self._quiet = started + timeout
        self.sent = True
        self.trace(3, f"> {wire.traced(text)}")
        outcome = "failed"
        if self._waits:
            self._waits.begin(self.name)
        try:
            line = self.transport.call(text, timeout)
            outcome = "ok"
            self.trace(3, f"< {wire.traced(line)}")
            return line
        except QgaError as error:
            self.sent = isinstance(error, OutcomeUnknown)
            outcome = error.kind
            raise
        finally:
            if self._waits:
                self._waits.end()
            if self._trace:
                elapsed = (time.monotonic() - started) * 1000
                self._trace(2, f"{wire.name_of(text)}: {outcome}, {elapsed:.1f} ms")
