"""Walks the chain from the host to the agent, stops at the first break, fixes what it may."""

from __future__ import annotations

import time

from qga_cli.commands.info import COMMAND as INFO
from qga_cli.errors import (
    Denied,
    Forbidden,
    Frozen,
    LinkDead,
    NotConfigured,
    NotConnected,
    QgaError,
    UsageError,
)
from qga_cli.health.chain import ports
from qga_cli.health.checked import CheckedGuest, Concern
from qga_cli.health.checkup import CHECKS
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.transports.libvirt import LibvirtHost
    from qga_cli.transports.libvirt_calls import Domain

_RETURN = 20.0  # seconds for the agent to open a channel that was plugged in
_PAUSE = 0.1

Row = dict[str, str]


def doctor(job: Job, *, fix: bool = False, yes: bool = False) -> Finished:
    """`qga doctor`: a row for each check, and the exit code of the break."""
    if fix and not yes and (job.fleet or not job.streams.stdin.isatty()):
        raise UsageError("--fix asks before each step, and here is nobody to ask", hint="add -y")
    assert job.target is not None
    checked = CheckedGuest(job, job.target, asks=not yes)
    rows: list[Row] = []
    for check in CHECKS:
        job.waiting(f"checking: {check.__name__}", rows)
        row, error = _look(checked, check)
        if error and fix:
            row, error = _fix(checked, check, row, error)
        elif fix and check is ports:
            row = _tidy(checked, row)
        if row:
            rows.append(row)
        if error:
            return Finished(rows, error.exit_code)
    return Finished(rows)


def _look(
    checked: CheckedGuest, check: Callable[[CheckedGuest], str | Concern | None]
) -> tuple[Row | None, QgaError | None]:
    """The row of one check, and the error when the chain is broken there."""
    name = check.__name__
    try:
        found = check(checked)
    except Forbidden as error:  # by this host's policy: it says nothing about the guest
        return _row(name, "warn", error.message, error.hint), None
    except QgaError as error:
        return _broken(checked, name, error), error
    if found is None:
        return None, None
    if isinstance(found, Concern):
        fix = checked.target.typable(found.fix)
        return _row(name, "warn", checked.target.typable(found.finding), fix), None
    return _row(name, "ok", found, ""), None


def _fix(
    checked: CheckedGuest,
    check: Callable[[CheckedGuest], str | Concern | None],
    row: Row | None,
    error: QgaError,
) -> tuple[Row | None, QgaError | None]:
    """Fix what broke the check, and check again: the row, and the error that is left."""
    remedy = next((one for kind, one in _REMEDIES.items() if isinstance(error, kind)), None)
    if isinstance(error, NotConnected) and checked.facts() is None:
        remedy = None  # a host without libvirt, as of Proxmox: none of its devices are ours to plug
    if remedy is None or not _agreed(checked, remedy.question):
        return row, error
    try:
        told = f"`qga doctor --fix {checked.target.label}` goes on with it"
        interrupt = checked.job.interrupt
        with interrupt.shield(), interrupt.leaves(lambda: told):  # nothing is left unplugged
            remedy.apply(checked)
    except QgaError as failure:
        return _broken(checked, check.__name__, failure), failure
    again, still = _look(checked, check)
    if still or again is None:
        return again, still
    return _row(again["check"], "fixed", f"{error.message}: {remedy.done}", ""), None


def _tidy(checked: CheckedGuest, row: Row | None) -> Row | None:
    """Unplug the ports of ours that nobody uses; nothing was broken."""
    found = checked.agent.transport.ports()
    if found is None:
        return row
    from qga_cli.channel.plugged import survey

    _, idle, left = survey(found)
    count = len(idle + left)
    gone: list[str] = []
    if not count or not _agreed(checked, f"unplug {count} ports of qga's that nobody uses"):
        return row

    def work() -> None:
        gone.extend(name for name in idle + left if found.unplug_unused(name))

    try:
        checked.job.hosts.change(checked.target, "doctor --fix", work)
    except QgaError as failure:
        return _row(ports.__name__, "warn", failure.message, failure.hint)
    return _row(ports.__name__, "fixed", f"{len(gone)} unplugged that nobody used", "")


def _agreed(checked: CheckedGuest, question: str) -> bool:
    job = checked.job
    if not checked.asks:
        return True
    job.streams.stderr.write(f"qga: {checked.target.label}: {question}? [y/N] ".encode())
    job.streams.stderr.flush()
    return job.streams.stdin.readline().strip().lower() in (b"y", b"yes")


class Remedy:
    """What --fix does about one kind of break."""

    def __init__(self, question: str, done: str, apply: Callable[[CheckedGuest], None]) -> None:
        self.question = question
        self.done = done
        self.apply = apply


def _add_channel(checked: CheckedGuest) -> None:
    from qga_cli.transports import libvirt_channel

    _change(checked, libvirt_channel.add)


def _replug(checked: CheckedGuest) -> None:
    from qga_cli.transports import libvirt_channel

    _change(checked, libvirt_channel.replug)
    checked.silence = None


def _change(checked: CheckedGuest, work: Callable[[Domain], None]) -> None:
    """Have the channel changed, under this host's policy, and the agent find it."""
    target, host = checked.target, _libvirt(checked)
    checked.job.hosts.change(target, "doctor --fix", lambda: work(host.domain(target.name)))
    _await_agent(checked)


def _thaw(checked: CheckedGuest) -> None:
    from qga_cli.commands.fs.thaw import COMMAND
    from qga_cli.freeze.record import Record
    from qga_cli.health.condition import thawed

    record = Record(checked.agent.transport.identity())
    if record.guarded():  # by a qga that still works with it, and thaws it itself
        thawed(checked)
        return
    checked.agent.call(COMMAND)
    record.clear()
    checked.info = checked.agent.call(INFO).value  # its list of commands is longer now


def _libvirt(checked: CheckedGuest) -> LibvirtHost:
    from qga_cli.transports.libvirt import LibvirtHost

    host = checked.host
    assert isinstance(host, LibvirtHost)  # only its guests have channels that can be missed
    return host


def _await_agent(checked: CheckedGuest) -> None:
    """Give the agent time to find the channel; the next check tells whether it has."""
    deadline = time.monotonic() + _RETURN
    while time.monotonic() < deadline:
        facts = checked.facts()
        if facts and facts.channel == "connected":
            return
        time.sleep(_PAUSE)


_REMEDIES: dict[type[QgaError], Remedy] = {
    NotConfigured: Remedy("add the agent's channel", "channel added", _add_channel),
    LinkDead: Remedy(
        "unplug the agent's channel and plug it in again", "channel replugged", _replug
    ),
    # The rule of its package has systemd start the agent for each new port (SYSTEMD_WANTS).
    NotConnected: Remedy(
        "unplug the agent's channel and plug it in again, for the guest to start its agent",
        "channel replugged, and the agent started",
        _replug,
    ),
    Frozen: Remedy("thaw the filesystems", "thawed", _thaw),
}


def _broken(checked: CheckedGuest, name: str, error: QgaError) -> Row:
    name = "rights" if isinstance(error, Denied) else name
    return _row(name, "FAIL", error.message, checked.target.typable(error.hint))


def _row(check: str, verdict: str, finding: str, fix: str) -> Row:
    return {"check": check, "verdict": verdict, "finding": finding, "fix": fix}
