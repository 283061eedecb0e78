"""docs/benchmarks.md and its plot, from what was measured."""

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measure import Pair, median

HEAD = """# Benchmarks

Written by `make bench`; measured in one run on {machine}.
Commands alternate with their peers, ratios are medians of the pairs (qga / peer, lower is better):
they hold on other machines, seconds do not. A goal is the most that the project wants.
The guest is emulated, not run under KVM. Files are random bytes.

| job | peer | ratio | goal | spread of the ratio | rounds | qga | peer |
|---|---|---|---|---|---|---|---|
"""

WHY = """
Where a goal is missed, or has been in other runs: `ping` starts Python, virsh is C. `exec` runs the
program between a shell and a timer of its own, for output of any size, true codes and a clean end;
each fork costs an emulated guest 5 ms, an exec 25 to 60 ms, a KVM guest about 1 ms. On ports a
short program has two relays beside it, so it gains nothing by them: what streams does.
`cp` compares SHA-512 at both ends and flushes the file to the disk; the loops do neither, and over
a socket of the same machine this shows. A loop of 64 KiB chunks is hardly slower than the best one
here: the agent's own parsing takes the time. A tree of small files needs a dozen programs in the
guest beside tar, half of its time under emulation. Names of commands are completed without starting
Python.

![How cost grows](benchmarks.svg)
"""


class Result:
    """A job of ours beside a peer's. `goal` is the ratio to reach, None where there is none."""

    def __init__(self, job: str, peer: str, goal: float | None, pair: Pair) -> None:
        self.job = job
        self.peer = peer
        self.goal = goal
        self.pair = pair


class Figure:
    """One number: seconds or MiB, with the most it may be, None where it is only told."""

    def __init__(self, name: str, value: float, unit: str, goal: float | None = None) -> None:
        self.name = name
        self.value = value
        self.unit = unit
        self.goal = goal


def page(results: Sequence[Result], figures: Sequence[Figure], versions: str) -> str:
    """The whole page as Markdown."""
    text = HEAD.format(machine=machine(versions))
    for result in results:
        pair = result.pair
        spread = f"{min(pair.ratios):.2f} to {max(pair.ratios):.2f}"
        text += (
            f"| {result.job} | {result.peer} | **{pair.ratio:.2f}** "
            f"| {_goal(pair.ratio, result.goal)} "
            f"| {spread} | {len(pair.ours)} "
            f"| {_times(median(pair.ours), median(pair.peer))} |\n"
        )
    text += "\n| figure | value | goal |\n|---|---|---|\n"
    for figure in figures:

        def written(value: float, unit: str = figure.unit) -> str:
            return _time(value) if unit == "s" else f"{value:.0f} {unit}"

        goal = _goal(figure.value, figure.goal, written)
        text += f"| {figure.name} | {written(figure.value)} | {goal} |\n"
    return text + WHY


def machine(versions: str) -> str:
    """What the numbers were measured on."""
    cpu = "an unnamed processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} x {cpu}, Python {platform.python_version()}, {versions}"


def _goal(value: float, goal: float | None, written: Callable[[float], str] = "{:g}".format) -> str:
    if goal is None:
        return "-"
    told = written(goal)
    return f"{told} reached" if value <= goal else f"{told} missed by {value / goal - 1:.0%}"


def _times(*row: float) -> str:
    """Cells of one unit: they are compared."""
    return " | ".join(_time(seconds, of=max(row)) for seconds in row)


def _time(seconds: float, of: float = 0.0) -> str:
    return f"{seconds * 1000:.0f} ms" if max(seconds, of) < 1 else f"{seconds:.2f} s"
