"""A guest while `qga doctor` looks at it, and what a check may find."""

from __future__ import annotations

import contextlib

from qga_cli.agent import Agent
from qga_cli.agent.abilities import Abilities
from qga_cli.commands.os.info import COMMAND as OS_INFO
from qga_cli.errors import QgaError, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.guests.targets import Target
    from qga_cli.transports import HostConnection
    from qga_cli.transports.libvirt_xml import GuestFacts
    from qga_cli.verbs.job import Job


class Concern:
    """Something that breaks no chain but will be in the way."""

    def __init__(self, finding: str, fix: str) -> None:
        self.finding = finding
        self.fix = fix


class CheckedGuest:
    """One guest, and what the checks have learned about it so far."""

    def __init__(self, job: Job, target: Target, *, asks: bool) -> None:
        self.job = job
        self.target = target
        self.asks = asks  # before each step of --fix
        self.info: dict[str, Any] = {}
        self.silence: QgaError | None = None  # why a ping failed that told of no dead link
        self._system = ""

    @property
    def host(self) -> HostConnection:
        """Its host, connected or not."""
        return self.job.hosts.host(self.target.uri)

    @property
    def agent(self) -> Agent:
        """Its agent; raises what keeps us from it."""
        return self.job.agent

    def facts(self) -> GuestFacts | None:
        """What the host knows at this moment; None for a bare socket."""
        return self.host.facts(self.target.name)

    def may(self, *wires: str) -> bool:
        """Whether the agent says that it takes these commands."""
        return Abilities(self.info).may(*wires)

    def system(self) -> str:
        """The guest's system, by its own words or by libosinfo's mark in the XML; may be ""."""
        if not self._system and self.may(OS_INFO.wire):
            with contextlib.suppress(Refused):  # the XML may know it too
                self._system = self.agent.call(OS_INFO).value.get("id", "")
        facts = None if self._system else self.facts()
        return self._system or (facts.system[0] if facts else "")
