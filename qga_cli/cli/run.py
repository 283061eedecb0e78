"""From parsed words to the printed answer: targets, fleet, agent, render."""

import contextlib
import os
import signal
import sys
import time

from qga_cli import render
from qga_cli.agent import Agent, Reply
from qga_cli.cli import values
from qga_cli.cli.options import for_command
from qga_cli.errors import FleetFailed, Interrupted, QgaError, TimedOut
from qga_cli.fleet import Fleet, Outcome
from qga_cli.interrupt import Interrupt
from qga_cli.job import Finished, Job, Streams
from qga_cli.spec import Command
from qga_cli.targets import Hosts, Target, is_fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_GRACE = 10.0  # seconds a verb may take past --timeout to end what it began in the guest


class Run:
    """One invocation of one command. `raw` is what the parser found, by argument name."""

    def __init__(self, command: Command, raw: "dict[str, Any]") -> None:
        self.command = command
        self.values = values.convert(for_command(command), raw)
        self.interrupt = Interrupt()
        self.timeout: float | None = self.values.get("timeout")
        self.guests: str = self.values.get("guest", "")
        self.fleet = is_fleet(self.guests)
        connect = self.values.get("connect") or os.environ.get("QGA_CONNECT") or None
        self.hosts = Hosts(connect)
        self.view = render.View(
            command,
            output=self.values.get("output") or os.environ.get("QGA_OUTPUT", ""),
            terminal=sys.stdout.isatty(),
            fleet=self.fleet,
            columns=self.values.get("columns", ""),
            header=not self.values.get("no-header"),
            sort=self.values.get("sort", ""),
            watch="watch" in self.values,
        )

    def __call__(self) -> int:
        """Do it. Returns the exit code; raises QgaError when nothing came of it."""
        try:
            return self._watch(self.values["watch"]) if "watch" in self.values else self._run()
        finally:
            self.hosts.close()

    def _watch(self, seconds: float) -> int:
        """Do it every so many seconds, until a signal, or an error of the one guest asked."""
        begun, rounds = time.monotonic(), 0
        try:
            while True:
                with contextlib.suppress(FleetFailed):  # each failure has been told
                    self._run()
                rounds += 1
                if self.interrupt.sleep(begun + rounds * seconds - time.monotonic(), 0):
                    return 128 + self.interrupt.signum
        except Interrupted as error:
            return error.exit_code  # the way out that is meant: nothing to complain about

    def _run(self) -> int:
        if self.command.scope != "guest":
            words = self.values.get("guests")
            named = self.hosts.resolve(",".join(words)) if words else []
            nobody = Target(None, "", "")
            return self._one(self._start([nobody], lambda index, target: self._verb(None, named)))
        if not self.command.run:
            self.arguments = values.wire_arguments(self.command, self.values)
        targets = self.hosts.resolve(self.guests)
        transports = [self.hosts.transport(target, slot) for slot, target in enumerate(targets)]

        def work(index: int, target: Target) -> object:
            agent = Agent(transports[index], target.label, self.say)
            try:
                if self.command.run:
                    return self._verb(agent, targets)
                return self._wire(agent, self.arguments)
            finally:
                transports[index].close()

        fleet = self._start(targets, work)
        return self._many(fleet, len(targets)) if self.fleet else self._one(fleet)

    def say(self, level: int, text: str) -> None:
        """Tell a step on stderr, to whoever asked for this much."""
        if self.values.get("verbose", 0) >= level:
            render.note(text)

    def _start(self, targets: list[Target], work: "Callable[[int, Target], object]") -> Fleet:
        grace = _GRACE if self.command.run else 0
        fleet = Fleet(
            targets,
            work,
            self.interrupt,
            parallel=self.values.get("parallel") or 16,
            limit=None if self.timeout is None else self.timeout + grace,
        )

        def handle(signum: int, frame: object) -> None:
            self.interrupt.set(signum)
            fleet.wake()

        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, handle)
        return fleet

    def _one(self, fleet: Fleet) -> int:
        ((_, outcome),) = fleet.outcomes()
        if outcome.error:
            raise outcome.error
        return self._print(outcome.value)

    def _print(self, result: object) -> int:
        if isinstance(result, Reply):
            self._write(self.view.one(result.value, result.text))
            return result.code
        finished = result if isinstance(result, Finished) else Finished(result)
        if finished.value is not None:
            self._write(self.view.one(finished.value))
        return finished.code

    def _many(self, fleet: Fleet, count: int) -> int:
        failed = code = 0
        done: dict[int, Outcome] = {}
        shown = 0
        for index, outcome in fleet.outcomes():
            done[index] = outcome
            if outcome.error or (isinstance(outcome.value, Finished) and outcome.value.code):
                failed += 1
                if self.values.get("fail-fast"):
                    fleet.stop()
            elif isinstance(outcome.value, Reply):
                code = max(code, outcome.value.code)
            if self.values.get("as-completed"):
                self._show([done.pop(index)])
            elif not self.view.gathers:
                while shown in done:
                    self._show([done.pop(shown)])
                    shown += 1
        self._show([done[index] for index in sorted(done)])
        if failed and not code:
            raise FleetFailed(f"{failed} of {count} guests failed")
        return code

    def _show(self, outcomes: list[Outcome]) -> None:
        if outcomes:
            self._write(self.view.many(outcomes))
        for outcome in outcomes:
            error = outcome.error
            if isinstance(error, QgaError):
                if not self.view.errors_are_json:
                    sys.stderr.write(render.error_text(error, outcome.target.label))
            elif error:
                raise error

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _wire(self, agent: Agent, arguments: "dict[str, object]") -> Reply:
        if self.timeout is not None:
            agent.deadline = time.monotonic() + self.timeout
        try:
            reply = agent.call(self.command, arguments)
        except QgaError as error:
            if agent.deadline is not None and time.monotonic() >= agent.deadline:
                ran = ": it may have run" if agent.sent and self.command.changes else ""
                raise TimedOut(f"no answer within {self.timeout:g} s{ran}") from error
            raise
        if self.command.result is None:
            self.say(0, agent.delivered(self.command.name))
        return reply

    def _verb(self, agent: Agent | None, targets: list[Target]) -> object:
        from importlib import import_module

        def wire() -> Reply:
            assert agent is not None
            return self._wire(agent, values.wire_arguments(self.command, self.values))

        module, _, function = self.command.run.partition(":")
        job = Job(
            agent=agent,
            arguments=self.values,
            streams=Streams.standard(),
            interrupt=self.interrupt,
            output=self.values.get("output", ""),
            timeout=self.timeout,
            hosts=self.hosts,
            targets=targets,
            fleet=self.fleet,
            say=self.say,
            wire=wire,
        )
        return getattr(import_module(f"qga_cli.{module}"), function)(job)
