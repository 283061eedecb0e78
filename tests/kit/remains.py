"""What a qga that has ended leaves of itself: ports, and processes in the guest."""

import time

from qga_cli.agent import Agent
from qga_cli.agent.program import capture
from qga_cli.transports import connect
from tests import lab
from tests.kit import channels

_LOOK = "ps -eo pid=,ppid=,args="


class Remains:
    """Looks for what there is of ours beside what there was. `known` begins processes' words that
    are no matter of ours, and so do those of the kernel's and udev's. `limit` is the seconds after
    the end of a qga in which all is gone."""

    def __init__(self, guest: lab.Guest, *known: str, limit: float) -> None:
        self._guest = guest
        self._limit = limit
        self._others = ("[", "(udev-worker)", *known)
        self._known = self._processes().keys()

    def soon(self) -> list[str]:
        """Ports that somebody uses, at either end, and words of processes: those that stay."""
        until = time.monotonic() + self._limit
        while (left := self._now()) and time.monotonic() < until:
            time.sleep(0.1)
        return left

    def _now(self) -> list[str]:
        found = channels.used(self._guest.uri, self._guest.name)
        there = self._processes()
        return found + [f"{pid} {there[pid]}" for pid in there.keys() - self._known]

    def _processes(self) -> dict[str, str]:
        """Those of the guest by pid, but for the kernel's and those of this look."""
        host = connect(self._guest.uri)
        try:
            transport = host.open(self._guest.name)
            done = capture(Agent(transport, self._guest.name), _LOOK.split())
        finally:
            host.close()
        rows = [line.split(None, 2) for line in done.stdout.decode().splitlines()]
        return {
            pid: f"{parent} {words}"
            for pid, parent, words in rows
            if words != _LOOK and not words.startswith(self._others)
        }
