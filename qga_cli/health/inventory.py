"""Every guest at a glance: what its host knows, and what its agent says within two seconds."""

from __future__ import annotations

import time
from collections.abc import Collection

from qga_cli.agent.abilities import Abilities
from qga_cli.commands.cpu.load import COMMAND as LOAD
from qga_cli.commands.fs.status import COMMAND as FREEZE_STATUS
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.net.interfaces import COMMAND as INTERFACES
from qga_cli.commands.os.info import COMMAND as OS_INFO
from qga_cli.errors import (
    BadReply,
    Busy,
    FileError,
    LinkDead,
    NotConfigured,
    NotConnected,
    NotRunning,
    QgaError,
    Refused,
    Unreachable,
)
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Target
from qga_cli.health.network import addresses
from qga_cli.transports import RUNNING
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.spec import Command

_PATIENCE = 2.0  # seconds for each guest
_STATES: tuple[tuple[type[QgaError], str | None], ...] = (
    (NotConfigured, "no channel"),
    (NotConnected, "not connected"),
    (Unreachable, "not connected"),  # a socket on which nobody listens
    (LinkDead, "wedged"),
    (Busy, "busy"),
    (NotRunning, None),
    (QgaError, "not answering"),
)


def list_guests(job: Job, *, parallel: int, pattern: str = "*") -> Finished:
    """`qga list`: a row for each guest, a line on stderr for each host that cannot be asked."""
    found = job.hosts.find(pattern, "all")
    dead = [target for target in found if target.error]
    for target in dead:
        job.say(-1, f"{target.label}: {target.error}")
    alive = [target for target in found if not target.error]
    if not alive and job.streams.stdout.isatty():
        where = "here" if pattern == "*" else f"that match {pattern!r}"
        job.say(0, f"no guests {where}; `qga -c URI list` asks another host")
    return Finished(survey(job, alive, parallel), 123 if dead else 0)


def survey(job: Job, targets: list[Target], parallel: int) -> list[dict[str, Any]]:
    """One row for each guest, in order."""
    rows = [_row(target) for target in targets]
    patience = job.timeout or _PATIENCE
    fleet = Fleet(
        targets,
        lambda index, target: _probe(job, target, rows[index], patience),
        job.interrupt,
        parallel=parallel,
        limit=patience,
    )
    for index, outcome in fleet.outcomes():
        rows[index] = dict(rows[index])  # a probe that was given up may still write to its own
        error = outcome.error
        if isinstance(error, FileError):  # the audit file: it says nothing about the guest
            error.guest = None
            raise error
        if isinstance(error, QgaError):
            rows[index]["agent"] = agent_state(error)
        elif error:  # a bug
            raise error
    return rows


def _row(target: Target) -> dict[str, Any]:
    state = target.state or None
    return {"vm": target.label, "state": state, "agent": None, "version": None, "os": None,
            "load": None, "addresses": []}  # fmt: skip


def _probe(job: Job, target: Target, row: dict[str, Any], patience: float) -> None:
    """Fill in what the agent says; raises for what it does not."""
    if target.state not in RUNNING:
        return
    facts = job.hosts.host(target.uri).facts(target.name)
    if facts and facts.channel == "missing":
        raise NotConfigured("no channel")
    if facts and facts.channel == "disconnected":
        raise NotConnected("not connected")
    agent = job.connect(target)
    agent.deadline = time.monotonic() + patience
    try:
        _ask(agent, row, facts.macs if facts else ())
    finally:
        agent.transport.close()


def _ask(agent: Agent, row: dict[str, Any], macs: Collection[str]) -> None:
    info = _maybe(agent, INFO) or {}
    row["agent"] = "answering"
    row["version"] = info.get("version")
    able = Abilities(info)
    if able.may(FREEZE_STATUS.wire) and _maybe(agent, FREEZE_STATUS) == "frozen":
        row["agent"] = "frozen"
        return
    if able.may(OS_INFO.wire):
        system = _maybe(agent, OS_INFO) or {}
        # Without the code name in brackets, which every release has: a row is one line.
        name = system.get("pretty-name") or system.get("name") or ""
        row["os"] = name.partition(" (")[0] or None
    if able.may(INTERFACES.wire):
        row["addresses"] = addresses(_maybe(agent, INTERFACES) or [], macs)
    if able.may(LOAD.wire):
        row["load"] = (_maybe(agent, LOAD) or {}).get("load1m")


def _maybe(agent: Agent, command: Command) -> Any:
    """The result; None when the agent refuses, or answers nonsense."""
    try:
        return agent.call(command).value
    except (Refused, BadReply):
        return None


def agent_state(error: QgaError) -> str | None:
    """What to call the agent whose call ended so; None for that of a guest that does not run."""
    return next(word for kind, word in _STATES if isinstance(error, kind))
