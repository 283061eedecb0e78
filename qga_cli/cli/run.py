"""From parsed words to the printed answer: targets, fleet, agent, render."""

from __future__ import annotations

import sys
import time

from qga_cli import config, render
from qga_cli.agent import Agent, Reply
from qga_cli.cli import exit_code, last_signal, values
from qga_cli.cli.options import fill, for_command
from qga_cli.cli.screen import RunScreen
from qga_cli.cli.wire_calls import WireCalls
from qga_cli.errors import FleetFailed, Interrupted, QgaError, UsageError
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.hosts import Hosts, guarding
from qga_cli.guests.targets import Target, is_fleet
from qga_cli.interrupt import Interrupt
from qga_cli.spec import FOREVER, Command
from qga_cli.verbs.job import Finished, Job, Streams, options_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from qga_cli.cli.report import Report
    from qga_cli.policy.guard import Guard

_GRACE = 10.0  # seconds a verb may take past --timeout to end what it began in the guest


class Run:
    """One invocation of one command. `raw` is what the parser found, by argument name."""

    def __init__(self, command: Command, raw: dict[str, Any], words: Sequence[str] = ()) -> None:
        self.command = command
        self.words = words
        self.began = time.monotonic()
        self.config = config.load()
        raw = fill(command, raw, self.config)
        self.values = values.convert(for_command(command), raw)
        self.interrupt = Interrupt()
        self.timeout: float | None = self.values.get("timeout")
        self.guests = self._guests()
        self.fleet = is_fleet(self.guests)
        self.screen = RunScreen(self.values, fleet=self.fleet)
        self.calls = WireCalls(command, self.timeout, self.screen.say, fleet=self.fleet)
        self.gather = self.fleet and bool(self.values.get("gather"))
        self.hosts = Hosts(
            self.values.get("connect"),
            self.config.values("hosts"),
            self.config.values("groups"),
            labels=self.values.get("label", ()),
            state=self.values.get("state", ""),
            timeout=self.timeout,
            interrupt=self.interrupt,
            guard=self._guard(),
            say=self.screen.say,
        )
        self.view = render.View(
            command,
            output=self.values.get("output", ""),
            terminal=sys.stdout.isatty(),
            fleet=self.fleet and not self.gather,
            columns=self.values.get("columns", ""),
            header=not self.values.get("no-header"),
            sort=self.values.get("sort", ""),
            watch="watch" in self.values,
            guest=self.guests,
        )
        self.screen.show_waiting(command, self.view.one if self.view.terminal else None)
        if self.gather and (self.view.errors_are_json or self.view.is_raw):
            raise UsageError("--gather compares text: it does not go with -o json, jsonl or raw")
        for other in ("watch", "as-completed") if self.gather else ():
            if other in self.values:
                raise UsageError(f"--gather does not go with --{other}")

    def __call__(self) -> int:
        """Do it. Returns the exit code; raises QgaError when nothing came of it."""
        # Left last: it has to hear of signals while the last lines are written.
        with (
            last_signal.heeded(self.interrupt, self._last_words),
            self.interrupt.leaves(self._left),
        ):
            code = exit_code.of(QgaError(""), self.command)  # output that cannot be written, a bug
            try:
                code = self._do()
                return code
            except KeyboardInterrupt:  # at a question
                code = 128 + last_signal.ENDING[0]
                raise
            except BrokenPipeError as error:
                code = 141  # 128 + SIGPIPE
                if not self.interrupt.signum:
                    raise
                code = 128 + self.interrupt.signum
                stopped = Interrupted(self.interrupt.signum)
                raise stopped.add(after=", and nobody read the output") from error
            except QgaError as error:
                if isinstance(error, Interrupted):
                    error.add(after=self.calls.any_may_have_run())
                code = exit_code.of(error, self.command)
                raise
            finally:
                self._note(code)
                try:
                    self.screen.end()
                    self.screen.sum_up(time.monotonic() - self.began)
                except OSError:  # a bar's terminal has been closed: the code tells still
                    pass
                finally:
                    if self.hosts.guard:
                        self.hosts.guard.close()

    def close(self) -> None:
        """Close the connections; once all is said, for a host that has gone costs a second."""
        self.hosts.disconnect()

    def _note(self, code: int) -> None:
        """Write into the audit file what was typed, and how it ended."""
        if not (self.hosts.guard and self.hosts.guard.audit):
            return
        from qga_cli.cli.audit_line import told  # where there is such a file

        line = told(self.command, self.words, self.values, self.guests, code)
        self.hosts.guard.audit.ran(line, time.monotonic() - self.began)

    def _do(self) -> int:
        if self.values.get("explain"):
            return self._explain()
        # Before our handlers stand: Ctrl-C at a question for a password ends it as anywhere.
        self.arguments = (
            {} if self.command.run else values.wire_arguments(self.command, self.values)
        )
        last_signal.handle(self.interrupt)
        return self._watch(self.values["watch"]) if "watch" in self.values else self._run()

    def _left(self) -> str:
        """What is known of the wire command, when there is no time to ask any more."""
        if self.hosts.guard:
            self._note(128 + (self.interrupt.signum or last_signal.ENDING[0]))
            self.hosts.guard.close()  # which notes the calls under way as abandoned
        return self.calls.any_may_have_run().removeprefix(": ")

    def _too_late(self, guest: str) -> QgaError:
        """What is said of work that is left behind when its time is over."""
        error = self.calls.too_late(guest)
        if self.fleet:
            return error  # whose words they would be is not known
        tells = [tell for tell in self.interrupt.leaving() if tell != self._left]
        left = "; ".join(filter(None, (tell() for tell in tells)))
        return error.add(after=f": {left}" if left else "")

    def _last_words(self, signum: int, left: str) -> str:
        self.screen.end()
        error = Interrupted(signum).add(after=f": {left}" if left else "")
        as_json = self.view.errors_are_json
        return render.error_text(error, "" if self.fleet else self.guests, as_json=as_json)

    def _guard(self) -> Guard | None:
        """What stands before agents; of help, which asks none, the administrator's file is not."""
        settings = self.config if self.command.since else config.Config()
        return guarding(settings, self.values.get("audit", ""))

    def _guests(self) -> str:
        """The word that names the guests; "" when there is none, or a verb sees to it itself."""
        if self.command.scope in ("places", "inside"):
            from qga_cli.files import places_of_many

            if self.command.scope == "places":
                if not self.values.get("explain"):
                    places_of_many.check_sources(self.values["places"])
                return places_of_many.fleet_of(self.values["places"])
            return places_of_many.same_fleet_of(self.values.get("places") or [self.values["place"]])
        return str(self.values.get("guest", ""))

    def _watch(self, seconds: float) -> int:
        """Do it every so many seconds, until a signal, or an error of the one guest asked."""
        due = time.monotonic()
        try:
            while True:
                try:
                    self._run()
                except FleetFailed:  # each failure has been told
                    pass
                due = max(due + seconds, time.monotonic())  # what was missed is not made up for
                if self.interrupt.sleep(due - time.monotonic(), 0):
                    return 128 + self.interrupt.signum
        except Interrupted as error:
            return error.exit_code  # the way out that is meant: nothing to complain about

    def _run(self) -> int:
        if self.command.scope != "guest" and not self.fleet:
            return self._one(self._start([Target(None, "", "")], self._together))
        targets = self.hosts.resolve(self.guests)
        if not self.fleet:
            return self._one(self._start(targets, self._work(targets)))
        if self.command.name == "shell" or self.values.get("tty"):
            names = ", ".join(target.label for target in targets)
            raise UsageError(
                f"a terminal belongs to one guest, by its name; these are {len(targets)}: {names}"
            )
        from qga_cli.cli.report import Report

        as_completed = bool(self.values.get("as-completed"))
        report = Report(
            self.view,
            len(targets),
            as_completed=as_completed,
            gather=self.gather,
            streams=self.screen.streams,
        )
        fleet = self._start(targets, self._work(targets, report))
        return report.follow(fleet, fail_fast=bool(self.values.get("fail-fast")))

    def _explain(self) -> int:
        from qga_cli.cli.explain import explain

        targets = self.hosts.named(self.guests) if self.guests and self.command.wire else []
        render.answer(explain(self.command, self.values, targets))
        return 0

    def _together(self, index: int, nobody: Target) -> object:
        """A verb of scope fleet or none: all guests in one job."""
        words = self.values.get("guests")
        return self._verb(None, self.hosts.resolve(",".join(words)) if words else [])

    def _work(
        self, targets: list[Target], report: Report | None = None
    ) -> Callable[[int, Target], object]:
        """What is done for each guest."""

        def work(index: int, target: Target) -> object:
            if self.command.run:
                streams = report.streams(index, target) if report else None
                return self._verb(target, targets, streams)
            teller = self.screen.teller(target)
            agent = Agent(self.hosts.transport(target), target.label, teller, self.screen.status)
            try:
                return self.calls.make(agent, self.arguments)
            finally:
                agent.transport.close()

        return work

    def _start(self, targets: list[Target], work: Callable[[int, Target], object]) -> Fleet:
        grace = _GRACE + self.values.get("kill-after", 0) if self.command.run else 0
        endless = self.command.patience == FOREVER
        return Fleet(
            targets,
            work,
            self.interrupt,
            parallel=self.values.get("parallel", 1),
            limit=None if self.timeout is None or endless else self.timeout + grace,
            status=self.screen.status,
            late=lambda index: self._too_late(targets[index].label),
        )

    def _one(self, fleet: Fleet) -> int:
        ((_, outcome),) = fleet.outcomes()
        if outcome.error:
            raise outcome.error
        result = outcome.value
        if isinstance(result, Reply):
            render.answer(self.view.one(result.value, result.text, result.seconds))
            return result.code
        finished = result if isinstance(result, Finished) else Finished(result)
        if finished.value is not None:
            render.answer(self.view.one(finished.value))
        return finished.code

    def _verb(
        self, target: Target | None, targets: list[Target], streams: Streams | None = None
    ) -> object:
        from importlib import import_module

        def wire(**more: object) -> Reply:
            given = values.wire_arguments(self.command, self.values) | more
            return self.calls.make(job.agent, given)

        module, _, function = self.command.run.partition(":")
        verb = getattr(import_module(f"qga_cli.{module}"), function)
        job = Job(
            target=target,
            streams=streams or self.screen.streams(),
            interrupt=self.interrupt,
            output=self.values.get("output", ""),
            timeout=self.timeout,
            hosts=self.hosts,
            targets=targets,
            fleet=self.fleet,
            say=self.screen.teller(target),
            wire=wire,
            progress=self.screen.progress,
            waits=self.screen.status,
        )
        try:
            return verb(job, **options_of(verb, self.values))
        finally:
            job.close()
