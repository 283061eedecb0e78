"""Figures that have no peer, and how cost grows with guests, file size and output."""

import sys
from collections.abc import Callable, Iterator

from bench import measure
from bench.report import Figure, Result
from bench.rows import MIB, PEERS, QGA, Setting

GIB = 1024 * MIB


def figures(setting: Setting) -> Iterator[Figure]:
    """The rows without a peer."""
    fleet = [*QGA, "-c", setting.fleet]
    yield _seconds("`exec sleep 1` on 32 agents", [*fleet, "exec", _some(32), "sleep", "1"], 2.0)
    yield _seconds("`list` with 50 agents", [*fleet, "list", _some(50)])
    yield _seconds("`--help`", [*QGA, "--help"])
    yield _seconds("completing a guest's name", [*QGA, "__complete", "guest", ""], 0.12)
    local = [*QGA, "-c", setting.socket]
    yield _memory("memory of `exec`, 1 GiB of output, raw socket",
                  [*local, "exec", "x", "head", "-c", str(GIB), "/dev/zero"])  # fmt: skip
    big, copy = setting.file("bench1g", GIB), f"x:{setting.folder}/copy1g"
    yield _memory("memory of `cp`, 1 GiB in, raw socket", [*local, "cp", "-q", big, copy])
    yield _memory("memory of `cp`, 1 GiB out, raw socket", [*local, "cp", "-q", copy, big])


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
            (1, 16, 256, 4096, 65536),
            lambda n: [*QGA, "exec", setting.guest, "head", "-c", str(n * 1024), "/dev/zero"],
        ),
    }  # fmt: skip


def small_files(setting: Setting, count: int = 2000) -> Result:
    """A tree of small files in one go, beside one file at a time (a tenth of them, times ten)."""
    tree = setting.folder / "small"
    tree.mkdir(exist_ok=True)
    for number in range(count):
        (tree / f"{number:04}").write_text(f"file {number}\n" * 20)
    ours, peer = measure.in_turn(
        [
            [*QGA, "cp", "-qr", str(tree), f"{setting.guest}:/var/tmp/"],
            [sys.executable, str(PEERS / "small.py"), setting.guest, str(tree), str(count // 10)],
        ],
        1,
    )
    tenfold = [measure.Sample(sample.seconds * 10, sample.memory) for sample in peer]
    return Result(
        f"`cp -r`, {count:,} small files", "one file at a time", 0.1, measure.Pair(ours, tenfold)
    )


def _some(count: int) -> str:
    return ",".join(f"agent{number:02}" for number in range(count))


def _line(sizes: tuple[int, ...], command: Callable[[int], list[str]]) -> list[tuple[float, float]]:
    return [(size, measure.once(command(size)).seconds) for size in sizes]


def _seconds(name: str, command: list[str], goal: float | None = None) -> Figure:
    return Figure(name, measure.median(measure.alone(command, 3)), "s", goal)


def _memory(name: str, command: list[str]) -> Figure:
    return Figure(name, measure.once(command).memory / MIB, "MiB", 80)
