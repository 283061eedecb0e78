"""`qga exec` and `qga script`: a program in the guest, its streams ours, its exit code too."""

import os
import stat
import time

from qga_cli.agent.program import Completed
from qga_cli.errors import UsageError
from qga_cli.exec.run import run
from qga_cli.exec.sinks import Buffer, Passthrough
from qga_cli.format import moment
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO

    from qga_cli.exec.stdin import InputSource


def execute(job: Job) -> Finished:
    """`qga exec`."""
    assert job.agent is not None
    command = job.arguments["command"]
    around = _around(job.arguments)
    if job.arguments.get("tty"):
        from qga_cli.terminal import session

        return session.run(job, around)
    if job.arguments.get("detach"):
        from qga_cli.exec import detached
        from qga_cli.exec.context import Context

        context = Context(**around)
        pid = detached.start(job.agent, command, context, job.interrupt, stdin(job))
        if job.streams.stdout.isatty() and not job.output:
            job.say(0, f"`qga exec-status --wait {job.agent.name} {pid}` tells how it ends")
        return Finished(pid)
    return answer(job, command, stdin(job))


def answer(job: Job, argv: "Sequence[str]", source: "InputSource | None") -> Finished:
    """Run it with the options of the command line; the answer as -o says."""
    assert job.agent is not None
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
        kill_after=job.arguments["kill-after"],
        channel=job.arguments["channel"],
        heed=job.check_reader if isinstance(out, Passthrough) else bool,
        text=isinstance(out, Buffer) or job.streams.stdout.isatty(),
        **_around(job.arguments),
    )
    if isinstance(out, Buffer) and isinstance(err, Buffer):
        lasted = round(time.monotonic() - begun, 3)
        record = _record(done, out, err) | {"started": moment(started), "duration": lasted}
        return Finished(record, done.code)
    return Finished(code=done.code)


def stdin(job: Job) -> "BinaryIO | None":
    """Our standard input if it is a pipe or a file; with -i a terminal too; never a closed one."""
    if job.arguments.get("no-stdin"):
        return None
    try:
        # A fleet shares descriptor 0 among its guests, by streams that have none of their own.
        kind = os.fstat(0 if job.fleet else job.streams.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return None
    wanted = job.arguments.get("stdin") or not stat.S_ISCHR(kind)
    return job.streams.stdin if wanted else None


def _around(given: "Mapping[str, Any]") -> "dict[str, Any]":
    """What the options say of the program's environment, as keywords of `run`."""
    from qga_cli.exec.context import variables

    for name in ("user", "workdir"):
        if given.get(name) == "":  # an unset variable, most likely; without it root runs it, in /
            raise UsageError(f"--{name} is empty", hint="leave the option out for the default")
    return {
        "env": variables(given.get("env", ()), given.get("env-file", ()), os.environ),
        "clean_env": bool(given.get("clean-env")),
        "workdir": given.get("workdir", ""),
        "user": given.get("user", ""),
    }


def _record(done: Completed, out: "Buffer", err: "Buffer") -> dict[str, object]:
    """The answer for -o json, but for the time it took."""
    return {
        "exitcode": done.exitcode,
        "signal": done.signal,
        **out.fields("stdout"),
        **err.fields("stderr"),
        "truncated": out.truncated or err.truncated,
        "origin": "guest",
    }
