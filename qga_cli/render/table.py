"""Answers for people: tables drawn by rich, values in human units."""

import io
import shutil
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qga_cli import format, spec
from qga_cli.render.machine import MISSING, scalar
from qga_cli.spec import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from qga_cli.spec import Row

_RIGHT = (spec.BYTES, spec.NUMBER, spec.COUNTER, spec.PERCENT)
_BAR = 10  # cells
_FULL, _WARN = 0.9, 0.75  # share at which a bar turns red, yellow


def grid(columns: Sequence[Column], rows: "Sequence[Row]", *, header: bool = True) -> str:
    """A table with one line of titles."""
    table = Table(
        box=None, show_header=header, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        justify: JustifyMethod = "right" if column.kind in _RIGHT else "left"
        table.add_column(column.name.upper(), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(cell(column, row) for column in columns))
    return _draw(table)


def lines(columns: Sequence[Column], row: "Row") -> str:
    """One object: its members below each other."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for column in columns:
        table.add_row(column.name, cell(column, row))
    return _draw(table)


def cell(column: Column, row: "Row") -> Text:
    """One value in human units. Always Text: a stranger's markup stays text."""
    value = column.value(row)
    if value is None or value == []:
        return Text(MISSING, style="dim")
    if column.kind == spec.LINES and isinstance(value, (list, tuple)):
        return Text("\n".join(format.printable(str(item)) for item in value))
    if column.kind == spec.BAR and isinstance(value, float):
        return _bar(value)
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="" if value else "yellow")
    if isinstance(value, (int, float)):
        return Text(_number(column.kind, value))
    return Text(format.printable(value) if isinstance(value, str) else scalar(value))


def _number(kind: str, value: float) -> str:
    if kind in (spec.BYTES, spec.COUNTER):
        return format.size(value)
    if kind == spec.PERCENT:
        return format.percent(value)
    if kind == spec.SECONDS:
        return format.duration(value)
    if kind == spec.MOMENT:
        return format.moment(value)
    if kind == spec.AGE:
        return format.duration(max(0.0, time.time() - value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def _bar(share: float) -> Text:
    filled = round(max(0.0, min(1.0, share)) * _BAR)
    style = "red" if share >= _FULL else "yellow" if share >= _WARN else "green"
    bar = Text("━" * filled, style=style)
    bar.append("─" * (_BAR - filled), style="dim")
    bar.append(f" {format.percent(share):>4}")
    return bar


def _draw(table: Table) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=shutil.get_terminal_size().columns, highlight=False
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
