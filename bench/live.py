"""How soon a program's output is here: its first byte, and the echo of what it is sent."""

import os
import pty
import select
import statistics
import subprocess
import time
from collections.abc import Sequence

from bench import BenchError, measure
from bench.report import Figure, Result
from bench.rows import PORTS, QGA, Setting, python

EXEC = [*QGA, "exec", *PORTS]
RUNS, KEYS = 15, 200
PATIENCE = 30.0  # seconds


def first_byte(setting: Setting) -> Result:
    """From the start of `exec` to the first byte, beside a bare guest-exec to its end."""
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(_first([*EXEC, setting.guest, "sh", "-c", "echo; sleep 1"]))
        theirs.append(measure.once(python("first.py", setting.guest, "sh", "-c", "echo")))
    pair = measure.Pair(ours[1:], theirs[1:])
    return Result("first byte of `exec`, ports", "bare guest-exec, its end", 1.3, pair)


def echoes(setting: Setting) -> Sequence[Figure]:
    """The median of the time from a byte to its echo: a pipe's, and a terminal's."""
    program = [setting.guest, "sh", "-c", "echo ready; exec cat"]
    return (
        Figure("echo through `exec -- cat`, ports", _piped([*EXEC, *program]), "s", 0.005),
        Figure("echo on a terminal, ports", _typed([*EXEC, "-t", *program]), "s", 0.005),
    )


def _first(command: Sequence[str]) -> measure.Sample:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        byte = process.stdout.read(1)
        seconds = time.perf_counter() - begun
        process.stdout.read()
    if process.returncode or not byte:
        raise BenchError(f"{' '.join(command)} failed with {process.returncode}")
    return measure.Sample(seconds, 0)


def _piped(command: Sequence[str]) -> float:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        return _echo(process.stdin.fileno(), process.stdout.fileno())


def _typed(command: Sequence[str]) -> float:
    ours, its = pty.openpty()
    process = subprocess.Popen(command, stdin=its, stdout=its, start_new_session=True)
    try:
        return _echo(ours, ours)
    finally:
        os.write(ours, b"\n\4")  # end of file, at the beginning of a line
        process.wait(PATIENCE)
        os.close(its)
        os.close(ours)


def _echo(sent: int, come: int) -> float:
    said = b""
    while b"ready" not in said:
        said += _read(come)
    times = []
    for _ in range(KEYS):
        begun = time.perf_counter()
        os.write(sent, b"x")
        while b"x" not in _read(come):
            pass  # the rest of the line that was not an echo
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _read(number: int) -> bytes:
    if not select.select([number], [], [], PATIENCE)[0]:
        raise BenchError("the program in the guest says nothing")
    return os.read(number, 4096)
