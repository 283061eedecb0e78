"""Programs in the guest that nobody waits for, and what became of them later."""

from __future__ import annotations

import math

from qga_cli.agent import Reply
from qga_cli.agent.abilities import is_windows
from qga_cli.agent.exit_codes import told
from qga_cli.agent.program import Completed, is_wide, wait_for_end
from qga_cli.agent.scope import scope_name
from qga_cli.errors import Interrupted, Refused, TimedOut
from qga_cli.exec.calls import AgentCalls
from qga_cli.exec.context import INLINE, NO_INPUT, Context, request
from qga_cli.exec.stdin import InputFeed
from qga_cli.exec.unsettled import is_forgotten
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.exec.stdin import InputSource
    from qga_cli.interrupt import Interrupt

_CEILING = 1.0  # seconds between two looks


def start(
    agent: Agent,
    argv: Sequence[str],
    context: Context,
    interrupt: Interrupt,
    stdin: InputSource | None,
) -> int:
    """Start a program and return its pid. The agent keeps the first megabyte of its output."""
    feed = InputFeed(stdin) if stdin else None
    given = feed.whole(agent, interrupt) if feed else b""
    calls = AgentCalls(agent, interrupt)
    how = INLINE if feed else NO_INPUT
    if is_windows(agent):  # asked first: it may have a sh, of Git's
        from qga_cli.windows import detached as windows

        return windows.start(calls, argv, context, given)
    text = f"qga_scope={scope_name()}\n{script('exec/scope')}{script('exec/detached')}"
    words, asked = request(agent, text, "qga-detached", argv, context, how)
    asked += given
    return calls.start(words, capture=True, stdin=asked, env=context.environment, program=argv)


def status(job: Job, *, pid: int, wait: bool = False) -> Finished | Reply:
    """`qga exec-status`: the agent's record; with --wait the program's output and code."""
    reply = Reply("", {})

    def look() -> Mapping[str, Any]:
        nonlocal reply
        try:
            reply = job.wire()
        except Refused as error:
            raise _forgotten(error, pid) from error
        if is_wide(reply.value):
            reply.value = told(reply.value)
        answer: Mapping[str, Any] = reply.value
        return answer

    def sleep(seconds: float) -> None:
        if job.interrupt.sleep(seconds, 0):
            raise Interrupted(job.interrupt.signum)

    job.agent.started(pid)
    limit = math.inf if job.timeout is None else job.timeout
    if not wait:
        look()
    elif wait_for_end(look, limit, sleep=sleep, latest=_CEILING) is None:
        raise TimedOut(f"pid {pid} has not ended within {limit:g} s")
    done = Completed(reply.value)
    if reply.value["exited"]:
        reply.code = done.code
    if job.output or not wait:
        return reply
    job.streams.stdout.write(done.stdout)
    job.streams.stderr.write(done.stderr)
    return Finished(code=reply.code)


def _forgotten(error: Refused, pid: int) -> Refused:
    """`error` in words, if it is the agent's way to say that it knows no such program."""
    if not is_forgotten(error):
        return error
    return Refused(
        f"the agent knows no program with pid {pid}",
        desc=error.desc,
        hint="the agent reports an exit once; a restart of it loses all",
    )
