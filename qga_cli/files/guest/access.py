"""What a guest's policy lets us use for files, and small scripts run there."""

from __future__ import annotations

import math
import re
import time

from qga_cli.agent import abilities
from qga_cli.agent.program import Completed, request, wait_for_end
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import (
    CONFINED,
    DENIED,
    BadReply,
    FileError,
    Interrupted,
    NoChannel,
    NotAnswering,
    OutcomeUnknown,
    QgaError,
    Refused,
    TimedOut,
    Unsupported,
)
from qga_cli.exec.run import run
from qga_cli.exec.ways import remember
from qga_cli.files.guest.patient_agent import LATE, PatientAgent
from qga_cli.format import shorten
from qga_cli.wire import is_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, BinaryIO

    from qga_cli.guests.targets import Target
    from qga_cli.interrupt import Interrupt
    from qga_cli.windows.files import WindowsFiles

_SHELL = re.compile(r"qga: (line )?\d+: ")  # how a shell names a line of a script of ours
_COUNTS = re.compile(r"\d+(\+\d+ records| bytes) ")  # what uutils' dd says before its error
_GRACE = 5.0  # seconds
_PAYS = 2**20  # bytes that are brought through ports as fast as by the agent, about
_TALK = 64 * 1024  # bytes kept of what a script writes to its standard error


