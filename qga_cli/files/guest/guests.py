"""The guests that one command of the file verbs speaks with."""

from __future__ import annotations

import os
import time

from qga_cli.errors import Interrupted, NoGuest, NotConnected, QgaError, TimedOut, UsageError
from qga_cli.exec.unsettled import is_forgotten, unsettled
from qga_cli.files.guest.access import Access
from qga_cli.files.guest.patient_agent import LATE, PatientAgent
from qga_cli.files.guest.pattern import expand, is_pattern
from qga_cli.guests.place import Place, guest_place
from qga_cli.guests.targets import is_fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from qga_cli.guests.targets import Target
    from qga_cli.verbs.job import Job


class Guests:
    """Opens each guest once; a context manager that closes them all. `channel` is as --channel."""

    def __init__(self, job: Job, channel: str = "never") -> None:
        self._job = job
        self.channel = channel
        self._open: dict[str, Access] = {}
        self._deadline = None if job.timeout is None else time.monotonic() + job.timeout

    def place(self, text: str) -> Place:
        """The place in a guest that `text` names: in this one, where it names many."""
        place = guest_place(text)
        return Place(self._job.target.label, place.path) if self._job.target else place

    def expand(self, place: Place) -> list[Place]:
        """The places that `place` stands for: itself, or what matches its pattern in the guest."""
        if not place.guest or not is_pattern(place.path):
            return [place]
        access = self.access(place)
        if not access.exec:  # then it can only be a name; Windows allows none like that
            return [place]
        return [Place(place.guest, path) for path in expand(access, place.path)]

    def access(self, place: Place) -> Access:
        """The one guest that `place` is in. Raises UsageError for a fleet."""
        if place.guest not in self._open:
            try:
                self._open[place.guest] = self._connect(self._target(place.guest))
            except NoGuest as error:
                own = f"{place.guest}:{place.path.removeprefix('/')}"
                hint = f"for the file of this host, write ./{own}" if os.path.lexists(own) else ""
                error.add(hint=hint)
                raise
        access = self._open[place.guest]
        if access.windows:
            from qga_cli.windows.paths import full

            full(place.path)  # refused before anything is done
        return access

    def _target(self, name: str) -> Target:
        if self._job.target and self._job.target.label == name:  # one of many: found already
            return self._job.target
        if is_fleet(name):
            raise UsageError(
                f"{name!r} may be several guests, and only one is possible here",
                hint="`qga list` shows which; name one of them",
            )
        return self._job.hosts.resolve(name)[0]

    def check(self) -> None:
        """Raise Interrupted or TimedOut if it is time to stop."""
        if self._job.interrupt.signum:
            raise Interrupted(self._job.interrupt.signum)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise TimedOut(LATE)

    def _connect(self, target: Target) -> Access:
        try:
            transport = self._job.hosts.transport(target)
        except QgaError as error:
            error.of(target)
            raise
        agent = PatientAgent(transport, target.label, self._teller(target.label))
        agent.target = target
        agent.deadline = self._deadline
        return Access(agent, self._job.interrupt, self.channel)

    def _teller(self, name: str) -> Callable[[int, str], None]:
        """`job.say`, which for one of many guests begins with its name by itself."""
        if self._job.target and self._job.target.label == name:
            return lambda level, text: self._job.say(level, text.removeprefix(f"{name}: "))
        return self._job.say

    def _told(self, error: QgaError) -> QgaError:
        """What `error` means for the verb: that its first call may be repeated, or may not."""
        begun = ", ".join(filter(None, (access.agent.begun for access in self._open.values())))
        if begun:
            error = unsettled(error, begun)
        elif is_forgotten(error):
            error = NotConnected("the agent was restarted")
        return error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for access in self._open.values():
            access.close()
        if isinstance(error, QgaError):
            told = self._told(error)
            if told is not error:
                raise told from error
