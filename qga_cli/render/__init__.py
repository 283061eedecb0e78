"""Values in, text out. Decides once per run which form the answer takes."""

import sys
from collections.abc import Iterable, Sequence

from qga_cli.errors import QgaError, UsageError
from qga_cli.format import printable
from qga_cli.render import machine
from qga_cli.spec import Column, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.fleet import Outcome


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

    @property
    def errors_are_json(self) -> bool:
        """Whether errors are printed as JSON too."""
        return self._form in ("json", "jsonl")

    @property
    def is_raw(self) -> bool:
        """Whether bytes go through as they come."""
        return self._form == "raw"

    @property
    def gathers(self) -> bool:
        """Whether a fleet's answers are one table, printed when the last one is in."""
        return self._fleet and self._form in ("table", "yaml") and bool(self._command.columns)

    def one(self, value: "Any", text: str = "") -> str:
        """The answer of one guest: the checked value, and the reply line it came in."""
        form = self._form
        if form == "raw":
            return text + "\n" if text else ""
        if form == "json":
            return machine.json_text(self._json(value), indent=2 if self._terminal else None)
        if form == "jsonl":
            rows = self._rows(value)
            items = rows if rows is not None and not self._is_object(value) else [self._json(value)]
            return "".join(machine.json_text(item) for item in items)
        if form == "yaml":
            return machine.yaml_text(self._json(value))
        return self._cells([("", value)])

    def many(self, outcomes: "Iterable[Outcome]") -> str:
        """The answers of some guests of a fleet, errors left out unless the form is JSON."""
        outcomes = list(outcomes)
        if self._form in ("json", "jsonl"):
            return "".join(machine.json_text(self._fleet_json(outcome)) for outcome in outcomes)
        good = [(outcome.target.label, outcome.value) for outcome in outcomes if not outcome.error]
        if self._form == "raw":
            texts = [getattr(value, "text", "") for _, value in good]
            return "".join(f"{text}\n" for text in texts if text)
        values = [(label, getattr(value, "value", value)) for label, value in good]
        if self._form == "yaml":
            return machine.yaml_text({label: self._json(value) for label, value in values})
        return self._cells(values)

    def _cells(self, values: "Sequence[tuple[str, Any]]") -> str:
        """Rows and columns, an object's lines, or bare values, whichever the command has."""
        if not self._columns:
            prefix = "{}: " if self._fleet else ""
            shown = [(label, value) for label, value in values if value not in (None, {})]
            return "".join(
                f"{prefix.format(printable(label))}{machine.scalar(value)}\n"
                for label, value in shown
            )
        as_object = not self._fleet and all(self._is_object(value) for _, value in values)
        columns = self._columns
        rows = [
            {"vm": label, **row} if self._fleet else row
            for label, value in values
            for row in self._rows(value) or ()
        ]
        if self._fleet:
            columns = (Column("vm"), *columns)
        rows = machine.ordered(rows, columns, self._sort)
        if self._form == "table":
            from qga_cli.render import table

            if as_object:
                return table.lines(columns, rows[0])
            return table.grid(columns, rows, header=self._header)
        if as_object and self._form == "tsv":
            return machine.object_tsv(columns, rows[0])
        writer = machine.csv_text if self._form == "csv" else machine.tsv_text
        header = self._header and self._fleet_header()
        return writer(columns, rows, header=header)

    def _fleet_header(self) -> bool:
        """True once: a fleet's rows come in several goes under one header."""
        self._header = self._header and not self._fleet
        return True

    def _rows(self, value: "Any") -> "list[Any] | None":
        rows = self._command.rows
        if callable(rows):
            return rows(value)
        if rows:
            return list(value[rows])
        if isinstance(value, list):
            return value
        return [value] if self._is_object(value) else None

    def _is_object(self, value: object) -> bool:
        return isinstance(value, dict) and not self._command.rows

    def _json(self, value: "Any") -> object:
        return machine.readable(value, self._command.result)

    def _fleet_json(self, outcome: "Outcome") -> dict[str, object]:
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
    text = f"qga: {about}{printable(error.message)}\n"
    return text + (f"hint: {printable(error.hint)}\n" if error.hint else "")


def note(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"qga: {printable(text)}\n")


def _chosen(command: Command, names: str) -> tuple[Column, ...]:
    if not names:
        return command.columns
    known = {column.name: column for column in command.columns}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise UsageError(
            f"no column {unknown[0]!r} in `{command.name}`", hint="columns: " + ", ".join(known)
        )
    return tuple(known[name] for name in names.split(","))
