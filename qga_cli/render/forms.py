"""The forms of -o, a class each: how an answer becomes text. The matrix is in render.View."""

from __future__ import annotations

import time

from qga_cli.errors import QgaError
from qga_cli.format import printable, visible
from qga_cli.render import machine
from qga_cli.spec import OUTPUT, PATH, TREE, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from qga_cli.guests.fleet import Outcome
    from qga_cli.render import View


class Form:
    """One command's answers in one form.

    `one` is given a guest's checked value and the reply line it came in; `many` outcomes of a
    fleet, of which only JSON shows the errors.
    """

    when_gathered = False  # a fleet's answers are one document, printed when the last is in
    when_sorted = False  # they are if there is a column to sort by

    def __init__(self, view: View) -> None:
        self.view = view

    def one(self, value: Any, text: str) -> str:
        """The answer of the one guest that was asked."""
        raise NotImplementedError

    def many(self, outcomes: Sequence[Outcome]) -> str:
        """The answers of some guests of a fleet."""
        raise NotImplementedError

    def member(self, value: Any) -> Any:
        """The member that the command shows, or all."""
        rows = self.view.command.rows
        return value[rows] if isinstance(rows, str) and rows else value

    def readable(self, value: Any) -> Any:
        """The value with its base64 members as text."""
        return machine.readable(value, self.view.command.result)


class Raw(Form):
    """Reply lines to the letter, unless a terminal would act on them."""

    def one(self, value: Any, text: str) -> str:
        text = visible(text) if self.view.terminal else text
        return text + "\n" if text else ""

    def many(self, outcomes: Sequence[Outcome]) -> str:
        return "".join(self.one(None, getattr(value, "text", "")) for _, value in _good(outcomes))


class Json(Form):
    """One document, indented for a person; of a fleet a line for each guest."""

    def one(self, value: Any, text: str) -> str:
        return machine.json_text(self.readable(value), indent=2 if self.view.terminal else None)

    def many(self, outcomes: Sequence[Outcome]) -> str:
        return "".join(machine.json_text(self._told(outcome)) for outcome in outcomes)

    def _told(self, outcome: Outcome) -> dict[str, object]:
        vm = {"vm": outcome.target.label}
        if isinstance(outcome.error, QgaError):
            return {**vm, "error": outcome.error.as_dict(known=vm["vm"])}
        return {**vm, "return": self.readable(_value(outcome.value))}


class JsonLines(Json):
    """A line for each item of a list, or for what is none; of a fleet as Json."""

    def one(self, value: Any, text: str) -> str:
        whole = self.readable(value)
        items = self.member(whole)
        lines = items if isinstance(items, list) else [whole]
        return "".join(machine.json_text(line) for line in lines)


class Yaml(Form):
    """One document; of a fleet one by guest; of --watch one after another."""

    when_gathered = True

    def one(self, value: Any, text: str) -> str:
        return ("---\n" if self.view.watches else "") + machine.yaml_text(self.readable(value))

    def many(self, outcomes: Sequence[Outcome]) -> str:
        whole = {label: self.readable(_value(value)) for label, value in _good(outcomes)}
        if not whole and not self.view.watches:  # `{}` between others' members would end them
            return ""
        return ("---\n" if self.view.watches else "") + machine.yaml_text(whole)


class Cells(Form):
    """What table, tsv and csv have in common: rows and columns, where the command has columns."""

    when_sorted = True
    begun = False  # whether something was printed, in what comes in several goes

    def one(self, value: Any, text: str) -> str:
        if not self.view.columns:
            return self.bare([("", value)])
        if value is None:
            return ""
        made = self.made(value)
        if isinstance(made, list) or self.view.watches:
            return self.grid(self.view.columns, _listed(made))
        return self.object(made)

    def many(self, outcomes: Sequence[Outcome]) -> str:
        values = [(label, _value(value)) for label, value in _good(outcomes)]
        if not self.view.columns:
            return self.bare(values)
        told = [(label, value) for label, value in values if value is not None]
        if values and not told:  # a verb has printed it all
            return ""
        # A row may be the agent's own, with any members: the name comes last.
        rows = [{**row, "vm": label} for label, value in told for row in _listed(self.made(value))]
        return self.grid((Column("vm"), *self.view.columns), rows)

    def bare(self, values: Sequence[tuple[str, Any]]) -> str:
        """Values of a command without columns: a line each, with the guest's name in a fleet."""
        return "".join(
            (f"{printable(label)}: " if self.view.fleet else "") + machine.scalar(value) + "\n"
            for label, value in _told(values)
        )

    def object(self, made: Any) -> str:
        """One object, or one value, of a command that has columns."""
        return self.grid(self.view.columns, [made])

    def made(self, value: Any) -> Any:
        """What the columns are about: an object, or a list of them."""
        if any(column.kind == OUTPUT for column in self.view.columns):
            value = machine.readable(value, self.view.command.result, lossy=True)
        rows = self.view.command.rows
        return rows(value) if callable(rows) else self.member(value)

    def grid(self, columns: tuple[Column, ...], rows: list[Any]) -> str:
        """Rows below titles; with --watch, what grows per second."""
        by: Sequence[Column] = (*columns, *self.view.command.columns)
        if self.view.rates:
            # A person may look at what cannot be compared yet; a program would stumble over it.
            rows = self.view.rates.rows(rows, new=isinstance(self, Table))
            columns = self.view.rates.titled(columns)
            by = [Column(column.name) for column in by]
        if self.view.sort and any(column.kind == TREE for column in columns):
            rows = [{**row, "branch": ""} for row in rows]  # it would lead somewhere else
        sort = self.view.sort or self.order(columns)
        return self.write(columns, machine.ordered(rows, by, sort))

    def order(self, columns: Sequence[Column]) -> str:
        """The column to sort by where --sort says none; "" for the agent's order."""
        return ""

    def write(self, columns: tuple[Column, ...], rows: list[Any]) -> str:
        """The rows as they are printed."""
        raise NotImplementedError


