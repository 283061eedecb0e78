"""--watch: successive answers compared, and drawn over each other on a terminal."""

import shutil
import time
from collections.abc import Sequence

from qga_cli import spec
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
    """Remembers the answer before. A row is known again by its guest and its first column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._before: dict[str, tuple[float, Row]] = {}
        self.grow = any(column.kind in _GROWING for column in columns)

    def titled(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """`columns` of the rows that `rows` makes, with the unit in their titles."""
        named = ((column, *_GROWING.get(column.kind, ("", column.kind))) for column in columns)
        return tuple(Column(column.name + unit, column.name, kind) for column, unit, kind in named)

    def rows(self, rows: "Sequence[Row]") -> "list[dict[str, Any]]":
        """`rows` with growing values per second, None where there was no such row before."""
        now = time.monotonic()
        return [self._rated(row, now) for row in rows]

    def _rated(self, row: "Row", now: float) -> "dict[str, Any]":
        values = {"branch": row.get("branch"), "vm": row.get("vm")}
        values |= {column.name: column.value(row) for column in self._columns}
        if not self.grow:
            return values
        key = f"{row.get('vm')}\t{scalar(values[self._columns[0].name])}"
        then, before = self._before.get(key, (0.0, {}))
        self._before[key] = (now, dict(values))
        for column in self._columns:
            if column.kind in _GROWING:
                value, old = values[column.name], before.get(column.name)
                # A counter that went back has begun anew: the guest was rebooted.
                values[column.name] = None
                if value is not None and old is not None and value >= old and now > then:
                    # Of 1000 milliseconds in a second, 10 are one percent.
                    unit = 10 if column.kind == spec.BUSY else 1
                    values[column.name] = round((value - old) / (now - then) / unit, 2)
        return values


def frame(text: str, title: str, *, first: bool) -> str:
    """`text` to be drawn where the frame before was, cut to the terminal's height."""
    height = shutil.get_terminal_size().lines
    lines = [f"{title}  {time.strftime('%H:%M:%S')}", "", *text.splitlines()]
    if len(lines) >= height:
        left = len(lines) - height + 2
        lines[height - 2 :] = [f"... {left} more"]
    # What the screen showed before is scrolled away once, not lost.
    return "\n" * (height - 1 if first else 0) + "\x1b[H\x1b[J" + "\n".join(lines) + "\n"
