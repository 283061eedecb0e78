"""Answers for people: tables drawn by rich, values in human units."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qga_cli import format, spec
from qga_cli.outlet import is_dumb
from qga_cli.render.layout import GAP, RIGHT, fit
from qga_cli.render.machine import MISSING, scalar
from qga_cli.spec import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from qga_cli.spec import Row

# After the last column, which may be styled for itself.
_EDGE = re.compile(r" *((?:\x1b\[0m)?)(?:\x1b\[[1-9][\d;]*m +\x1b\[0m| +)\n")
_PADDING = re.compile(r" +((?:\x1b\[[\d;]*m)*)\n")  # of the last column, codes or not
_BAR = 10  # cells
_ROOM = 20  # cells that any screen is taken to have, for a time or a bar
_MOST = 2000  # rows of one table: rich takes a millisecond for each, and nobody reads on
_LONGEST = 300  # characters of one text in a cell; pipes and JSON get it whole
_FULL, _WARN = 90, 75  # percentage at which a bar turns red, yellow
_STYLES = {
    "green": ("running", "answering", "ok", "fixed", "thawed", "enabled"),
    "red": ("frozen", "FAIL", "not answering", "wedged", "crashed", "failed"),
    "yellow": ("warn", "busy", "paused", "suspended", "not connected", "no channel", "in shutdown"),
    "dim": ("shut off", "unknown"),
}
_STYLE = {word: style for style, words in _STYLES.items() for word in words}


def grid(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    header: bool = True,
    chosen: bool = False,
    empty: str = "",
) -> str:
    """A table with one line of titles; `chosen` columns are all shown, however narrow the screen.

    What is the same everywhere and may stand `above` does. Without rows it is `empty`, if that is.
    """
    if empty and not rows:
        return _draw(Text(empty, style="dim"))
    caption, columns = _above(columns, rows) if header and not chosen else ("", columns)
    cells = [[cell(column, row) for column in columns] for row in rows[:_MOST]]
    texts = [[row[index].plain for row in cells] for index in range(len(columns))]
    widths = fit(columns, texts, _screen(), header=header, chosen=chosen)
    if widths is None:
        return "\n".join(lines(columns, row) for row in rows[:_MOST])
    shown = [columns[index] for index in widths]
    gone = [
        column.name
        for index, column in enumerate(columns)
        if index not in widths and set(texts[index]) - {"", MISSING}
    ]
    picked = [[row[index] for index in widths] for row in cells]
    # A gap after the last column too, taken off again: without one, old releases of rich count it
    # all the same, and narrow the other columns for it.
    text = _draw(_table(shown, list(widths.values()), picked, header=header), spare=GAP)
    left = len(rows) - len(cells)
    text = caption + text + (f"... {left:,} more; -o tsv prints them all\n" if left else "")
    if gone and header:
        hint = f"No room here for {', '.join(gone)}: --columns shows them."
        text += _draw(Text(hint, style="dim"))
    return text


def _above(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[str, Sequence[Column]]:
    """The line above a table, for what is the same in all its rows, and the other columns."""
    same = [
        column for column in columns
        if column.above and len({scalar(column.value(row)) for row in rows}) == 1
    ]  # fmt: skip
    said = [Text.assemble(f"{c.name}: ", cell(c, rows[0])) for c in same]
    caption = "".join(map(_draw, said))
    return caption, [column for column in columns if column not in same]


def _table(
    columns: Sequence[Column],
    widths: Sequence[int],
    cells: Sequence[Sequence[Text]],
    *,
    header: bool,
) -> Table:
    table = Table(box=None, show_header=header, header_style="bold", padding=(0, GAP, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "right" if column.kind in RIGHT else "left"
        table.add_column(column.name.upper(), justify=justify, overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    return table


def _screen() -> int:
    return max(_ROOM, shutil.get_terminal_size().columns)


def lines(columns: Sequence[Column], row: Row) -> str:
    """One object: its members below each other; of one column just the value."""
    if len(columns) == 1:
        return _draw(cell(columns[0], row))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column(style="bold", no_wrap=True, width=max(len(column.name) for column in columns))
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
    if column.kind == spec.WORD:  # a state, coloured if it is good or bad news
        return Text(_tame(text), style=_STYLE.get(text, ""))
    if column.kind == spec.OUTPUT:
        return Text("\n".join(map(format.printable, text.removesuffix("\n").split("\n"))))
    branch = row.get("branch") or "" if column.kind == spec.TREE else ""
    return Text.assemble((branch, "dim"), _tame(text))


def coloured(text: str, values: Sequence[object]) -> str:
    """Lines that end with a state each, in its colour."""
    shown = Text(text.removesuffix("\n"))
    for value in values:
        if isinstance(value, str) and value in _STYLE:
            shown.highlight_regex(rf"(?m)(?<![\w-]){re.escape(value)}$", _STYLE[value])
    return _draw(shown) if text else ""


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


def _draw(shown: Table | Text, *, spare: int = 0) -> str:
    out = io.StringIO()
    # None: rich minds FORCE_COLOR. NO_COLOR leaves it bold and dim; here it means plain.
    able = sys.stdout.isatty() and not is_dumb()
    terminal = False if os.environ.get("NO_COLOR") else able or None
    console = Console(file=out, force_terminal=terminal, width=_screen() + spare, highlight=False)
    console.print(shown)
    return _PADDING.sub(r"\1\n", _EDGE.sub(r"\1\n", out.getvalue()))
