"""Runs commands in turn and keeps what the kernel says of each."""

import os
import statistics
import subprocess
import time
from collections.abc import Sequence

from bench import BenchError


class Sample:
    """One finished run: wall seconds, and the largest resident set in bytes."""

    __slots__ = ("memory", "seconds")

    def __init__(self, seconds: float, memory: int) -> None:
        self.seconds = seconds
        self.memory = memory


class Pair:
    """Runs of ours and of a peer's, taken in turn."""

    def __init__(self, ours: Sequence[Sample], peer: Sequence[Sample]) -> None:
        self.ours = list(ours)
        self.peer = list(peer)

    @property
    def ratios(self) -> list[float]:
        """Ours divided by the peer's, pair by pair: what holds when the machine's speed drifts."""
        return [a.seconds / b.seconds for a, b in zip(self.ours, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)


def in_turn(commands: Sequence[Sequence[str]], runs: int) -> list[list[Sample]]:
    """Runs of each command: one of each, then one of each again. A first round does not count,
    but where they are few, for these take long. Raises BenchError when one of them fails.
    """
    rounds = [[once(command) for command in commands] for _ in range(runs + (runs > 2))]
    return [list(samples) for samples in zip(*rounds[-runs:], strict=True)]


def alone(command: Sequence[str], runs: int) -> list[Sample]:
    """One command several times, after one run that does not count."""
    once(command)
    return [once(command) for _ in range(runs)]


def once(command: Sequence[str]) -> Sample:
    """Run one command with its output thrown away."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        text = complaint.decode(errors="replace").strip()
        raise BenchError(f"{' '.join(command)} failed with {process.returncode}: {text}")
    return Sample(seconds, usage.ru_maxrss * 1024)


def median(samples: Sequence[Sample]) -> float:
    """Median of the wall seconds."""
    return statistics.median(sample.seconds for sample in samples)
