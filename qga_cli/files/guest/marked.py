"""A script in a guest that can be ended before its time."""

from __future__ import annotations

import os

from qga_cli.errors import QgaError
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.agent.program import Completed
    from qga_cli.files.guest.access import Access

_LAST = 5.0  # seconds for what has been ended


def new_mark() -> str:
    """What no other process has in its words."""
    return f"qga-{os.urandom(8).hex()}"


def marked(mark: str, text: str) -> str:
    """A script that files/orphan.sh finds by its mark."""
    return f"# {mark}\n{text}"


class MarkedScript:
    """One that takes long, such as sha512sum of a large file: who starts it sees to its end.

    It is known by a mark among its words, not by its number, which may be another process's later.
    Raises as Access.start.
    """

    def __init__(self, access: Access, text: str, *words: str, stdin: bytes = b"") -> None:
        self._access = access
        self._mark = new_mark()
        self._pid = access.start(marked(self._mark, text), *words, stdin=stdin)

    def result(self) -> Completed:
        """Wait for it. It does not outlive a wait that is given up. Raises as Access.finish."""
        try:
            done = self._access.finish(self._pid)
        except BaseException:
            self.end()
            raise
        self._pid = 0
        return done

    def end(self) -> None:
        """End it with what it has started, and take its record from the agent, which keeps one
        until it is asked for. Does nothing after `result`. Safe to repeat; raises no QgaError."""
        pid, self._pid = self._pid, 0
        if not pid:
            return
        self._access.grace()
        try:
            self._access.attempt(script("files/orphan"), self._mark)
            self._access.finish(pid, _LAST)
        except QgaError as error:
            self._access.agent.trace(1, f"ending a script of ours: {error.said()}")
