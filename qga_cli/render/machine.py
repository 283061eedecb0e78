"""Answers for programs: JSON, YAML, CSV, TSV. Raw numbers, nothing truncated, no surprises."""

from __future__ import annotations

from qga_cli import spec, wire
from qga_cli.format import printable, visible
from qga_cli.spec import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.spec import Row

MISSING = "-"


def json_text(value: object, indent: int | None = None) -> str:
    """One line of JSON, or several with `indent`; what is no printable character is \\uXXXX."""
    import json

    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    return visible(text) + "\n"


def yaml_text(value: object) -> str:
    """A YAML document."""
    import yaml

    text = str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)).removesuffix("...\n")
    if all(line.isprintable() for line in text.split("\n")):
        return text
    # YAML's idea of printable lets bidirectional overrides and zero-width characters through.
    return str(yaml.safe_dump(value, sort_keys=False))


def tsv_text(columns: Sequence[Column], rows: Sequence[Row], *, header: bool) -> str:
    """Rows of tab-separated cells; a tab or newline inside a cell is escaped."""
    lines = ["\t".join(column.name for column in columns)] if header else []
    lines += ["\t".join(scalar(column.value(row)) for column in columns) for row in rows]
    return "".join(line + "\n" for line in lines)


def object_tsv(columns: Sequence[Column], row: Row) -> str:
    """One object: a name, a tab and a value on each line; of one column just the value."""
    if len(columns) == 1:
        return scalar(columns[0].value(row)) + "\n"
    return "".join(f"{column.name}\t{scalar(column.value(row))}\n" for column in columns)


def csv_text(columns: Sequence[Column], rows: Sequence[Row], *, header: bool) -> str:
    """RFC 4180 with plain newlines; a missing value is an empty cell."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(column.name for column in columns)
    for row in rows:
        cells = (column.value(row) for column in columns)
        writer.writerow("" if cell is None or cell == [] else scalar(cell) for cell in cells)
    return out.getvalue()


def scalar(value: object) -> str:
    """One value as a program wants it, harmless in a row."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Ten digits leave out the noise of a double; a time has as many before its point.
        small = abs(value) < 10_000
        return f"{value:.10g}" if small else f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, (list, tuple)):
        return ",".join(scalar(item) for item in value) or MISSING
    if isinstance(value, str):
        if value.isprintable():  # nothing is escaped, so a backslash is one: C:\\ stays C:\\
            return value
        return printable(value.replace("\\", "\\\\"))
    return str(value)


def ordered(rows: list[Any], columns: Sequence[Column], sort: str) -> list[Any]:
    """`rows` by one column; missing values last."""
    column = next((column for column in columns if column.name == sort.removeprefix("-")), None)
    if column is None:
        return rows
    known = [row for row in rows if column.value(row) is not None]
    known.sort(key=lambda row: _comparable(column, column.value(row)), reverse=sort.startswith("-"))
    return known + [row for row in rows if column.value(row) is None]


def readable(value: Any, shape: object, *, lossy: bool = False) -> Any:
    """`value` with its base64 members decoded to text where they are UTF-8.

    A member that is not stays base64, and `<member>-encoding: base64` stands beside it; `lossy`
    makes it text all the same, in which `printable` spells out the odd bytes.
    """
    if isinstance(shape, list) and isinstance(value, list):
        return [readable(item, shape[0], lossy=lossy) for item in value]
    if not (isinstance(shape, dict) and isinstance(value, dict)):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        inner = shape.get(key, shape.get(key + "?"))
        if inner is not bytes:
            result[key] = readable(item, inner, lossy=lossy)
            continue
        try:
            errors = "surrogateescape" if lossy else "strict"
            result[key] = wire.from_base64(item).decode("utf-8", errors)
        except UnicodeDecodeError:
            result |= {key: item, f"{key}-encoding": "base64"}
    return result


def _comparable(column: Column, value: object) -> tuple[int, float, Sequence[object]]:
    if isinstance(value, (int, float)):
        return (0, value, ())
    text = scalar(value)
    if column.kind == spec.PATH:
        return (1, 0.0, [part for part in text.split("/") if part])
    if column.kind == spec.VERSION:  # numbers by their size, between texts in turn
        import re

        parts = re.split(r"([0-9]{1,18})", text)
        return (1, 0.0, [int(part) if at % 2 else part for at, part in enumerate(parts)])
    return (1, 0.0, [text])
