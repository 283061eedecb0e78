"""The screen of `qga top`: a line for each guest, as many as there is room for."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qga_cli import format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rich.console import JustifyMethod

    Row = Mapping[str, Any]

_RESERVED = 4  # lines that are no guests: a summary, a blank one, titles; keys
_END = re.compile(r"(?:\x1b\[[\d;]*m| )+$")
_WIDE = 100  # columns from which on there is room between them, and for both figures of memory
_FULL, _WARN = 90, 75  # percent at which a figure turns red, yellow; as in table.py
_NAME = 0.6  # share of a guest's name in what the columns of text have together
# The agent's state in few letters; all other words are short enough.
_SHORT = {"not answering": "no answer", "not connected": "no agent", "answering": "running"}
_STYLES = {"running": "green", "frozen": "yellow", "busy": "yellow", "shut off": "dim",
           "paused": "yellow", "suspended": "yellow"}  # fmt: skip
_HELP = """\
 n  by name         c  by processor     q        quit
 a  by state        m  by memory        /        show some guests: part of a name or state
 f  by fullest      l  by load          Escape   show all
 t  by network      d  by disk          space    ask now
 s  by the next     r  the other way    arrows, page up and down, home, end: move

 CPU is that of all processors. MEM is what the guest uses if its balloon driver
 tells, or else what it takes of this host's. FULL is the fullest filesystem.
 IN, OUT, READ, WRITE are bytes a second. Any key goes back."""


class Figure:
    """One column: how wide it is, what it shows, and what it is sorted by."""

    def __init__(
        self,
        title: str,
        width: int,
        show: Callable[[Row], str],
        key: Callable[[Row], Any],
        style: Callable[[Row], str] = lambda row: "",
    ) -> None:
        self.title = title
        self.width = width
        self.show = show
        self.key = key
        self.style = style


def condition(row: Row) -> str:
    """How a guest is, in a word: frozen, or what else keeps its agent from answering."""
    state, agent = row["state"], row["agent"]
    if state not in (None, "running", "blocked"):
        return str(state)
    return _SHORT.get(agent, agent or "unknown")


def _total(first: str, second: str) -> Callable[[Row], float | None]:
    return lambda row: None if row[first] is None else row[first] + row[second]


def _percent(name: str) -> Callable[[Row], str]:
    return lambda row: "-" if row[name] is None else f"{row[name]:.0f}%"


def _size(name: str) -> Callable[[Row], str]:
    return lambda row: "-" if row[name] is None else format.size(row[name])


def _alarm(name: str) -> Callable[[Row], str]:
    def style(row: Row) -> str:
        value = row[name] or 0
        return "red" if value >= _FULL else "yellow" if value >= _WARN else ""

    return style


def _load(row: Row) -> str:
    value = row["load"]
    return "-" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


# By the key that sorts by it.
FIGURES: dict[str, Figure] = {
    "n": Figure("VM", 0, lambda row: str(row["vm"]), lambda row: row["vm"]),
    "a": Figure("STATE", 10, condition, condition,
                lambda row: _STYLES.get(condition(row), "red")),
    "c": Figure("CPU", 4, _percent("cpu%"), lambda row: row["cpu%"], _alarm("cpu%")),
    "m": Figure("MEM", 5, _size("memory"), lambda row: row["memory"]),
    "l": Figure("LOAD", 5, _load, lambda row: row["load"]),
    "f": Figure("FULL", 4, _percent("full%"), lambda row: row["full%"], _alarm("full%")),
    "": Figure("MOUNTED", 0, lambda row: row["mountpoint"] or "-", lambda row: row["mountpoint"]),
    "t": Figure("IN", 5, _size("received"), _total("received", "sent")),
    "t2": Figure("OUT", 5, _size("sent"), lambda row: row["sent"]),
    "d": Figure("READ", 5, _size("read"), _total("read", "written")),
    "d2": Figure("WRITE", 5, _size("written"), lambda row: row["written"]),
}  # fmt: skip
SORTS = tuple(key for key in FIGURES if len(key) == 1)
_RISING = ("n", "a")  # sorted from A to Z unless turned round


class Sight:
    """What a user has chosen to see: the order, the filter, how far down, the help."""

    def __init__(self) -> None:
        self.sort = "c"
        self.turned = False  # the other way round
        self.filter = ""
        self.typing = False  # the filter is being typed
        self.offset = 0
        self.help = False

    def chosen(self, rows: Sequence[Row]) -> list[Row]:
        """The rows to see, in order; what is not known comes last."""
        wanted = self.filter.casefold()
        rows = [
            row
            for row in rows
            if wanted in str(row["vm"]).casefold() or wanted in condition(row).casefold()
        ]
        key = FIGURES[self.sort].key
        known = [row for row in rows if key(row) is not None]
        known.sort(key=lambda row: str(row["vm"]))
        known.sort(key=key, reverse=(self.sort not in _RISING) != self.turned)
        return known + [row for row in rows if key(row) is None]


def frame(
    rows: Sequence[Row], sight: Sight, size: tuple[int, int], every: float, trouble: str
) -> list[str]:
    """The lines of the whole screen, of so many (rows, columns)."""
    height, width = size
    shown = sight.chosen(rows)
    room = max(1, height - _RESERVED)
    sight.offset = max(0, min(sight.offset, len(shown) - room))
    text = [_summary(rows, shown, width, every), Text("")]
    if sight.help:
        text += map(Text, _HELP.splitlines())
    lines = _drawn(text, width)
    if not sight.help:
        gap = 2 if width >= _WIDE else 1
        table = _table(shown[sight.offset : sight.offset + room], sight, width, gap)
        # A gap after the last column too: without one, releases of rich before 13.4 count it.
        lines += _drawn([table], width + gap)
    lines = lines[: height - 1]
    lines += [""] * (height - 1 - len(lines))
    return lines + _drawn([_keys(sight, len(shown), room, trouble)], width)


def _summary(rows: Sequence[Row], shown: Sequence[Row], width: int, every: float) -> Text:
    counts: dict[str, int] = {}
    for row in rows:
        counts[condition(row)] = counts.get(condition(row), 0) + 1
    parts = [f"{count} {word}" for word, count in sorted(counts.items(), key=lambda one: -one[1])]
    count = f"{len(shown)} of {len(rows)}" if len(shown) < len(rows) else f"{len(rows)}"
    clock = f"{time.strftime('%H:%M:%S')} every {every:g} s"
    left = f"qga top: {count} {'guest' if len(rows) == 1 else 'guests'}, {', '.join(parts)}"
    left = left.rstrip(", ")
    if len(left) > width - len(clock) - 2:
        left = left[: max(0, width - len(clock) - 3)] + "…"
    return Text.assemble((left, "bold"), " " * max(1, width - len(left) - len(clock)), clock)


def _keys(sight: Sight, count: int, room: int, trouble: str) -> Text:
    if sight.typing:
        typed = f"/{format.printable(sight.filter)}▏"
        return Text(typed, style="bold", no_wrap=True, overflow="ellipsis")
    if trouble:
        return Text(format.printable(trouble), style="red", no_wrap=True, overflow="ellipsis")
    parts = ["q quit", "? help", "/ filter", "s sort", "r reverse"]
    if sight.filter:
        parts.append(f"filter: {format.printable(sight.filter)}")
    if count > room:
        last = min(count, sight.offset + room)
        parts.append(f"{sight.offset + 1}-{last} of {count}, arrows")
    return Text("  ".join(parts), style="dim", no_wrap=True, overflow="ellipsis")


def _table(rows: Sequence[Row], sight: Sight, width: int, gap: int) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), header_style="bold", show_edge=False)
    figures = list(FIGURES.items())
    widths = _widths(rows, width, gap)
    for (key, figure), wide in zip(figures, widths, strict=True):
        justify: JustifyMethod = "left" if figure.title in ("VM", "STATE", "MOUNTED") else "right"
        style = "bold reverse" if key[:1] == sight.sort else "bold"
        table.add_column(
            figure.title, header_style=style, justify=justify, width=wide, no_wrap=True,
            overflow="ellipsis",
        )  # fmt: skip
    for row in rows:
        table.add_row(*(_cell(figure, row, width) for _, figure in figures))
    return table


def _widths(rows: Sequence[Row], width: int, gap: int) -> list[int]:
    """Each column's width: what the figures leave is shared by the columns of text."""
    figures = list(FIGURES.values())
    fixed = [_wide(figure, width) for figure in figures]
    left = max(12, width - sum(fixed) - gap * (len(figures) - 1))
    names = max([2, *(len(format.printable(str(row["vm"]))) for row in rows)])
    name = max(2, min(names, round(left * _NAME)))
    mounts = max([7, *(len(format.printable(row["mountpoint"] or "")) for row in rows)])
    mount = max(1, min(mounts, left - name))
    texts = iter((min(names, left - mount), mount))
    return [wide or next(texts) for wide in fixed]


def _wide(figure: Figure, width: int) -> int:
    return 11 if figure.title == "MEM" and width >= _WIDE else figure.width


def _cell(figure: Figure, row: Row, width: int) -> Text:
    text = figure.show(row)
    if figure.title == "MEM" and width >= _WIDE and row["memory-total"] is not None:
        text = f"{text}/{format.size(row['memory-total'])}"
    return Text(format.printable(text), style="dim" if text == "-" else figure.style(row))


def _drawn(parts: Sequence[Text | Table], width: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, highlight=False)
    for part in parts:
        if isinstance(part, Text):  # `print` joins texts, and forgets what each says of its end
            console.print(part, crop=True, no_wrap=part.no_wrap, overflow=part.overflow)
        else:
            console.print(part, crop=True)
    return [_END.sub(_reset, line) for line in out.getvalue().splitlines()]


def _reset(end: re.Match[str]) -> str:
    """What is left of blanks and codes at a line's end."""
    return "\x1b[0m" if "\x1b" in end[0] else ""
