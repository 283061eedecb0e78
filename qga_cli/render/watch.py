"""--watch: successive answers compared, and drawn over each other on a terminal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from qga_cli import spec
from qga_cli.outlet import is_dumb
from qga_cli.render.machine import scalar
from qga_cli.spec import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.spec import Row

_GROWING = {
    spec.COUNTER: ("/s", spec.COUNTER),
    spec.TRAFFIC: ("/s", spec.BYTES),
    spec.BUSY: ("%", spec.PERCENT),
}


class Rates:
    """Remembers each guest's last answer. A row is known again by its first column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._before: dict[object, dict[str, dict[str, Any]]] = {}  # by guest, then by row
        self._asked: dict[object, float] = {}  # when, in time.monotonic
        self.grow = any(column.kind in _GROWING for column in columns)

    def titled(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """`columns` of the rows that `rows` makes, with the unit in their titles."""
        named = ((column, *_GROWING.get(column.kind, ("", column.kind))) for column in columns)
        return tuple(Column(column.name + unit, column.name, kind) for column, unit, kind in named)

    def rows(self, rows: Sequence[Row], *, new: bool) -> list[dict[str, Any]]:
        """`rows` with growing values per second; those not there before only if `new`."""
        now = time.monotonic()
        answers: dict[object, dict[str, dict[str, Any]]] = {}
        rated = []
        for row in rows:
            values = {column.name: column.value(row) for column in self._columns}
            guest, key = row.get("vm"), scalar(values[self._columns[0].name])
            answers.setdefault(guest, {})[key] = values
            before = self._before.get(guest, {}).get(key)
            if before or new or not self.grow:
                seconds = now - self._asked.get(guest, now)
                shown = {
                    column.name: _rate(column, values, before, seconds) for column in self._columns
                }
                rated.append({"vm": guest, "branch": row.get("branch"), **shown})
        self._before |= answers
        self._asked |= dict.fromkeys(answers, now)
        return rated


def _rate(column: Column, values: Row, before: Row | None, seconds: float) -> object:
    """What a column shows: itself, or how much it grew per second; None where that is unknown."""
    value = values[column.name]
    if column.kind not in _GROWING:
        return value
    old = before[column.name] if before else None
    # A counter that went back has begun anew: the guest was rebooted.
    if value is None or old is None or value < old or seconds <= 0:
        return None
    # Of 1000 milliseconds in a second, 10 are one percent.
    return round((value - old) / seconds / (10 if column.kind == spec.BUSY else 1), 2)


def frame(text: str, title: str, *, first: bool) -> str:
    """`text` to be drawn where the frame before was, cut to the terminal's height."""
    height = shutil.get_terminal_size().lines
    lines = [f"{title}  {time.strftime('%H:%M:%S')}", "", *text.splitlines()]
    if is_dumb():  # it can only go on below
        return "\n".join(lines) + "\n\n"
    if len(lines) >= height:
        left = len(lines) - height + 2
        lines[height - 2 :] = [f"... {left} more"]
    # What the screen showed before is scrolled away once, not lost.
    return "\n" * (height - 1 if first else 0) + "\x1b[H\x1b[J" + "\n".join(lines) + "\n"
