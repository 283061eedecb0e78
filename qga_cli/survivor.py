"""A child process that cleans up after this one has died, however that was.

It waits as a shell, which starts in a millisecond; Python is loaded by our death only. The end
of a pipe tells it. It has a session of its own and ignores what ends sessions.
"""

from __future__ import annotations

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Each word is one more argument of what is to be done; an empty line means that nothing is.
_WAIT = """\
trap '' HUP INT QUIT TERM; cd /
while read -r word; do
  [ "$word" ] || exit 0
  set -- "$@" "$word"
done
exec "$@" </dev/null
"""


def python(module: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of `python -m module`, with this package beside it."""
    path = _ROOT + os.pathsep + os.environ.get("PYTHONPATH", "")
    # -P: who can write into our working directory must not slip modules in.
    argv = [sys.executable, "-P", "-m", module, *words]
    return argv, {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}


class Survivor:
    """Will run `python -m module words...`, and the words it is told later, unless released."""

    def __init__(self, module: str, words: Sequence[str]) -> None:
        ours, theirs = os.pipe()
        argv, environment = python(module, *words)
        try:
            self.pid = os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", _WAIT, "sh", *argv],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, ours, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_RDWR, 0),
                ],
                setsid=True,
            )
        except BaseException:
            os.close(theirs)
            raise
        finally:
            os.close(ours)
        self._pipe = theirs

    def tell(self, word: str) -> None:
        """One word more. It has it when this returns: a pipe keeps what a dead writer wrote."""
        if self._pipe < 0:
            return
        with contextlib.suppress(BrokenPipeError):  # somebody has killed it; we are here still
            os.write(self._pipe, word.encode() + b"\n")

    def act(self) -> None:
        """Have it do its work now."""
        pipe, self._pipe = self._pipe, -1
        os.close(pipe)

    def release(self) -> None:
        """Nothing is left to do: it ends. Safe to repeat."""
        if self._pipe < 0:
            return
        self.tell("")
        pipe, self._pipe = self._pipe, -1
        os.close(pipe)
        with contextlib.suppress(ChildProcessError):  # a program that ignores its children's ends
            os.waitpid(self.pid, 0)
