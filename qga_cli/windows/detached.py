"""A program in a Windows guest that nobody waits for: `exec -d`."""

from __future__ import annotations

from qga_cli.windows import surroundings
from qga_cli.windows.private import Private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.context import Context


def start(calls: AgentCalls, argv: Sequence[str], context: Context, stdin: bytes) -> int:
    """Start it and return its pid, for `exec-status`. Its output goes nowhere: the agent would
    keep it without bounds, and a file would have to be removed by somebody.

    One cmd runs the batch file in another, removes it and the input, and ends with its exit code.
    """
    batch = surroundings.batch(argv, context)
    with Private(calls) as ours:
        files = [ours.put("cmd", batch.encode())]
        if stdin:
            files.append(ours.put("in", stdin))
        words = ["cmd.exe", "/d", "/v:on", "/c", "cmd.exe", "/d", "/e:on", "/v:off", "/c", files[0]]
        words += ["1>NUL", "2>NUL", f"<{files[1] if stdin else 'NUL'}"]
        words += ["&set", "QGA_CODE=!errorlevel!&del", "/f", "/q", *files, "2>NUL&exit"]
        words += ["!QGA_CODE!"]
        env = surroundings.environment(ours, batch, context)
        pid = calls.start(words, env=env, program=argv)
        ours.hand_over()
    return pid
