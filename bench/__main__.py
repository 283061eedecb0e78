"""`python -m bench`: measures every row and writes docs/benchmarks.md and .svg."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import live, plot, report, single
from bench.report import Result
from bench.rows import BIG, QGA, ROWS, Row, Setting
from tests import lab
from tests.lab.local_agent import agent

DOCS = Path(__file__).parent.parent / "docs"
FLEET = 300


def main() -> None:
    """Measure with a guest and agents of our own, and write the page."""
    with ExitStack() as stack:
        guest = stack.enter_context(lab.up("qga-bench"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        running = [
            stack.enter_context(agent(folder, f"agent{number:03}")) for number in range(FLEET)
        ]
        socket = running[0].socket
        fleet = f"unix:{socket.parent}/{{vm}}{socket.suffix}"
        setting = Setting(guest.name, socket, fleet, folder)
        versions = f"libvirt {_version('virsh')}, qemu-ga {guest.agent_version}"
        _prepare(setting)
        results = [result for row in ROWS for result in _measured(row, setting)]
        results += single.small_files(setting)
        results.append(live.first_byte(setting))
        page = DOCS / "benchmarks.md"
        page.write_text(report.page(results, [], versions))  # in case that what follows fails
        growth = single.Growth(setting)
        DOCS.joinpath("benchmarks.svg").write_text(plot.svg(growth.lines()))
        figures = [*live.echoes(setting), *single.figures(setting, growth)]
        page.write_text(report.page(results, figures, versions))


def _prepare(setting: Setting) -> None:
    """The file that `cp` brings out of the guest."""
    command = [*QGA, "cp", "-q", setting.big(), f"{setting.guest}:/var/tmp/{BIG}"]
    subprocess.run(command, check=True)


def _measured(row: Row, setting: Setting) -> Iterator[Result]:
    for peer, pair in zip(row.peers, row.run(setting), strict=True):
        print(f"{pair.ratio:6.2f}  {row.name} / {peer.name}", flush=True)
        yield Result(row.name, peer.name, peer.goal, pair)


def _version(command: str) -> str:
    return subprocess.run(
        [command, "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
