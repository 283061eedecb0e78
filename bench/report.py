"""docs/benchmarks.md and its plot, from what was measured."""

import os
import platform
from pathlib import Path

from bench.measure import Pair, median
from bench.rows import Row
from bench.single import Figure

HEAD = """# Benchmarks

Written by `make bench`; measured in one run on {machine}.
Commands alternate with their peers, ratios are medians of the pairs (qga / peer, lower is better):
they hold on other machines, seconds do not. The guest is emulated, not run under KVM. Files are
random bytes.

| job | peer | ratio | goal | spread of the ratio | qga | peer |
|---|---|---|---|---|---|---|
"""


def page(pairs: list[tuple[Row, Pair]], figures: list[Figure], versions: str) -> str:
    """The whole page as Markdown."""
    text = HEAD.format(machine=machine(versions))
    for row, pair in pairs:
        spread = f"{min(pair.ratios):.2f} to {max(pair.ratios):.2f}"
        text += (
            f"| {row.name} | {row.peer} | **{pair.ratio:.2f}** | {_goal(pair.ratio, row.goal)} "
            f"| {spread} | {_time(median(pair.ours))} | {_time(median(pair.peer))} |\n"
        )
    text += "\n| figure | value | goal |\n|---|---|---|\n"
    for figure in figures:
        value = _time(figure.value) if figure.unit == "s" else f"{figure.value:.0f} {figure.unit}"
        text += f"| {figure.name} | {value} | {_goal(figure.value, figure.goal)} |\n"
    return text + "\n![How cost grows](benchmarks.svg)\n"


def machine(versions: str) -> str:
    """What the numbers were measured on."""
    cpu = "an unnamed processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} x {cpu}, Python {platform.python_version()}, {versions}"


def _goal(value: float, goal: float | None) -> str:
    if goal is None:
        return "-"
    return f"{goal:g} reached" if value <= goal else f"{goal:g} missed by {value / goal - 1:.0%}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
