"""Waiting for guests: woken by libvirt's events where there are any, asking at intervals else."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from functools import partial

from qga_cli.errors import (
    Frozen,
    NoGuest,
    NotConfigured,
    NotConnected,
    NotDelivered,
    NotRunning,
    OutcomeUnknown,
    QgaError,
    Refused,
    TimedOut,
    Unsupported,
)
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Target, is_fleet
from qga_cli.health.readiness import Condition, NotYet, condition
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIRST = 0.05  # seconds between two looks, doubled each time
_CEILING = 1.0
_MARGIN = 0.2  # share of a short time left for the last answer, so that it can say why
_WITH_EVENTS = 10.0  # ceiling while only an event can bring news
_TOLD = (NotRunning, NotConnected, NoGuest)  # an event will end these
_FATAL = (NotConfigured, Unsupported)  # waiting cannot fix these
_NOT_YET = (NotDelivered, OutcomeUnknown, Frozen, Refused, NotYet)


def wait(job: Job, *, vm: list[str], for_: str) -> Finished:
    """`qga wait`: nothing to say about one guest that gets ready, a row for each of several."""
    ready = condition(for_)
    targets = job.hosts.resolve(",".join(vm), look_up=True)
    assert job.timeout is not None
    deadline = time.monotonic() + job.timeout - min(1.0, job.timeout * _MARGIN)
    waiter = Waiter(job, ready, deadline, targets)
    fleet = Fleet(targets, waiter.wait, job.interrupt, parallel=len(targets), limit=job.timeout)
    rows: list[dict[str, Any] | None] = [None] * len(targets)
    errors: list[QgaError] = []
    started = time.monotonic()
    for index, outcome in fleet.outcomes():
        error = outcome.error
        if error is not None and not isinstance(error, QgaError):
            raise error
        row = {"vm": outcome.target.label, "ready": error is None}
        rows[index] = row | {
            "seconds": time.monotonic() - started,
            "reason": str(error) if error else None,
        }
        if isinstance(error, QgaError):
            errors.append(error)
    if not is_fleet(",".join(vm)):
        if errors:
            raise errors[0]
        return Finished()
    code = 124 if any(isinstance(error, TimedOut) for error in errors) else 123
    return Finished(rows, code if errors else 0)


class Waiter:
    """Waits for one condition on many guests, each in a thread of its own."""

    def __init__(self, job: Job, ready: Condition, deadline: float, targets: list[Target]) -> None:
        self._job = job
        self._ready = ready
        self._deadline = deadline
        self._bells = {(target.uri, target.name): threading.Event() for target in targets}
        self._watched = {
            uri: job.hosts.host(uri).watch(partial(self._ring, uri))
            for uri in {target.uri for target in targets if not target.error}
        }

    def wait(self, index: int, target: Target) -> None:
        """Return when the guest is ready. Raises TimedOut, and what waiting cannot fix."""
        if target.error:
            raise target.error
        bell = self._bells[target.uri, target.name]
        pause = _FIRST
        reason: QgaError | None = None
        while True:
            bell.clear()
            news = self._look(target)
            if news is None:
                return
            left = self._deadline - time.monotonic()
            # A call cut short by the deadline says nothing about the guest.
            reason = news if left > 0 or reason is None else reason
            if left <= 0:
                raise TimedOut(
                    f"not ready within {self._job.timeout:g} s: {reason}", hint=reason.hint
                )
            self._job.say(1, f"{target.label}: not yet: {reason}")
            self._job.waiting(f"waiting for {target.label}: {reason.message}")
            quiet = isinstance(reason, _TOLD) and self._watched[target.uri]
            ceiling = _WITH_EVENTS if quiet else _CEILING
            rung = bell.wait(min(pause, ceiling, left))
            pause = _FIRST if rung else pause * 2

    def _look(self, target: Target) -> QgaError | None:
        """Why the guest is not ready yet, None when it is."""
        try:
            agent = self._job.connect(target)
            try:
                agent.deadline = self._deadline
                self._ready.check(agent, lambda: self._macs(target))
            finally:
                agent.transport.close()
        except _FATAL:
            raise
        except NoGuest as error:
            return None if self._ready.without_guest else error
        except _NOT_YET as error:
            return error
        return None

    def _macs(self, target: Target) -> Collection[str]:
        facts = self._job.hosts.host(target.uri).facts(target.name)
        return facts.macs if facts else ()

    def _ring(self, uri: str | None, name: str) -> None:
        bell = self._bells.get((uri, name))
        if bell:
            bell.set()
