"""Figures that have no peer, and how cost grows with guests, file size and output."""

from collections.abc import Callable, Iterator

from bench import measure
from bench.report import Figure, Result
from bench.rows import CALLS, MIB, QGA, Setting, python


class Growth:
    """How cost grows with guests, file size and output: (size, sample) for each line."""

    def __init__(self, setting: Setting) -> None:
        local = [*QGA, "-c", setting.socket]
        target = f"x:{setting.folder}/grown"
        self._guests = _line(
            (1, 3, 10, 30, 100, 300),
            lambda n: [*QGA, "-c", setting.fleet, "exec", "-j", "300", _some(n), "sleep", "1"],
        )
        self.copies = _line(
            (1, 4, 16, 64, 256, 1024),
            lambda n: [*local, "cp", "-q", setting.file(f"grow{n}", n * MIB), target],
        )
        self.outputs = _line(
            (1, 16, 256, 4096, 65536, 262_144, 1_048_576),
            lambda n: [*local, "exec", "x", "head", "-c", str(n * 1024), "/dev/zero"],
        )

    def lines(self) -> dict[str, list[tuple[float, float]]]:
        """For the plot: (size, seconds) for each job."""
        named = {
            "exec sleep 1, guests": self._guests,
            "cp in, raw socket, MiB": self.copies,
            "exec output, raw socket, KiB": self.outputs,
        }
        return {
            name: [(size, sample.seconds) for size, sample in line] for name, line in named.items()
        }


def figures(setting: Setting, growth: Growth) -> Iterator[Figure]:
    """The rows without a peer."""
    fleet = [*QGA, "-c", setting.fleet]
    yield _seconds("`exec sleep 1` on 32 agents", [*fleet, "exec", _some(32), "sleep", "1"], 2.0)
    yield _seconds("`list` with 300 agents", [*fleet, "list", _some(300)])
    yield _seconds("`--help`", [*QGA, "--help"])
    yield _seconds("completing a guest's name", [*QGA, "__complete", "guest", ""], 0.12)
    grown, back = f"x:{setting.folder}/grown", str(setting.folder / "back")
    out = measure.once([*QGA, "-c", setting.socket, "cp", "-q", grown, back])
    for name, sample in (
        ("`exec`, 1 GiB of output", growth.outputs[-1][1]),
        ("`cp`, 1 GiB in", growth.copies[-1][1]),
        ("`cp`, 1 GiB out", out),
    ):
        yield Figure(f"memory of {name}, raw socket", sample.memory / MIB, "MiB", 80)


def small_files(setting: Setting, count: int = 2000) -> Iterator[Result]:
    """A tree of small files to a new folder, beside one at a time (a tenth of them, times ten)."""
    tree = setting.folder / "small"
    tree.mkdir(exist_ok=True)
    for number in range(count):
        (tree / f"{number:04}").write_text(f"file {number}\n" * 20)
    target = f"{setting.guest}:/var/tmp"
    called, ours = (
        ["sh", "-c", '"$@"/new.$$', "sh", *QGA, "cp", "-qr", *options, str(tree), target]
        for options in (CALLS, ())
    )
    peer = python("small.py", setting.guest, str(tree), str(count // 10))
    slow, fast, single = measure.in_turn([called, ours, peer], 3)
    tenfold = [measure.Sample(sample.seconds * 10, sample.memory) for sample in single]
    name = f"`cp -r`, {count:,} small files"
    yield Result(name, "one file at a time", 0.1, measure.Pair(fast, tenfold))
    yield Result(name, "by agent calls", None, measure.Pair(fast, slow))


def _some(count: int) -> str:
    return ",".join(f"agent{number:03}" for number in range(count))


def _line(
    sizes: tuple[int, ...], command: Callable[[int], list[str]]
) -> list[tuple[int, measure.Sample]]:
    return [(size, measure.once(command(size))) for size in sizes]


def _seconds(name: str, command: list[str], goal: float | None = None) -> Figure:
    return Figure(name, measure.median(measure.alone(command, 3)), "s", goal)
