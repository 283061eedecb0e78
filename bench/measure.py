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
    """Runs of two commands in turn: ours, the peer's, ours, … after one of each uncounted."""

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


def pair(ours: Sequence[str], peer: Sequence[str], runs: int) -> Pair:
    """Alternate two commands. Raises BenchError when one of them fails."""
    once(ours)
    once(peer)
    samples = [(once(ours), once(peer)) for _ in range(runs)]
    return Pair([a for a, _ in samples], [b for _, b in samples])


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