class Access:
    """One guest's agent, and which of the two ways to its files are open: `files`, `exec`.

    With `channel` auto or always, what is large travels through ports of ours.
    """

    cmd: WindowsFiles | None  # Windows' own way, where programs may be run there

    def __init__(self, agent: PatientAgent, interrupt: Interrupt, channel: str = "never") -> None:
        self.agent = agent
        self.interrupt = agent.interrupt = interrupt
        able = abilities.ask(agent)
        self.windows = able.windows
        self.files = able.may(*abilities.FILES)
        self.exec = able.may(*abilities.PROGRAMS) and not self.windows
        half = able.may(EXEC.wire) and not able.may(EXEC_STATUS.wire)
        self._lacks = EXEC_STATUS if half else EXEC  # where programs may not be run
        self.cmd = None
        if self.windows:
            agent.system = "mswindows"
            if self.files and able.may(*abilities.PROGRAMS):
                from qga_cli.windows.files import WindowsFiles

                self.cmd = WindowsFiles(agent, interrupt)
        if not self.files and not self.exec:
            self._explain()
        agent.trace(1, f"{agent.name}: {self._way()}")
        self._channel = channel if self.exec else "never"

    @property
    def target(self) -> Target:
        """The guest, for errors that are its own."""
        return self.agent.target

    def lie(self, what: str) -> BadReply:
        """The error for an answer that makes no sense."""
        return BadReply(what).of(self.target)

    def close(self) -> None:
        """Let go of the guest."""
        try:
            if self.cmd:
                self.cmd.close()
        finally:
            self.agent.transport.close()

    def opens(self, path: str) -> bool:
        """Whether the file commands can be told this path: JSON carries UTF-8 only."""
        return self.files and is_text(path)

    def ported(self, count: int) -> bool:
        """Whether so many bytes travel through ports, by `stream`, and not by file commands."""
        if self._channel == "auto":
            if count < _PAYS:
                return False
            from qga_cli.channel.ports import obstacle

            if reason := obstacle(self.agent):
                self.agent.trace(1, reason)
                self._channel = "never"
        return self._channel != "never"

    def flow(
        self,
        script: str,
        *words: str,
        take: Callable[[bytes], object],
        pieces: Iterator[bytes] | None = None,
    ) -> Completed | None:
        """See files.flow; None where there is no channel, and nothing was done."""
        from qga_cli.files.guest.flow import flow

        always = self._channel == "always"
        try:
            return flow(self, script, *words, take=take, pieces=pieces, always=always)
        except NoChannel as error:
            if always:
                raise
            remember(self.agent, error)
            self._channel = "never"
            return None

    def needs_exec(self, what: str) -> None:
        """Raise Unsupported unless programs may be run."""
        if not self.exec:
            from qga_cli.agent.refusal import policy_hint

            hint = "" if self.windows else policy_hint(self.agent.ask, self._lacks)
            blocked = not self.windows or self.cmd is None
            reason = "blocked by policy" if blocked else "not done on Windows guests"
            refused = Unsupported(f"{what} needs {self._lacks.wire}, which is {reason}", hint=hint)
            raise refused.of(self.target)

    def start(self, script: str, *words: str, stdin: bytes = b"") -> int:
        """Start a constant shell script with `words` as $1, $2 …: no text is ever made code.

        Returns its pid, for `finish`. What it writes must be little.
        """
        arguments = request(_argv(script, words), capture=True, stdin=stdin)
        pid: int = self.agent.call(EXEC, arguments).value["pid"]
        return pid

    def finish(self, pid: int, seconds: float = math.inf) -> Completed:
        """Wait for a script. Raises Interrupted at the next signal, TimedOut after so many seconds;
        it ends in its own time."""
        seen = self.interrupt.count

        def sleep(seconds: float) -> None:
            if self.interrupt.sleep(seconds, seen):
                raise Interrupted(self.interrupt.signum)
            self._check_deadline()

        status = wait_for_end(lambda: self._status(pid), seconds, sleep=sleep)
        if status is None:
            raise TimedOut(f"a script of ours has not ended within {seconds:g} s (pid {pid})")
        return Completed(status)

    def _status(self, pid: int) -> Mapping[str, Any]:
        try:
            status: Mapping[str, Any] = self.agent.call(EXEC_STATUS, {"pid": pid}).value
        except OutcomeUnknown as error:
            if self.agent.begun:
                raise
            raise NotAnswering(error.said(), hint=error.advice) from error  # nothing changed
        return status

    def check(self) -> None:
        """Raise Interrupted or TimedOut if it is time to stop: called between two steps."""
        if self.interrupt.signum:
            raise Interrupted(self.interrupt.signum)
        self._check_deadline()

    def grace(self) -> None:
        """Extend the deadline by a few seconds, so that clean-up can run."""
        if self.agent.deadline is not None:
            self.agent.deadline = max(self.agent.deadline, time.monotonic() + _GRACE)

    def attempt(self, script: str, *words: str, stdin: bytes = b"", effect: str = "") -> Completed:
        """What became of a script. `effect` is what may be so from its start on."""
        pid = self.start(script, *words, stdin=stdin)
        self.agent.begun = effect or self.agent.begun
        return self.finish(pid)

    def run(self, script: str, *words: str, stdin: bytes = b"", effect: str = "") -> bytes:
        """What the script writes. Raises Refused with what it says when it fails."""
        done = self.attempt(script, *words, stdin=stdin, effect=effect)
        if done.code:
            raise self.failure(done)
        return done.stdout

    def collect(
        self, script: str, *words: str, most: int, lack: Callable[[Refused], object] | None = None
    ) -> bytes:
        """As `run`, up to `most` bytes, more than a reply carries. Raises FileError past them.

        Where a script that fails has written something, `lack` gets what it says of the rest.
        """
        said = bytearray()

        def take(data: bytes) -> None:
            said.extend(data)
            if len(said) > most:
                raise FileError(f"{words[0]}: more than {most >> 20} MiB of names").of(self.target)

        done = self.stream(script, *words, stdout=take)
        if done.code:
            error = self.failure(done)
            if not (lack and said):
                raise error
            lack(error)
        return bytes(said)

    def stream(
        self,
        script: str,
        *words: str,
        stdin: BinaryIO | None = None,
        stdout: Callable[[bytes], object],
        on_stderr: Callable[[bytes], object] | None = None,
        effect: str = "",
        large: bool = False,
    ) -> Completed:
        """Run a script whose input or output may be of any size; a `large` one takes ports.

        `on_stderr` gets at once what it writes to its standard error, which the result has too.
        """
        said = bytearray()

        def stderr(data: bytes) -> None:
            said.extend(data[: _TALK - len(said)])
            if on_stderr:
                on_stderr(data)

        self.agent.patient = True
        channel = self._channel if large and self.ported(_PAYS) else "never"
        left = None
        if self.agent.deadline is not None:
            left = max(0.001, self.agent.deadline - time.monotonic())
        try:
            done = run(self.agent, _argv(script, words), stdin=stdin, stdout=stdout, stderr=stderr,
                       interrupt=self.interrupt, timeout=left,
                       channel=channel, large=large)  # fmt: skip
        except OutcomeUnknown as error:
            cause = error.__cause__
            if isinstance(cause, QgaError):  # lost after its start, which matters to an effect only
                self.agent.begun = effect or self.agent.begun
                raise cause from None  # it is what `error` came from
            raise
        self.agent.begun = effect or self.agent.begun
        self.check()
        done.stderr = bytes(said)
        return done

    def failure(self, done: Completed) -> Refused:
        """The error for a script that failed, in the words of the program that did."""
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        spoken = (line for line in lines if line.strip() and not _COUNTS.match(line))
        said = _SHELL.sub("", next(spoken, ""))
        said = shorten(said) or f"a script of ours ended with exit code {done.code} in the guest"
        return Refused(said, hint=CONFINED if said.endswith(DENIED) else "").of(self.target)

    def _check_deadline(self) -> None:
        # The transport alone would not do: libvirt's shortest timeout is a second, for each call.
        if self.agent.deadline is not None and time.monotonic() >= self.agent.deadline:
            raise TimedOut(LATE)

    def _way(self) -> str:
        if self.cmd:
            return "files of Windows by file commands, the rest by cmd"
        if self.files and self.exec:
            return "files by file commands, the rest by guest-exec"
        return "file commands only, no guest-exec" if self.files else "guest-exec only"

    def _explain(self) -> None:
        """Have the agent itself refuse: policy, freeze and age sound alike in guest-info."""
        from qga_cli.commands.file.open import COMMAND as OPEN

        self.agent.call(OPEN, {"path": "/", "mode": "r"})
        raise Unsupported("this agent has no file commands and no guest-exec").of(self.target)


def _argv(script: str, words: tuple[str, ...]) -> list[str]:
    if not all(map(is_text, words)):
        script, words = _spelled(words) + script, ()
    return ["sh", "-c", "LC_ALL=C; export LC_ALL\n" + script, "qga", *words]


def _spelled(words: tuple[str, ...]) -> str:
    """A script's beginning that sets $1, $2 … to bytes JSON cannot carry, spelled in octal.

    The letter after each word keeps newlines at its end, which $(...) would drop.
    """
    lines = ["set --"]
    for word in words:
        octal = "".join(f"\\{byte:03o}" for byte in word.encode("utf-8", "surrogateescape"))
        lines.append(f'word=$(printf \'{octal}x\'); set -- "$@" "${{word%x}}"')
    return "\n".join(lines) + "\n"
