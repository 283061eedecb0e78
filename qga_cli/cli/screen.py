"""What a person sees of a run beside its answer: steps, warnings, what is waited for, bars."""

from __future__ import annotations

import sys

from qga_cli import render
from qga_cli.outlet import is_dumb
from qga_cli.spec import Command
from qga_cli.threads import Lock
from qga_cli.verbs.job import Meter, Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from qga_cli.guests.targets import Target
    from qga_cli.render.progress import Bars
    from qga_cli.render.status import Status

_SILENT = ("exporter", "help", "metrics", "shell", "top")  # they have the screen, or say nothing


class RunScreen:
    """The standard error of one run. `values` are those of the command line, by their names."""

    def __init__(self, values: Mapping[str, Any], *, fleet: bool) -> None:
        self.status: Status | None = None
        self._values = values
        self._fleet = fleet
        self._calls = 0  # of agents; counted for -v
        self._bars: Bars | None = None
        self._lock = Lock()  # of the bars, which many guests share

    def show_waiting(self, command: Command, rows: Callable[[Any], str] | None) -> None:
        """From now on show that we wait, where a person looks on and nothing else says so.

        `rows` draws the rows that are there already, for one guest on a terminal.
        """
        values = self._values
        others = any(values.get(name) for name in ("tty", "follow", "watch", "verbose"))
        if others or command.name in _SILENT or not sys.stderr.isatty() or is_dumb():
            return
        from qga_cli.render.status import Status

        self.status = Status(None if self._fleet else rows)

    def off(self) -> None:
        """Show no more that we wait."""
        if self.status:
            self.status.off()

    def end(self) -> None:
        """Show nothing but text any more, whoever still works: we end."""
        self.off()
        if self._bars:
            self._bars.end()

    def streams(self) -> Streams:
        """The standard streams; what is written to them and what is shown do not mix."""
        standard = Streams.standard()
        if not self.status:
            return standard
        from qga_cli.render.status import Watched

        # What one guest's program writes may stand anywhere on the screen: nothing goes over it.
        before = self.status.clear if self._fleet else self.status.off
        out: Any = Watched(standard.stdout, before)
        err: Any = Watched(standard.stderr, before)
        return Streams(standard.stdin, out, err)

    def say(self, level: int, text: str) -> None:
        """Print a step for users who asked for this much with -v; level -1 is a warning.

        Level 2 has a line for each call of an agent.
        """
        self._calls += level == 2
        if self._values.get("verbose", 0) >= level:
            if self.status:
                self.status.clear()
            render.note(text, style="1;33" if level < 0 else "1")

    def teller(self, target: Target | None) -> Callable[[int, str], None]:
        """`say`, with the guest's name where there are several."""
        if target is None or not self._fleet:
            return self.say
        return lambda level, text: self.say(level, f"{target.label}: {text}")

    def sum_up(self, seconds: float) -> None:
        """The last step: how much was asked of agents, and how long it took."""
        calls = f"{self._calls} agent call{'s' if self._calls != 1 else ''}"
        self.say(1, f"{calls}, {seconds:.2f} s")

    def progress(self, what: str, total: int | None) -> Meter:
        """A bar, if somebody may see it: its library takes 70 ms to load."""
        if self._values.get("quiet") or not sys.stderr.isatty():
            return Meter()
        self.off()
        with self._lock:
            if self._bars is None:
                from qga_cli.render.progress import Bars

                self._bars = Bars()
        return self._bars.bar(what, total)
