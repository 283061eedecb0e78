"""The ways to run a program in a guest, best first, and what makes the next one be tried.

    ProgramOnPorts      streams on ports of ours      NoChannel: the host or the guest has none
    StreamedProgram     sh carries them in files      NoShell: no sh, no /proc or no dd; Windows
    WindowsProgram, ProgramWithoutProc, ProgramWithoutShell: by what the guest lacks

No way is left once the program may have begun.
"""

from __future__ import annotations

from qga_cli.errors import NoChannel, Unsupported
from qga_cli.exec.exit_status import NoProc, NoShell
from qga_cli.exec.stdin import InputFeed
from qga_cli.exec.streamed import StreamedProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.agent import Agent
    from qga_cli.errors import QgaError
    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.on_ports import ProgramOnPorts
    from qga_cli.exec.stdin import InputSource
    from qga_cli.exec.supervisor import AnyProgram


class Ways:
    """How one program is run. `program` is the way that is taken now; see `run` for the rest."""

    def __init__(
        self,
        calls: AgentCalls,
        argv: Sequence[str],
        stdin: InputSource | None,
        channel: str,
        *,
        large: bool,
        text: bool,
    ) -> None:
        self._calls = calls
        self._argv = argv
        self._feed = InputFeed(stdin) if stdin else None
        self._channel = channel
        self._text = text
        self._wrapped = StreamedProgram(calls, argv, self._feed)
        self.mark = self._wrapped.mark
        self._tried = 0  # sets of ports
        self._ported = None if channel == "never" else self._on_ports(large=large)
        self.program: AnyProgram = self._ported or self._wrapped

    def turn(self, error: NoChannel | NoShell) -> None:
        """Take the next one. Raises `error` where there is none."""
        agent = self._calls.agent
        self._calls.patient = False  # nothing runs
        if self.program not in (self._ported, self._wrapped):
            raise error
        if isinstance(error, NoShell):
            agent.trace(1, f"output at the end only: {error.said()}")
            self.program = self._without_streams(error)
            return
        if self._channel == "always" and self._may_open_others(error):
            self._ported = self._on_ports(large=True)
            self.program = self._ported or self._wrapped
            return
        if self.program is self._wrapped or self.program.pid or self._channel == "always":
            raise error
        remember(agent, error)
        self.program = self._wrapped

    def _may_open_others(self, error: NoChannel) -> bool:
        from qga_cli.channel.unopened import TRIES, Unopened

        return isinstance(error, Unopened) and self._tried < TRIES

    def close(self) -> None:
        """The program is over, or left: nobody takes its input any more."""
        if self._feed:
            self._feed.stop()

    def left(self) -> str:
        """What to say of it when we leave at once: nobody ends it any more."""
        if self._ported:
            self._ported.disown()
        pid = f", pid {self.program.pid}" if self.program.pid else "; its pid is not known"
        return f"{self._argv[0]} may still run in {self._calls.agent.name}{pid}"

    def _on_ports(self, *, large: bool) -> ProgramOnPorts | None:
        """With its streams on ports, if this agent's host has any.

        By auto only for what is large for certain: a short program takes as long either way, and
        longer if a port must be plugged first.
        """
        from qga_cli.channel.ports import PATIENT, QUICK, THOROUGH, Channel, obstacle
        from qga_cli.exec.on_ports import ProgramOnPorts

        self._tried += 1
        agent = self._calls.agent
        inline = self._feed.small() if self._feed else b""
        if self._channel == "auto":
            if inline is not None and not large:
                return None
            if reason := obstacle(agent):
                agent.trace(1, reason)
                return None
        patience = PATIENT if large or (self._feed and self._feed.large) else QUICK
        found = Channel.to(agent, THOROUGH if self._channel == "always" else patience)
        feed = self._feed if inline is None else None
        return ProgramOnPorts(self._calls, self._argv, feed, found, self.mark, inline or b"")

    def _without_streams(self, error: NoShell) -> AnyProgram:
        """The way that is left, imported only now. Raises Unsupported for a conversation."""
        if self._feed and self._feed.converses:
            raise no_conversation(self._calls.agent, error)
        from qga_cli.agent.abilities import is_windows

        given = self._calls, self._argv, self._feed
        if is_windows(self._calls.agent):
            from qga_cli.windows.exec import WindowsProgram

            return WindowsProgram(*given, text=self._text)
        if isinstance(error, NoProc):
            from qga_cli.exec.without_proc import ProgramWithoutProc

            return ProgramWithoutProc(*given, self.mark)
        from qga_cli.exec.without_shell import ProgramWithoutShell

        return ProgramWithoutShell(*given)


def no_conversation(agent: Agent, error: QgaError) -> Unsupported:
    """What it means that a guest has no way by which input and output come and go in turn."""
    from qga_cli.agent.abilities import is_windows

    why = "it runs Windows" if is_windows(agent) else error.said()
    return Unsupported(
        f"nothing in this guest can carry connections through its agent: {why}",
        hint="`qga exec VM -- PROGRAM` runs one that gets all of its input before it starts",
    )


def remember(agent: Agent, error: NoChannel) -> None:
    """Tell why there is no channel; what the guest has against it holds until its next start."""
    from qga_cli.channel import memory
    from qga_cli.channel.unopened import NoPorts

    agent.trace(1, f"no channel: {error.said()}")
    ports = agent.transport.ports()
    if ports and isinstance(error, NoPorts):
        memory.note(ports.boot(), error.message)