class Table(Cells):
    """For people: rich's tables; --watch draws each over the one before."""

    when_gathered = True

    def many(self, outcomes: Sequence[Outcome]) -> str:
        """See Form. Of many guests, what compares."""
        if not self.view.columns:
            said = [
                (label, self.view.words(_value(value), getattr(value, "seconds", 0)))
                for label, value in _good(outcomes)
            ]
            if any(words for _, words in said):
                return super().bare(said)
        if not self.view.chosen:
            self.view.columns = tuple(one for one in self.view.columns if not one.alone)
        return super().many(outcomes)

    def bare(self, values: Sequence[tuple[str, Any]]) -> str:
        """See Cells; a state has its colour."""
        from qga_cli.render import table

        text = super().bare(values)
        return table.coloured(text, [value for _, value in values]) if self.view.terminal else text

    def order(self, columns: Sequence[Column]) -> str:
        """See Cells. People look for a mount point by its path."""
        vm = int(self.view.fleet and columns[0].name == "vm")
        return columns[vm].name if columns[vm:] and columns[vm].kind == PATH else ""

    def object(self, made: Any) -> str:
        from qga_cli.render import table

        return table.lines(self.view.columns, made)

    def write(self, columns: tuple[Column, ...], rows: list[Any]) -> str:
        from qga_cli.render import table

        text = table.grid(
            columns,
            rows,
            header=self.view.header,
            chosen=self.view.chosen,
            empty=self.view.command.empty if self.view.terminal and not self.view.watches else "",
        )
        if not (self.view.watches and self.view.terminal):
            return text
        from qga_cli.render import watch

        first, self.begun = not self.begun, True
        return watch.frame(text, self.view.command.name, first=first)


class Separated(Cells):
    """What tsv and csv have in common: --watch says the time in a column of its own."""

    text: Callable[..., str]

    def write(self, columns: tuple[Column, ...], rows: list[Any]) -> str:
        if self.view.rates:
            now = time.time()
            columns = (Column("time", lambda row: now), *columns)
            if not rows:
                return ""
        # Rows of a fleet, and of --watch, come in several goes under one header.
        header = self.view.header and not self.begun
        self.begun = self.view.fleet or self.view.watches
        return self.text(columns, rows, header=header)


class Tsv(Separated):
    """A tab between cells; of an object a name and a value on each line."""

    text = staticmethod(machine.tsv_text)

    def one(self, value: Any, text: str) -> str:
        if value is None or isinstance(value, (dict, list)):
            return super().one(value, text)
        return machine.scalar(value) + "\n"

    def object(self, made: Any) -> str:
        return machine.object_tsv(self.view.columns, made)


class Csv(Separated):
    """RFC 4180: always rows below titles, a bare value in a column called value."""

    text = staticmethod(machine.csv_text)

    def bare(self, values: Sequence[tuple[str, Any]]) -> str:
        vm = (Column("vm"),) if self.view.fleet else ()
        rows = [{"vm": label, "value": value} for label, value in _told(values)]
        return self.grid((*vm, Column("value")), rows) if rows else ""


FORMS: dict[str, type[Form]] = {
    "table": Table, "tsv": Tsv, "csv": Csv, "json": Json, "jsonl": JsonLines, "yaml": Yaml,
    "raw": Raw,
}  # fmt: skip


def _good(outcomes: Sequence[Outcome]) -> list[tuple[str, Any]]:
    """What the guests answered that did, by their names."""
    return [(outcome.target.label, outcome.value) for outcome in outcomes if not outcome.error]


def _value(result: Any) -> Any:
    """A reply's value, or what a verb returned."""
    return getattr(result, "value", result)


def _told(values: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The values that say something: {} is success of a command that tells nothing else."""
    return [(label, value) for label, value in values if value not in (None, {})]


def _listed(made: Any) -> list[Any]:
    return made if isinstance(made, list) else [made]
