"""Values in, text out. Decides once per run which form the answer takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from qga_cli.errors import QgaError, UsageError
from qga_cli.format import printable, shorten, visible
from qga_cli.render import machine
from qga_cli.spec import OUTPUT, Column, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.guests.fleet import Outcome
    from qga_cli.render.watch import Rates


class View:
    """How one command's answers are printed: form, columns, header, order.

    `output` is what -o says, "" without; then a terminal gets tables, a pipe TSV or bare values.
    """

    def __init__(
        self,
        command: Command,
        *,
        output: str = "",
        terminal: bool = False,
        fleet: bool = False,
        columns: str = "",
        header: bool = True,
        sort: str = "",
        watch: bool = False,
    ) -> None:
        self._command = command
        self._form = output or ("table" if terminal else "tsv")
        self._terminal = terminal
        self._fleet = fleet
        self._header = header
        self._columns = _chosen(command, columns)
        self._sort = sort
        if sort:
            _chosen(command, sort.lstrip("-"))
        self._rates: Rates | None = None
        self._asked = False
        if watch:
            from qga_cli.render import watch as watching

            self._rates = watching.Rates(command.columns)

    @property
    def errors_are_json(self) -> bool:
        """Whether errors are printed as JSON too."""
        return self._form in ("json", "jsonl")

    @property
    def is_raw(self) -> bool:
        """Whether bytes go through as they come."""
        return self._form == "raw"

    @property
    def watches(self) -> bool:
        """Whether the same is asked again and again."""
        return self._rates is not None

    @property
    def gathers(self) -> bool:
        """Whether a fleet's answers are one table, printed when the last one is in."""
        whole = ("table", "yaml", "tsv", "csv") if self._sort else ("table", "yaml")
        return self._fleet and self._form in whole and bool(self._command.columns)

    def one(self, value: Any, text: str = "") -> str:
        """The answer of one guest: the checked value, and the reply line it came in."""
        form = self._form
        if value is None and not text:
            return ""  # no reply came, which is how shutdown and suspend succeed
        if form == "raw":
            return self._raw(text)
        if form == "json":
            return machine.json_text(self._json(value), indent=2 if self._terminal else None)
        if form == "jsonl":
            whole = self._json(value)
            items = self._member(whole)
            lines = items if isinstance(items, list) else [whole]
            return "".join(machine.json_text(line) for line in lines)
        if form == "yaml":
            return self._yaml(self._json(value))
        return self._cells([("", value)])

    def many(self, outcomes: Iterable[Outcome]) -> str:
        """The answers of some guests of a fleet, errors left out unless the form is JSON."""
        outcomes = list(outcomes)
        if self._form in ("json", "jsonl"):
            return "".join(machine.json_text(self._fleet_json(outcome)) for outcome in outcomes)
        good = [(outcome.target.label, outcome.value) for outcome in outcomes if not outcome.error]
        if self._form == "raw":
            return "".join(self._raw(getattr(value, "text", "")) for _, value in good)
        values = [(label, getattr(value, "value", value)) for label, value in good]
        if self._form == "yaml":
            return self._yaml({label: self._json(value) for label, value in values})
        return self._cells(values)

    def _yaml(self, value: object) -> str:
        """A document; --watch prints several."""
        return ("---\n" if self.watches else "") + machine.yaml_text(value)

    def _raw(self, text: str) -> str:
        """A reply line to the letter, unless a terminal would act on it."""
        text = visible(text) if self._terminal else text
        return text + "\n" if text else ""

    def _cells(self, values: Sequence[tuple[str, Any]]) -> str:
        """Rows and columns, an object's lines, or bare values, whichever the command has."""
        if self._form == "csv" and not self._columns:
            vm = (Column("vm"),) if self._fleet else ()
            told = [(label, value) for label, value in values if value not in (None, {})]
            rows = [{"vm": label, "value": value} for label, value in told]
            return self._grid((*vm, Column("value")), rows) if rows else ""
        if not self._fleet:
            return self._alone(values[0][1])
        if not self._columns:
            return "".join(
                f"{printable(label)}: {machine.scalar(value)}\n"
                for label, value in values
                if value not in (None, {})
            )
        told = [(label, value) for label, value in values if value is not None]
        if values and not told:  # a verb has printed it all
            return ""
        rows = [{"vm": label, **row} for label, value in told for row in _listed(self._made(value))]
        return self._grid((Column("vm"), *self._columns), rows)

    def _alone(self, value: Any) -> str:
        """One guest's answer: a list, an object line by line, or one value."""
        columns = self._columns
        if value is None or (value == {} and not columns):
            return ""
        if not isinstance(value, (dict, list)) and (not columns or self._form == "tsv"):
            return machine.scalar(value) + "\n"
        made = self._made(value)
        if isinstance(made, list) or self._form == "csv" or self._rates:
            return self._grid(columns, _listed(made))
        if self._form == "table":
            from qga_cli.render import table

            return table.lines(columns, made)
        return machine.object_tsv(columns, made)

    def _grid(self, columns: tuple[Column, ...], rows: list[Any]) -> str:
        """Rows below titles; with --watch, what grows per second."""
        by: Sequence[Column] = (*columns, *self._command.columns)
        rates = self._rates
        first, self._asked = not self._asked, True
        if rates:
            # A person may look at what cannot be compared yet; a program would stumble over it.
            rows = rates.rows(rows, new=self._form == "table")
            columns = rates.titled(columns)
            by = [Column(column.name) for column in by]
            if self._form != "table":
                now = time.time()
                columns = (Column("time", lambda row: now), *columns)
                if not rows:
                    return ""
        rows = machine.ordered(rows, by, self._sort)
        if self._form == "table":
            from qga_cli.render import table

            text = table.grid(columns, rows, header=self._header)
            return self._frame(text, first=first) if rates and self._terminal else text
        header = self._header
        # Rows of a fleet, and of --watch, come in several goes under one header.
        self._header = header and not (self._fleet or rates)
        writer = machine.csv_text if self._form == "csv" else machine.tsv_text
        return writer(columns, rows, header=header)

    def _frame(self, text: str, *, first: bool) -> str:
        from qga_cli.render import watch

        return watch.frame(text, self._command.name, first=first)

    def _made(self, value: Any) -> Any:
        """What the columns are about: an object, or a list of them."""
        if any(column.kind == OUTPUT for column in self._columns):
            value = machine.readable(value, self._command.result, lossy=True)
        rows = self._command.rows
        return rows(value) if callable(rows) else self._member(value)

    def _member(self, value: Any) -> Any:
        """The member that the command shows, or all."""
        rows = self._command.rows
        return value[rows] if isinstance(rows, str) and rows else value

    def _json(self, value: Any) -> object:
        return machine.readable(value, self._command.result)

    def _fleet_json(self, outcome: Outcome) -> dict[str, object]:
        vm = {"vm": outcome.target.label}
        if isinstance(outcome.error, QgaError):
            return {**vm, "error": outcome.error.as_dict()}
        value = getattr(outcome.value, "value", outcome.value)
        return {**vm, "return": self._json(value)}


def error_text(error: QgaError, guest: str = "", *, as_json: bool = False) -> str:
    """An error as stderr shows it: one line, and one with the hint."""
    if as_json:
        vm = {"vm": guest} if guest else {}
        return machine.json_text({**vm, "error": error.as_dict()})
    about = f"{printable(guest)}: " if guest else ""
    text = f"qga: {about}{shorten(printable(error.message))}\n"
    return text + (f"hint: {shorten(printable(error.hint))}\n" if error.hint else "")


def note(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"qga: {printable(text)}\n")


def _listed(made: Any) -> list[Any]:
    return made if isinstance(made, list) else [made]


def _chosen(command: Command, names: str) -> tuple[Column, ...]:
    if not names:
        return tuple(column for column in command.columns if not column.extra)
    known = {column.name: column for column in command.columns}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise UsageError(
            f"no column {unknown[0]!r} in `{command.name}`", hint="columns: " + ", ".join(known)
        )
    return tuple(known[name] for name in names.split(","))
