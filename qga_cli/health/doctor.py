"""Walks the chain from the host to the agent, stops at the first break, mends what it may."""

import time

from qga_cli.commands.info import COMMAND as INFO
from qga_cli.errors import (
    Denied,
    Forbidden,
    Frozen,
    LinkDead,
    NotConfigured,
    QgaError,
    UsageError,
)
from qga_cli.health.checkup import CHECKS, Patient, Warning, ports
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import libvirt

    from qga_cli.transports.libvirt import LibvirtHost

_RETURN = 20.0  # seconds for the agent to open a channel that was plugged in
_PAUSE = 0.1

Row = dict[str, str]


def verb(job: Job) -> Finished:
    """`qga doctor`: a row for each check, and the exit code of the break."""
    fix = bool(job.arguments.get("fix"))
    if fix and not job.arguments.get("yes") and (job.fleet or not job.streams.stdin.isatty()):
        raise UsageError("--fix asks before each step, and here is nobody to ask", hint="add -y")
    assert job.target is not None
    patient = Patient(job, job.target)
    rows: list[Row] = []
    for check in CHECKS:
        row, error = _look(patient, check)
        if error and fix:
            row, error = _mend(patient, check, row, error)
        elif fix and check is ports:
            row = _tidy(patient, row)
        if row:
            rows.append(row)
        if error:
            return Finished(rows, error.exit_code)
    return Finished(rows)


def _look(
    patient: Patient, check: "Callable[[Patient], str | Warning | None]"
) -> tuple[Row | None, QgaError | None]:
    """The row of one check, and the error when the chain is broken there."""
    name = check.__name__
    try:
        found = check(patient)
    except Forbidden as error:  # by this host's policy: it says nothing about the guest
        return _row(name, "warn", error.message, error.hint), None
    except QgaError as error:
        return _broken(patient, name, error), error
    if found is None:
        return None, None
    if isinstance(found, Warning):
        fix = patient.target.typable(found.fix)
        return _row(name, "warn", patient.target.typable(found.finding), fix), None
    return _row(name, "ok", found, ""), None


def _mend(
    patient: Patient,
    check: "Callable[[Patient], str | Warning | None]",
    row: Row | None,
    error: QgaError,
) -> tuple[Row | None, QgaError | None]:
    """Mend what broke the check and look again; the row and the error it is left with."""
    remedy = next((one for kind, one in _REMEDIES.items() if isinstance(error, kind)), None)
    if remedy is None or not _agreed(patient, remedy.question):
        return row, error
    try:
        with patient.job.interrupt.shield():  # nothing is left unplugged
            remedy.apply(patient)
    except QgaError as failure:
        return _broken(patient, check.__name__, failure), failure
    again, still = _look(patient, check)
    if still or again is None:
        return again, still
    return _row(again["check"], "fixed", f"{error.message}: {remedy.done}", ""), None


def _tidy(patient: Patient, row: Row | None) -> Row | None:
    """Unplug the ports of ours that nobody uses; nothing was broken."""
    found = patient.agent.transport.ports()
    if found is None:
        return row
    from qga_cli.channel.ports import survey

    _, idle, left = survey(found)
    count = len(idle + left)
    if not count or not _agreed(patient, f"unplug {count} ports of qga's that nobody uses"):
        return row

    def work() -> None:
        for name in idle + left:
            found.unplug(name)

    try:
        patient.job.hosts.change(patient.target, "doctor --fix", work)
    except QgaError as failure:
        return _row(ports.__name__, "warn", failure.message, failure.hint)
    return _row(ports.__name__, "fixed", f"{count} unplugged that nobody used", "")


def _agreed(patient: Patient, question: str) -> bool:
    job = patient.job
    if job.arguments.get("yes"):
        return True
    job.streams.stderr.write(f"qga: {patient.target.label}: {question}? [y/N] ".encode())
    job.streams.stderr.flush()
    return job.streams.stdin.readline().strip().lower() in (b"y", b"yes")


class Remedy:
    """What --fix does about one kind of break."""

    __slots__ = ("apply", "done", "question")

    def __init__(self, question: str, done: str, apply: "Callable[[Patient], None]") -> None:
        self.question = question
        self.done = done
        self.apply = apply


def _add_channel(patient: Patient) -> None:
    from qga_cli.transports import libvirt_channel

    _change(patient, libvirt_channel.add)


def _replug(patient: Patient) -> None:
    from qga_cli.transports import libvirt_channel

    _change(patient, libvirt_channel.replug)


def _change(patient: Patient, work: "Callable[[libvirt.virDomain], None]") -> None:
    """Have the channel changed, under this host's policy, and the agent find it."""
    target, host = patient.target, _libvirt(patient)
    patient.job.hosts.change(target, "doctor --fix", lambda: work(host.domain(target.name)))
    _await_agent(patient)


def _thaw(patient: Patient) -> None:
    from qga_cli.commands.fs.thaw import COMMAND

    patient.agent.call(COMMAND)
    patient.info = patient.agent.call(INFO).value  # its list of commands is longer now


def _libvirt(patient: Patient) -> "LibvirtHost":
    from qga_cli.transports.libvirt import LibvirtHost

    host = patient.host
    assert isinstance(host, LibvirtHost)  # only its guests have channels that can be missed
    return host


def _await_agent(patient: Patient) -> None:
    """Give the agent time to find the channel; the next check tells whether it has."""
    deadline = time.monotonic() + _RETURN
    while time.monotonic() < deadline:
        facts = patient.facts()
        if facts and facts.channel == "connected":
            return
        time.sleep(_PAUSE)


_REMEDIES: dict[type[QgaError], Remedy] = {
    NotConfigured: Remedy("add the agent's channel", "channel added", _add_channel),
    LinkDead: Remedy(
        "unplug the agent's channel and plug it in again", "channel replugged", _replug
    ),
    Frozen: Remedy("thaw the filesystems", "thawed", _thaw),
}


def _broken(patient: Patient, name: str, error: QgaError) -> Row:
    name = "rights" if isinstance(error, Denied) else name
    return _row(name, "FAIL", error.message, patient.target.typable(error.hint))


def _row(check: str, verdict: str, finding: str, fix: str) -> Row:
    return {"check": check, "verdict": verdict, "finding": finding, "fix": fix}
