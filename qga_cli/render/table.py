"""Answers for people: tables drawn by rich, values in human units."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
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

_RIGHT = (spec.BYTES, spec.NUMBER, spec.COUNTER, spec.TRAFFIC, spec.BUSY, spec.PERCENT)
_WHOLE = (*_RIGHT, spec.BAR, spec.TREE, spec.MOMENT, spec.SECONDS)  # never broken in two
_PADDING = re.compile(r" +((?:\x1b\[[\d;]*m)*)\n")  # of the last column, codes or not
_BAR = 10  # cells
_GAP = 2  # cells between columns
_LEAST = 8  # cells to which a name is squeezed on a narrow screen
_ROOM = 20  # cells that any screen is taken to have, for a time or a bar
_MOST = 2000  # rows of one table: rich takes a millisecond for each, and nobody reads on
_LONGEST = 300  # characters of one text in a cell; pipes and JSON get it whole
_FULL, _WARN = 90, 75  # percentage at which a bar turns red, yellow


def grid(columns: Sequence[Column], rows: Sequence[Row], *, header: bool = True) -> str:
    """A table with one line of titles."""
    table = Table(
        box=None, show_header=header, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0)
    )
    cells = [[cell(column, row) for column in columns] for row in rows[:_MOST]]
    widths = _widths(columns, cells, header=header)
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "right" if column.kind in _RIGHT else "left"
        table.add_column(column.name.upper(), justify=justify, overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    left = len(rows) - len(cells)
    wide = sum(widths) + _GAP * (len(widths) - 1)
    return _draw(table, wide) + (f"... {left:,} more; -o tsv prints them all\n" if left else "")


def _widths(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], *, header: bool
) -> list[int]:
    """Each column's width. What does not fit breaks between words, then names break: never numbers.

    rich's own way shortens the widest column, which cuts a word in two while others have spaces,
    and in the end stands every cell on its head. Where even the least is too wide, the terminal
    wraps the lines, and each can still be read.
    """
    widths, words, names, least = [], [], [], []
    room = max(_ROOM, shutil.get_terminal_size().columns - _GAP * (len(columns) - 1))
    for index, column in enumerate(columns):
        texts = [row[index].plain for row in cells] + [column.name.upper()] * header
        whole = column.kind in _WHOLE
        widths.append(min(room, _longest(line for text in texts for line in text.split("\n"))))
        longest = min(room, _longest(word for text in texts for word in text.split()))
        words.append(widths[-1] if whole else longest)
        least.append(widths[-1] if whole else min(longest, _LEAST))
        names.append(longest if column.kind == spec.LINES else least[-1])  # addresses are copied
    for floors in (words, names, least):
        while sum(widths) > room:
            wide = [index for index, floor in enumerate(floors) if widths[index] > floor]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=1)


def lines(columns: Sequence[Column], row: Row) -> str:
    """One object: its members below each other; of one column just the value."""
    if len(columns) == 1:
        return _draw(cell(columns[0], row))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    for column in columns:
        table.add_row(column.name, cell(column, row))
    return _draw(table)


def cell(column: Column, row: Row) -> Text:
    """One value in human units. Always Text: a stranger's markup stays text."""
    value = column.value(row)
    if value is None or value == []:
        return Text(MISSING, style="dim")
    if column.kind == spec.LINES and isinstance(value, (list, tuple)):
        return Text("\n".join(_tame(str(item)) for item in value))
    if column.kind == spec.BAR and isinstance(value, (int, float)):
        return _bar(value)
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="" if value else "yellow")
    if isinstance(value, (int, float)):
        return Text(_number(column.kind, value))
    text = value if isinstance(value, str) else scalar(value)
    if column.kind == spec.OUTPUT:
        return Text("\n".join(map(format.printable, text.removesuffix("\n").split("\n"))))
    branch = row.get("branch") or "" if column.kind == spec.TREE else ""
    return Text.assemble((branch, "dim"), _tame(text))


def _tame(text: str) -> str:
    """A stranger's text in a cell: harmless, and not a screenful."""
    return format.shorten(format.printable(text), _LONGEST)


def _number(kind: str, value: float) -> str:
    if kind in (spec.BYTES, spec.TRAFFIC):
        return format.size(value)
    if kind == spec.PERCENT:
        return format.percent(value / 100)
    if kind == spec.BUSY:
        return format.duration(value / 1000)
    if kind == spec.SECONDS:
        return format.duration(value)
    if kind == spec.MOMENT:
        return format.moment(value)
    if isinstance(value, float):
        return f"{value:,.1f}" if kind == spec.COUNTER else f"{value:.2f}"
    return f"{value:,}" if kind in (spec.NUMBER, spec.COUNTER) else str(value)


def _bar(percent: float) -> Text:
    filled = round(max(0.0, min(1.0, percent / 100)) * _BAR)
    style = "red" if percent >= _FULL else "yellow" if percent >= _WARN else "green"
    bar = Text("━" * filled, style=style)
    bar.append("─" * (_BAR - filled), style="dim")
    bar.append(f" {format.percent(percent / 100):>4}")
    return bar


def _draw(shown: Table | Text, least: int = 1) -> str:
    out = io.StringIO()
    terminal = sys.stdout.isatty() or None  # None: rich minds FORCE_COLOR; NO_COLOR it always does
    width = max(least, shutil.get_terminal_size().columns)
    console = Console(file=out, force_terminal=terminal, width=width, highlight=False)
    console.print(shown)
    return _PADDING.sub(r"\1\n", out.getvalue())
