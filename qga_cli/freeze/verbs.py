"""Verbs around a freeze: `fs status`, `fs freeze`, `fs freeze-list`, `fs with-frozen`."""

from __future__ import annotations

import signal
import time

from qga_cli.agent import Reply
from qga_cli.errors import (
    BadReply,
    Frozen,
    Interrupted,
    NotAnswering,
    NotConsistent,
    OutcomeUnknown,
    QgaError,
    Refused,
    TimedOut,
)
from qga_cli.guests.fleet import Fleet
from qga_cli.interrupt import TICK, Interrupt
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qga_cli.freeze.child import Child
    from qga_cli.freeze.hold import FrozenGuest
    from qga_cli.interrupt import File

    Failures = list[tuple["FrozenGuest", QgaError]]

_LATE = "it may become frozen in a moment"


def status(job: Job) -> Reply:
    """`qga fs status`: of a fleet, a frozen guest is bad news; of one guest it is the answer."""
    reply = job.wire()
    reply.code = int(job.fleet and reply.value == "frozen")
    return reply


def freeze(job: Job, *, mountpoints: Sequence[str] = (), for_: float | None = None) -> Reply:
    """`qga fs freeze` and `freeze-list`: the wire command, or with --for a watched freeze."""
    if for_ is not None:
        return _freeze_for(job, mountpoints, for_)
    from qga_cli.freeze.record import Record
    from qga_cli.freeze.steps import held, look_up

    name = job.agent.name
    before = "" if job.fleet else f"{name}: "
    try:
        _, warning = look_up(job.agent, mountpoints)
    except Frozen as error:
        raise held(error, Record(job.agent.transport.identity())) from error
    if warning:
        job.say(-1, before + warning)
    reply = _freeze_now(job)
    if reply.value and job.streams.stderr.isatty():
        job.say(0, f"{before}frozen until somebody runs `qga fs thaw {name}`")
    return reply


def thaw(job: Job) -> Reply:
    """`qga fs thaw`: the wire command, and nothing is noted of a freeze any more."""
    from qga_cli.freeze.record import RESET, Record

    record = Record(job.agent.transport.identity())
    try:
        reply = job.wire()
    except (NotAnswering, OutcomeUnknown, TimedOut) as error:
        if hung := record.unanswered():
            error.add(after=f": {hung}", hint=RESET)
        raise
    record.clear()
    return reply


def _freeze_now(job: Job) -> Reply:
    """Freeze with nobody to guard it, and note that no watchdog of an earlier freeze may end it."""
    from qga_cli.commands.fs.thaw import COMMAND as THAW
    from qga_cli.freeze.record import RESET, Record, new_token
    from qga_cli.freeze.steps import NOT_ALL, held

    record = Record(job.agent.transport.identity())
    try:
        reply = job.wire()
    except Frozen as error:
        raise held(error, record) from error
    except (OutcomeUnknown, TimedOut) as error:
        record.claim(new_token(), frozen=False)
        hint = f"`qga fs status VM` tells; `qga fs thaw VM` thaws it; {RESET}"
        error.add(after=f"; {_LATE}", hint=hint)
        raise
    if not reply.value:  # agents before 8.0 stay in their frozen state all the same
        job.agent.call(THAW)
        raise Refused("no filesystem could be frozen", hint=NOT_ALL)
    record.claim(new_token())
    return reply


def _freeze_for(job: Job, mountpoints: Sequence[str], seconds: float) -> Reply:
    from qga_cli.freeze.hold import FrozenGuest

    assert job.target is not None
    hold = FrozenGuest(job.target, job.say, job.hosts.guard)
    try:
        hold.prepare(mountpoints)
        with job.interrupt.shield(), job.interrupt.leaves(lambda: "the watchdog thaws the guest"):
            reply = _freeze_in_time(job, hold, seconds)
            if job.interrupt.signum:
                hold.thaw()
                raise Interrupted(job.interrupt.signum)
            if not hold.watchdog.stay():
                hold.thaw()
                raise QgaError("the watchdog has died, so the guest was thawed at once")
    finally:
        hold.close()
    if job.streams.stderr.isatty():
        job.say(0, f"{job.target.label}: frozen for {seconds:g} s, or until `qga fs thaw`")
    return reply


def _freeze_in_time(job: Job, hold: FrozenGuest, seconds: float) -> Reply:
    """Freeze, and wait for the answer no longer than --timeout."""
    patience = seconds if job.timeout is None else job.timeout
    began = time.monotonic()
    try:
        return hold.freeze(seconds, patience)
    except (BadReply, OutcomeUnknown) as error:
        if job.timeout is None or time.monotonic() - began < job.timeout:
            raise
        raise TimedOut(f"no answer within {job.timeout:g} s; {_LATE}", hint=error.hint) from error


