"""`qga exec` and `qga script`: a program in the guest, its streams ours, its exit code too."""

from __future__ import annotations

import os
import stat
import time

from qga_cli.agent import Reply
from qga_cli.agent.program import Completed
from qga_cli.errors import UsageError
from qga_cli.exec.run import run
from qga_cli.exec.sinks import Buffer, Passthrough
from qga_cli.format import moment
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, BinaryIO

    from qga_cli.exec.stdin import InputSource


def execute(
    job: Job,
    *,
    command: list[str],
    kill_after: float,
    channel: str,
    escape: str,
    env: Sequence[str] = (),
    env_file: Sequence[str] = (),
    clean_env: bool = False,
    workdir: str | None = None,
    user: str | None = None,
    no_stdin: bool = False,
    stdin: bool = False,
    detach: bool = False,
    tty: bool = False,
) -> Finished | Reply:
    """`qga exec`."""
    around = surroundings(env, env_file, workdir, user, clean=clean_env)
    if tty:
        from qga_cli.terminal import session

        if detach:
            raise UsageError("-d and -t exclude each other: in the background, or on this terminal")
        return session.attach(job, command, around, escape, channel)
    if stdin and no_stdin:
        raise UsageError("-i and -n exclude each other: what is typed here, or no input")
    source = None if no_stdin else standard_input(job, always=stdin)
    if detach:
        from qga_cli.exec import detached
        from qga_cli.exec.context import Context

        context = Context(**around)
        pid = detached.start(job.agent, command, context, job.interrupt, source)
        if job.streams.stdout.isatty() and not job.output:
            job.say(0, f"`qga exec-status --wait {job.agent.name} {pid}` tells how it ends")
        return Reply(str(pid), pid)  # -o raw has it too: nobody tells it again
    return answer(job, command, source, around, kill_after, channel)


def answer(
    job: Job,
    argv: Sequence[str],
    source: InputSource | None,
    around: dict[str, Any],
    kill_after: float,
    channel: str,
) -> Finished:
    """Run it, `around` as `surroundings` has it; the answer as -o says."""
    out: Passthrough | Buffer
    err: Passthrough | Buffer
    if job.output in ("json", "jsonl", "yaml"):
        out, err = Buffer(), Buffer()
    else:
        out, err = Passthrough(job.streams.stdout), Passthrough(job.streams.stderr)
    started, begun = time.time(), time.monotonic()
    done = run(
        job.agent,
        argv,
        stdin=source,
        stdout=out.take,
        stderr=err.take,
        interrupt=job.interrupt,
        timeout=job.timeout,
        kill_after=kill_after,
        channel=channel,
        heed=job.check_reader if isinstance(out, Passthrough) else bool,
        text=isinstance(out, Buffer) or job.streams.stdout.isatty(),
        **around,
    )
    if isinstance(out, Buffer) and isinstance(err, Buffer):
        lasted = round(time.monotonic() - begun, 3)
        record = _record(done, out, err) | {"started": moment(started), "duration": lasted}
        return Finished(record, done.code)
    return Finished(code=done.code)


def standard_input(job: Job, *, always: bool = False) -> BinaryIO | None:
    """Ours if it is a pipe or a file; `always`, with -i: a terminal too; never a closed one."""
    try:
        # A fleet shares descriptor 0 among its guests, by streams that have none of their own.
        kind = os.fstat(0 if job.fleet else job.streams.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return None
    return job.streams.stdin if always or not stat.S_ISCHR(kind) else None


def surroundings(
    env: Sequence[str],
    env_file: Sequence[str],
    workdir: str | None,
    user: str | None,
    *,
    clean: bool,
) -> dict[str, Any]:
    """What the options say of the program's environment, as keywords of `run`."""
    from qga_cli.exec.context import variables

    return {
        "env": variables(env, env_file, os.environ),
        "clean_env": clean,
        "workdir": workdir or "",
        "user": user or "",
    }


def _record(done: Completed, out: Buffer, err: Buffer) -> dict[str, object]:
    """The answer for -o json, but for the time it took."""
    return {
        "exitcode": done.exitcode,
        "signal": done.signal,
        **out.fields("stdout"),
        **err.fields("stderr"),
        "truncated": out.truncated or err.truncated,
        "origin": "guest",
    }
