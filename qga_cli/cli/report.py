"""What a fleet prints: each guest in order, as they come, or equal outputs once; then a summary."""

from __future__ import annotations

import io
import sys
import threading

from qga_cli import render
from qga_cli.agent import Reply
from qga_cli.errors import FleetFailed, Interrupted, QgaError
from qga_cli.format import printable
from qga_cli.guests.fold import fold
from qga_cli.verbs.job import Finished, Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from qga_cli.guests.fanout import Gathered, Shared
    from qga_cli.guests.fleet import Fleet, Outcome
    from qga_cli.guests.targets import Target
    from qga_cli.render import View

_REASONS = 5  # told apart in the summary; the guests' own lines have them all
_TIDYING = 10.0  # seconds for programs in other guests to be left, once nobody reads us


class Report:
    """Prints and counts the outcomes of one fleet of `count` guests."""

    def __init__(
        self,
        view: View,
        count: int,
        *,
        as_completed: bool,
        gather: bool,
        streams: Callable[[], Streams] = Streams.standard,
    ) -> None:
        self._standard = streams
        self._view = view
        self._count = count
        self._as_completed = as_completed
        self._gather = gather
        self._waiting: dict[int, Outcome] = {}  # not printed yet
        self._shown = 0
        self._hints: set[str] = set()  # told already
        self._good = 0
        self._code = 0  # the worst of answers that are bad news without being failures
        self._failed: dict[int, tuple[str, str]] = {}  # why, and which guest
        self._outputs: dict[int, tuple[BinaryIO, BinaryIO]] = {}  # to be closed
        self._gathered: dict[int, tuple[Gathered, Gathered]] = {}
        self._lock = threading.Lock()
        self._shared: Shared | None = None
        self._bug: Exception | None = None  # the first one, raised when all else is told

    def streams(self, index: int, target: Target) -> Streams:
        """A guest's own streams: its output is prefixed or kept, the input is for everyone."""
        from qga_cli.guests.fanout import Gathered, Prefixed, Reader, Shared

        standard = self._standard()
        with self._lock:
            self._shared = self._shared or Shared(standard.stdin)
        stdin = io.BufferedReader(Reader(self._shared))
        if self._view.is_raw:
            return Streams(stdin, standard.stdout, standard.stderr)
        outputs: Any
        if self._gather:
            outputs = self._gathered[index] = Gathered(), Gathered()
        else:
            outputs = (
                Prefixed(standard.stdout, target.label, self._lock),
                Prefixed(standard.stderr, target.label, self._lock),
            )
        self._outputs[index] = outputs
        return Streams(stdin, *outputs)

    def follow(self, fleet: Fleet, *, fail_fast: bool) -> int:
        """Print all outcomes. Returns the exit code; raises FleetFailed, Interrupted."""
        try:
            with fleet.interrupt.leaves(self._summary):
                for index, outcome in fleet.outcomes():
                    if not self._add(index, outcome) and fail_fast:
                        fleet.stop()
            if signum := fleet.interrupt.signum:  # all have ended by it, and cleaned up
                raise Interrupted(signum)
        except Interrupted as error:
            self._finish()
            error.add(after=f": {self._summary()}")
            raise
        except OSError:  # nobody reads our output: the others find that too, each in its time
            fleet.settle(_TIDYING)
            raise
        self._finish()
        if self._bug:
            raise self._bug
        if self._failed:
            failed = FleetFailed(self._summary())
            failed.exit_code = self._code or failed.exit_code
            raise failed
        if not self._view.errors_are_json and not self._view.watches:
            render.note(self._summary(), style="1;31" if self._code else "1;32")
        return self._code

    def _add(self, index: int, outcome: Outcome) -> bool:
        """Count one outcome and print what is due; False when the guest failed."""
        for output in self._outputs.get(index, ()):
            output.close()
        error = outcome.error
        # An error of the system's is one of our output, which is everybody's.
        if isinstance(error, Exception) and not isinstance(error, (QgaError, OSError)):
            self._bug = self._bug or error
            outcome.error = QgaError(f"this is a bug in qga: {type(error).__name__}: {error}")
        reason = _reason(outcome)
        if reason:
            self._failed[index] = reason, outcome.target.label
        else:
            self._good += 1
            if isinstance(outcome.value, Reply):
                self._code = max(self._code, outcome.value.code)
        self._waiting[index] = outcome
        if self._as_completed:
            self._show([self._waiting.pop(index)])
        elif not self._view.gathers and not self._gather:
            while self._shown in self._waiting:
                self._show([self._waiting.pop(self._shown)])
                self._shown += 1
        return not reason

    def _finish(self) -> None:
        """Print what waits for an earlier guest or for all of them."""
        if self._shared:
            self._shared.free()
        if self._gather:
            self._show_gathered()
            for kept in [one for pair in self._gathered.values() for one in pair]:
                kept.free()
        else:
            self._show([self._waiting[index] for index in sorted(self._waiting)])

    def _show(self, outcomes: list[Outcome]) -> None:
        if outcomes:  # first, for --watch clears the screen with it
            render.answer(self._view.many(outcomes))
        self._complain(outcomes)

    def _complain(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome.error, QgaError):
                if not self._view.errors_are_json:
                    hint = outcome.error.advice
                    known = hint in self._hints  # fifty guests of one policy need it once
                    self._hints.add(hint)
                    label = outcome.target.label
                    render.complain(render.error_text(outcome.error, label, hinted=not known))
            elif outcome.error:
                raise outcome.error

    def _show_gathered(self) -> None:
        texts: dict[tuple[bytes, str], list[int]] = {}
        errors: dict[bytes, list[int]] = {}
        for index, outcome in sorted(self._waiting.items()):
            out, err = self._gathered.get(index, (None, None))
            text = "" if outcome.error else self._text(outcome.value)
            if text or (out and out.size):
                texts.setdefault((out.digest() if out else b"", text), []).append(index)
            if err and err.size:
                errors.setdefault(err.digest(), []).append(index)
        for (_, text), indexes in texts.items():
            self._show_group(0, indexes, text)
        for indexes in errors.values():
            self._show_group(1, indexes, "")
        self._complain([outcome for _, outcome in sorted(self._waiting.items())])

    def _show_group(self, stream: int, indexes: list[int], text: str) -> None:
        from qga_cli.guests.fanout import RULE, no_header

        names = fold(self._waiting[index].target.label for index in indexes)
        count = f" ({len(indexes)})" if len(indexes) > 1 else ""
        file = (sys.stdout, sys.stderr)[stream]
        file.write(f"{RULE}\n{printable(names)}{count}\n{RULE}\n")
        file.flush()
        if indexes[0] in self._gathered:
            self._gathered[indexes[0]][stream].copy_to(file.buffer)
            file.buffer.flush()
        for line in text.splitlines(keepends=True):
            file.write(
                no_header(line.encode(errors="surrogatepass")).decode(errors="surrogatepass")
            )

    def _text(self, value: object) -> str:
        """What one guest alone would have had printed."""
        if isinstance(value, Reply):
            return self._view.one(value.value, value.text)
        value = value.value if isinstance(value, Finished) else value
        return "" if value is None else self._view.one(value)

    def _summary(self) -> str:
        parts = [f"{self._good} ok"] if self._good else []
        failed = len(self._failed)
        if failed:
            found: dict[str, list[str]] = {}
            for _, (why, guest) in sorted(self._failed.items()):  # in the order that was asked for
                found.setdefault(why, []).append(guest)
            reasons = [f"{fold(who)}: {why}" for why, who in list(found.items())[:_REASONS]]
            more = "; ..." if len(found) > _REASONS else ""
            parts.append(f"{failed} failed ({'; '.join(reasons)}{more})")
        left = self._count - self._good - failed
        if left:
            parts.append(f"{left} not finished")
        return ", ".join(parts)


def _reason(outcome: Outcome) -> str:
    """Why a guest counts as failed, in a word or two; empty when it does not."""
    if isinstance(outcome.error, QgaError):
        return outcome.error.kind.replace("-", " ")
    if outcome.error:
        return type(outcome.error).__name__
    code = outcome.value.code if isinstance(outcome.value, Finished) else 0
    return f"exit code {code}" if code else ""
