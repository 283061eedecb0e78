"""What grows for ever, per second: successive answers compared, for --watch."""

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
                known = value is not None and old is not None and value >= old and now > then
                rate = (value - old) / (now - then) if known else None
                # Milliseconds in a second, in percent.
                busy = column.kind == spec.BUSY and rate is not None
                values[column.name] = rate / 10 if busy and rate is not None else rate
        return values
