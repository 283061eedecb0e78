"""A program in a guest with a POSIX shell, but without /proc (FreeBSD) or dd: told at its end.

The shell bounds what the agent keeps of its output, so the one reply always passes through libvirt.
"""

from __future__ import annotations

from qga_cli.errors import QgaError
from qga_cli.exec import exit_status
from qga_cli.exec.context import INLINE, NO_INPUT, request
from qga_cli.exec.without_shell import FILE, ProgramWithoutShell
from qga_cli.inside import loaded, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.context import Context
    from qga_cli.exec.sinks import Sinks
    from qga_cli.exec.stdin import InputFeed

_MOST = 2**20  # bytes of each stream, as in inside/exec/bounded.sh

SCRIPT = script("exec/bounded")
END = script("exec/end_descendants")


class ProgramWithoutProc(ProgramWithoutShell):
    """Like ProgramWithoutShell, but by sh: -e, -w, -u work, 1 MiB of each stream is kept.

    `mark` is the shell's name, by which its own words are told from the program's.
    """

    def __init__(
        self, calls: AgentCalls, argv: Sequence[str], feed: InputFeed | None, mark: str
    ) -> None:
        super().__init__(calls, argv, feed)
        self._mark = mark

    def start(self, context: Context, sinks: Sinks) -> None:
        """Start it. Raises Refused."""
        self._sinks = sinks
        how = INLINE if self._feed else NO_INPUT
        words, given = request(self.calls.agent, SCRIPT, self._mark, self._argv, context, how)
        self._launch(words, given + self._input(), context.environment)

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """End it with all it has started."""
        seconds = 0 if kill_after is None else max(1, round(kill_after))
        words, text = loaded("qga-end", END)
        return self.calls.start([*words, str(self.pid), name, str(seconds)], stdin=text)

    def _pass_on(self, out: bytes, err: bytes) -> None:
        said, began, _ = err.rpartition(f"{self._mark}\n".encode())
        if not began and "exitcode" in self._status:
            raise exit_status.failure(self._argv[0], self._status["exitcode"], err)
        super()._pass_on(out[:_MOST], said[:_MOST] if began else err)
        if max(len(out), len(said)) > _MOST:
            raise QgaError("the output past the first megabyte is lost", hint=FILE)
