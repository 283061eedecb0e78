"""A program in a guest with a POSIX shell, but without /proc (FreeBSD) or dd: told at its end.

The shell bounds what the agent keeps of its output, so the one reply always passes through libvirt.
"""

import os

from qga_cli.errors import QgaError
from qga_cli.exec import ending
from qga_cli.exec.bare import FILE, Bare
from qga_cli.exec.context import INLINE, NO_INPUT, request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.exec.context import Context

_MOST = 2**20  # bytes of each stream; the script keeps one more, to show that there were more

# Behind stderr stands $0, the mark, if the program was started. 3 and 4 are the agent's pipes,
# 5 brings the exit code, 6 carries stdout past the pipe of stderr.
SCRIPT = rf"""
IFS= read -r context
nl='
'
command -v head >/dev/null || {{ echo no head >&2; exit 97; }}
eval "$context"
keep() {{ head -c {_MOST + 1}; exec cat >/dev/null; }}
exec 3>&1 4>&2
code=$({{ {{ {{ "$@" 3>&- 4>&- 5>&- 6>&-; echo $? >&5; }} 2>&1 >&6 | keep >&4; }} 6>&1 | keep >&3
}} 5>&1)
echo "$0" >&2
exit $code
"""

# $1 the script's pid, $2 a signal, $3 seconds until KILL, 0 for none. The tree is what descends
# from the script by now, and at the KILL what descends from those that are left. A pid that was
# gone once is not looked at again: it may be another's.
END = r"""
grow() {
  grown=1
  while [ $grown ]; do
    grown=
    while read -r pid parent; do
      case " $tree " in *" $pid "*) ;; *" $parent "*) tree="$tree $pid"; grown=1 ;; esac
    done <<.
$(ps -A -o pid= -o ppid=)
.
  done
}
tree=$1 left=$3
grow
kill -s $2 $tree; kill -s CONT $tree
[ $left -gt 0 ] || exit 0
while [ "$tree" ] && [ $left -gt 0 ]; do
  sleep 1
  there=; for pid in $tree; do kill -0 $pid && there="$there $pid"; done
  tree=$there left=$((left-1))
done 2>/dev/null
[ "$tree" ] || exit 0
grow
kill -s KILL $tree
"""


class Bounded(Bare):
    """As Bare, in a context, its output bounded."""

    def start(
        self,
        context: "Context",
        stdout: "Callable[[bytes], object]",
        stderr: "Callable[[bytes], object]",
    ) -> None:
        """Start it. Raises Refused."""
        self._sinks = stdout, stderr
        self._mark = f"qga-{os.urandom(8).hex()}"
        how = INLINE if self._feed else NO_INPUT
        words, line = request(self.calls.agent, SCRIPT, self._mark, self._argv, context, how)
        self._launch(words, line + self._input(), context.environment)

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """End it with all it has started."""
        seconds = 0 if kill_after is None else max(1, round(kill_after))
        return self.calls.start(["sh", "-c", END, "qga-end", str(self.pid), name, str(seconds)])

    def _pass_on(self, out: bytes, err: bytes) -> None:
        said, began, _ = err.rpartition(f"{self._mark}\n".encode())
        if not began and "exitcode" in self._status:
            raise ending.failure(self._argv[0], self._status["exitcode"], err)
        super()._pass_on(out[:_MOST], said[:_MOST] if began else err)
        if max(len(out), len(said)) > _MOST:
            raise QgaError("the output past the first megabyte is lost", hint=FILE)
