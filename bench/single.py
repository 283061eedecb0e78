"""Figures that have no peer, and how cost grows with guests, file size and output."""

import sys
from collections.abc import Callable, Iterator

from bench import measure
from bench.rows import MIB, PEERS, QGA, Setting

GIB = 1024 * MIB


class Figure:
    """One number: seconds or bytes, with the most it may be, None where it is only told."""

    def __init__(self, name: str, value: float, unit: str, goal: float | None = None) -> None:
        self.name = name
        self.value = value
        self.unit = unit
        self.goal = goal


def figures(setting: Setting) -> Iterator[Figure]:
    """The rows without a peer."""
    fleet = [*QGA, "-c", setting.fleet]
    yield _seconds("`exec sleep 1` on 32 agents", [*fleet, "exec", "*", "sleep", "1"], 2.0)
    yield _seconds("`list` with 32 agents", [*fleet, "list"])
    yield _seconds("`--help`", [*QGA, "--help"])
    yield _seconds("completing a guest's name", [*QGA, "__complete", "guest", ""], 0.12)
    out = ["sh", "-c", '"$@" >/dev/null', "sh", *QGA]
    stream = [*out, "exec", setting.guest, "head", "-c", str(GIB), "/dev/zero"]
    yield _memory("memory of `exec`, 1 GiB of output", stream)
    local = setting.file("bench1g", GIB)
    yield _memory("memory of `cp`, 1 GiB in", [
        *QGA, "cp", "-q", "-c", setting.socket, local, f"x:{setting.folder}/copy1g",
    ])  # fmt: skip


def growth(setting: Setting) -> dict[str, list[tuple[float, float]]]:
    """Lines for the plot: (size, seconds) for each job."""
    target = str(setting.folder / "grown")
    return {
        "exec sleep 1, guests": _line(
            (1, 2, 4, 8, 16, 32, 64),
            lambda n: [*QGA, "-c", setting.fleet, "exec", "-j", "64", _some(n), "sleep", "1"],
        ),
        "cp in, raw socket, MiB": _line(
            (1, 4, 16, 64, 256, 1024),
            lambda n: [
                *QGA, "cp", "-q", "-c", setting.socket,
                setting.file(f"grow{n}", n * MIB), f"x:{target}",
            ],
        ),
        "exec output, libvirt, KiB": _line(
            (1, 16, 256, 4096, 65536, 262144),
            lambda n: [*QGA, "exec", setting.guest, "head", "-c", str(n * 1024), "/dev/zero"],
        ),
    }  # fmt: skip


def small_files(setting: Setting, count: int = 2000) -> measure.Pair:
    """A tree of small files in one go, beside one file at a time (a tenth of them, times ten)."""
    tree = setting.folder / "small"
    tree.mkdir(exist_ok=True)
    for number in range(count):
        (tree / f"{number:04}").write_text(f"file {number}\n" * 20)
    ours = measure.alone([*QGA, "cp", "-qr", str(tree), f"{setting.guest}:/var/tmp/"], 3)
    peer = measure.alone(
        [sys.executable, str(PEERS / "small.py"), setting.guest, str(tree), str(count // 10)], 3
    )
    return measure.Pair(ours, [measure.Sample(s.seconds * 10, s.memory) for s in peer])


def _some(count: int) -> str:
    return ",".join(f"agent{number:02}" for number in range(count))


def _line(sizes: tuple[int, ...], command: Callable[[int], list[str]]) -> list[tuple[float, float]]:
    return [(size, measure.once(command(size)).seconds) for size in sizes]


def _seconds(name: str, command: list[str], goal: float | None = None) -> Figure:
    return Figure(name, measure.median(measure.alone(command, 3)), "s", goal)


def _memory(name: str, command: list[str]) -> Figure:
    return Figure(name, measure.once(command).memory / MIB, "MiB", 80)
