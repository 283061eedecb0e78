"""The text that Prometheus reads: its format 0.0.4, which textfile collectors take too."""

from __future__ import annotations

from collections.abc import Iterable

from qga_cli.metrics.family import Family


def text(families: Iterable[Family]) -> str:
    """Every family that has samples."""
    return "".join(_family(family) for family in families if family.samples)


def _family(family: Family) -> str:
    lines = [f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"]
    for labels, value in family.rows():
        inner = ",".join(f'{name}="{_escaped(one)}"' for name, one in labels.items())
        lines.append(f"{family.name}{f'{{{inner}}}' if inner else ''} {_number(value)}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
