"""`python -m bench.startup`: where the time of a short command goes; writes docs/startup.md.

Python tells what each import took (-X importtime); an empty Python is what nobody can leave out;
the rest is work: connecting, calls, the guest. The least of several runs counts, for whatever else
a machine does only adds to it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from bench import BenchError
from bench.rows import QGA
from tests import lab

PAGE = Path(__file__).parent.parent / "docs" / "startup.md"
ROUNDS = 25
SLOWEST = 8  # modules named for each command
HEAD = """# Where the time of a short command goes

Milliseconds, the least of {rounds} runs on the lab's guest ({versions}). `make profile` writes this
page. *Python* is an empty one (`python -c pass`), *libvirt* its C module with the libraries below
it, *Python's modules* what else comes from Python or another package, *qga* our own files, and
*work* the rest: connecting, calls, the guest. Python says a little more of an import than it takes
when nobody looks.

| command | all | Python | libvirt | Python's modules | qga (files) | work |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Measure with a guest of our own, and write the page."""
    with lab.up("qga-profile") as guest:
        commands = {
            "ping VM": ["ping", guest.name],
            "fs list VM": ["fs", "list", guest.name],
            "exec VM -- true": ["exec", guest.name, "--", "true"],
            "cp VM:/etc/hostname -": ["cp", f"{guest.name}:/etc/hostname", "-"],
            "TAB after `qga ping `": ["__complete", "guest", "", "ping"],
        }
        empty = min(_wall([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
        rows, slow = [], []
        for name, words in commands.items():
            wall, imports = _profile(words)
            row, told = _row(name, wall, empty, imports)
            rows.append(row)
            slow.append(told)
        release = subprocess.run(["virsh", "--version"], capture_output=True, text=True, check=True)
        versions = f"libvirt {release.stdout.strip()}, qemu-ga {guest.agent_version}"
        text = HEAD.format(rounds=ROUNDS, versions=versions) + "\n".join(rows) + "\n\n"
        text += "The slowest modules, each without what it imports:\n\n" + "\n".join(slow) + "\n"
        PAGE.write_text(text)


def _profile(words: list[str]) -> tuple[float, dict[str, float]]:
    """The whole time of a command, and that of each of its imports, in milliseconds."""
    walls, found = [], defaultdict(list)
    for _ in range(ROUNDS):
        walls.append(_wall([*QGA, *words]))
        watched = [sys.executable, "-X", "importtime", *QGA, *words]
        done = subprocess.run(watched, capture_output=True, text=True, check=True)
        for line in done.stderr.splitlines():
            own, bar, rest = line.removeprefix("import time:").partition("|")
            if bar and own.strip().isdigit():
                found[rest.partition("|")[2].strip()].append(int(own) / 1000)
    usual = {m: times for m, times in found.items() if len(times) > ROUNDS // 2}  # no odd refusal
    return min(walls), {module: min(times) for module, times in usual.items()}


def _row(name: str, wall: float, empty: float, imports: dict[str, float]) -> tuple[str, str]:
    """A line of the table, and one that names the slowest modules."""
    known = _of_an_empty_python()
    loaded = {module: spent for module, spent in imports.items() if module not in known}
    ours = {m: spent for m, spent in loaded.items() if m.split(".")[0] == "qga_cli"}
    libvirt = {m: spent for m, spent in loaded.items() if m.startswith("libvirt")}
    other = {m: spent for m, spent in loaded.items() if m not in ours and m not in libvirt}
    parts = [sum(group.values()) for group in (libvirt, other, ours)]
    work = max(0.0, wall - empty - sum(parts))
    row = (
        f"| {name} | {wall:.1f} | {empty:.1f} | {parts[0]:.1f} | {parts[1]:.1f} "
        f"| {parts[2]:.1f} ({len(ours)}) | {work:.1f} |"
    )
    slowest = sorted(loaded.items(), key=lambda one: -one[1])[:SLOWEST]
    return row, f"- {name}: " + ", ".join(f"{m} {spent:.1f}" for m, spent in slowest)


def _of_an_empty_python() -> set[str]:
    text = "import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def _wall(command: list[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise BenchError(f"{command}: {done.stderr.decode()}")
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