def run(job: Job, *, command: list[str], max: float, mountpoint: Sequence[str] = ()) -> Finished:
    """`qga fs with-frozen`: a command of the host while guests are frozen."""
    from qga_cli.freeze import child
    from qga_cli.freeze.hold import FrozenGuest

    child.find(command[0])
    for target in job.targets:
        if target.error:  # a host that cannot be asked: guests that are meant would be missing
            raise target.error
    holds: list[FrozenGuest] = []
    try:
        holds.extend(FrozenGuest(target, job.say, job.hosts.guard) for target in job.targets)
        _report(job, _each(holds, lambda hold: hold.prepare(mountpoint)))
        told = "the watchdogs thaw the guests and end the command"
        with job.interrupt.shield(), job.interrupt.leaves(lambda: told):
            return _run(job, holds, command, min(max, job.timeout or max))
    finally:
        for hold in holds:
            hold.close()


def _run(job: Job, holds: list[FrozenGuest], argv: Sequence[str], seconds: float) -> Finished:
    from qga_cli.freeze.child import Child
    from qga_cli.freeze.hold import FrozenGuest

    deadline = time.monotonic() + seconds
    failures = _each(holds, lambda hold: hold.freeze(seconds))
    if failures or job.interrupt.signum:
        _report(job, failures + _each(holds, FrozenGuest.thaw))
    _tell_spread(job, holds)
    names = ",".join(hold.target.label for hold in holds)
    count = sum(hold.count for hold in holds)
    try:
        program = Child(argv, {"QGA_VM": names, "QGA_FROZEN": str(count)})
        for hold in holds:
            hold.watchdog.child(program.pid)
        program.start()
    except QgaError:
        _report(job, _each(holds, FrozenGuest.thaw))
        raise
    cause = _wait(job, program, holds, deadline)
    seen = job.interrupt.count
    failures = _each(holds, FrozenGuest.thaw)  # first of all, whatever else there is to do
    if cause:
        program.end(job.interrupt.signum or signal.SIGTERM, job.interrupt, seen)
    code = program.wait()
    _report(job, failures, cause)
    program.pass_on_ctrl_c()
    return Finished(code=code)


def _wait(job: Job, program: Child, holds: list[FrozenGuest], deadline: float) -> QgaError | None:
    """Wait for the program's end; if something else comes first, why it has to be ended."""
    watchdogs = [hold.watchdog for hold in holds]
    ready: list[File] = []
    while not ready and not job.interrupt.signum and not program.is_stopped():
        left = deadline - time.monotonic()
        ready = job.interrupt.select([program, *watchdogs], min(left, TICK), 0)
        if left <= TICK:
            break
    if program in ready:
        return None
    if job.interrupt.signum:
        return Interrupted(job.interrupt.signum)
    ended = "the command was ended, and what it made is NOT consistent"
    for hold in holds:
        if hold.watchdog in ready:
            return NotConsistent(f"the watchdog has died: {ended}").of(hold.target)
    if program.is_stopped():  # nobody may come back to it, and the guest stands still
        how = "by Ctrl-Z or as it asked for a terminal from within a pipeline"
        return NotConsistent(f"the command was stopped, {how}: {ended}")
    hint = "a longer --max or --timeout allows it"
    return NotConsistent(f"the freeze lasted too long: {ended}", hint=hint)


def _each(holds: list[FrozenGuest], work: Callable[[FrozenGuest], object]) -> Failures:
    """Do it to all of them at once; who failed, and how."""
    targets = [hold.target for hold in holds]
    fleet = Fleet(
        targets, lambda index, target: work(holds[index]), Interrupt(), parallel=len(holds)
    )
    failures: Failures = []
    for index, outcome in fleet.outcomes():
        if isinstance(outcome.error, QgaError):
            failures.append((holds[index], outcome.error))
        elif outcome.error:
            raise outcome.error  # the watchdogs thaw
    return failures


def _report(job: Job, failures: Failures, cause: QgaError | None = None) -> None:
    """Raise what went wrong; of several things the first, and tell the others."""
    if job.interrupt.signum and not isinstance(cause, Interrupted):
        cause = Interrupted(job.interrupt.signum)
    errors = [cause] if cause else []
    errors += [error for _, error in failures]
    for error in errors[1:]:
        job.say(-1, error.said() + (f" ({error.advice})" if error.hint else ""))
    if errors:
        raise errors[0]


def _tell_spread(job: Job, holds: list[FrozenGuest]) -> None:
    for hold in holds:
        job.say(1, f"{hold.target.label}: {hold.count} filesystems frozen")
    if len(holds) > 1:
        moments = [hold.since for hold in holds]
        spread = (max(moments) - min(moments)) * 1000
        job.say(0, f"{len(holds)} guests frozen, {spread:.0f} ms between the first and the last")
