"""A program in a guest without POSIX shell (Talos): started by the agent itself.

The agent hands its output out in one reply, at its end, and nothing in such a guest bounds it: past
3 MB it does not pass through libvirt. A Windows guest gets here only if its agent does not tell
that it is one, as before 2.10.
"""

from __future__ import annotations

import time

from qga_cli.agent.program import captured
from qga_cli.errors import QgaError, Refused, Unsupported
from qga_cli.exec import exit_status, wrapper
from qga_cli.wire import is_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.context import Context
    from qga_cli.exec.sinks import Sinks
    from qga_cli.exec.stdin import InputFeed

_CEILING = 0.25  # seconds between two looks
# What glib says of a program that it cannot start, and what a wrapper would.
_CAUSES = {
    "(No such file or directory)": wrapper.NOT_FOUND,
    "(Permission denied)": wrapper.NOT_EXECUTABLE,
}
_QUOTES = "'\"\u2018\u2019\u201c\u201d"  # as ASCII and UTF-8 locales have them
FILE = "have it write a file, and `qga cat VM:FILE`"


class ProgramWithoutShell:
    """As StreamedProgram, but told at its end."""

    def __init__(self, calls: AgentCalls, argv: Sequence[str], feed: InputFeed | None) -> None:
        self.calls = calls
        self.pid = 0
        self.ended = False
        self._argv = argv
        self._feed = feed
        self._status: Mapping[str, Any] = {}

    def start(self, context: Context, sinks: Sinks) -> None:
        """Start it. Raises Refused; Unsupported for what only a shell can do."""
        if not context.is_plain or not all(map(is_text, self._argv)):
            raise Unsupported(
                "this guest has no POSIX shell: no variables, directory, user or bytes beyond UTF-8"
            )
        self._sinks = sinks
        try:
            self._launch(self._argv, self._input())
        except Refused as error:
            for said, code in _CAUSES.items():
                # Agents before 9.1 put all of it in quotes (QERR_QGA_COMMAND_FAILED); glib quotes
                # the program with those of the agent's locale.
                if error.desc.rstrip(_QUOTES).endswith(said):
                    raise exit_status.failure(self._argv[0], code, b"") from error
            raise

    def _input(self) -> bytes:
        return self._feed.whole(self.calls.agent, self.calls.interrupt) if self._feed else b""

    def _launch(self, argv: Sequence[str], stdin: bytes, env: list[str] | None = None) -> None:
        self.pid = self.calls.start(argv, capture=True, stdin=stdin, env=env, program=self._argv)
        self.calls.patient = True
        self._began = time.monotonic()

    def step(self) -> float:
        """See whether it has ended, then pass on all it has written. Raises QgaError if lost."""
        try:
            self._status = self.calls.status(self.pid)
        except QgaError as error:
            error.add(hint=error.hint or f"too much output for one reply? {FILE}")
            raise
        if not self._status["exited"]:
            return max(0.002, min((time.monotonic() - self._began) / 5, _CEILING))
        self._pass_on(*captured(self._status))
        if self._status.get("out-truncated") or self._status.get("err-truncated"):
            raise QgaError("the agent has kept 16 MiB of the output, the rest is lost", hint=FILE)
        self.ended = True
        return 0.0

    def result(self) -> tuple[int | None, int | None]:
        """Its exit code, or the signal that killed it."""
        return self._status.get("exitcode"), self._status.get("signal")

    def abandon(self, *, drop: bool = False) -> None:
        """Leave it alone."""

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """End it, but not what it has started: nothing here finds that."""
        return self.calls.start(["kill", "-s", name, str(self.pid)])

    def _pass_on(self, out: bytes, err: bytes) -> None:
        for data, sink in zip((out, err), self._sinks, strict=True):
            if data:
                sink(data)
