"""`python -m bench.plays [TASK]...`: the collection beside community.libvirt's connection, in turn.

From each time that of `-c local` for the same is taken away: Ansible's own. The twenty tasks would
change this machine: for them it is the time of twenty pings.
"""

import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from bench import measure
from tests import lab

REPO = Path(__file__).parent.parent
PLAYS = REPO / "tests" / "ansible"
BIN = Path(sys.executable).parent
# How an inventory calls them. "anew" is ours without a process that keeps the guest open. A round
# that does not count comes first, so for a ping or a copy ours finds the guest open, as the second
# task of a play does; a play of twenty comes too late for that, and opens it.
WAYS = {
    "ours": "ansible_connection=qga.guest.agent ansible_qga_uri={uri}",
    "theirs": "ansible_connection=community.libvirt.libvirt_qemu ansible_libvirt_uri={uri}",
    "anew": "ansible_connection=qga.guest.agent ansible_qga_uri={uri} ansible_qga_persist=0",
}
TASKS = {"ping": 5, "copy of 16 MiB": 3, "twenty tasks": 1}  # and how often each is run
GOALS = {"ping": 0.4, "copy of 16 MiB": 0.15, "twenty tasks": 0.4}


def main() -> None:
    """Measure, and print the ratios."""
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as place,
        lab.up(f"qga-plays-{os.getpid()}", "bookworm-python") as guest,
    ):
        folder = Path(place)
        peer(folder)
        files(folder)
        for way, about in WAYS.items():
            (folder / way).write_text(f"{guest.name} {about.format(uri=guest.uri)}\n")
        (folder / "local").write_text(
            f"here ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        )
        pings: list[dict[str, object]] = [{"ansible.builtin.ping": {}}] * 20
        (folder / "pings.yml").write_text(
            json.dumps([{"hosts": "all", "gather_facts": False, "tasks": pings}])
        )
        os.environ["ANSIBLE_CONFIG"] = str(folder / "ansible.cfg")
        os.environ["ANSIBLE_DISPLAY_FAILED_STDERR"] = "true"  # what an error of ours shows
        os.chdir(folder)
        for task in sys.argv[1:] or TASKS:
            compare(task, folder)


def peer(folder: Path) -> None:
    """community.libvirt out of PyPI's `ansible`, and nothing else of it."""
    words = ("pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "ansible")
    subprocess.run([sys.executable, "-m", *words], check=True)
    (package,) = folder.glob("ansible-*.whl")
    with zipfile.ZipFile(package) as wheel:
        for name in wheel.namelist():
            if name.startswith("ansible_collections/community/libvirt/"):
                wheel.extract(name, folder)
    (folder / "ansible.cfg").write_text(
        f"[defaults]\ncollections_path = {folder}:{REPO}\n"
        f"interpreter_python = /usr/bin/python3\nhome = {folder}/home\n"
    )


def files(folder: Path) -> None:
    """What is copied."""
    (folder / "blob").write_bytes(os.urandom(300_000))
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        archive.add(PLAYS / "twenty.yml", "packed/twenty.yml")


def command(task: str, folder: Path, way: str) -> list[str]:
    """A task, one way."""
    words = [str(BIN / "ansible"), "-i", f"{folder}/{way}", "all"]
    if task == "ping":
        return [*words, "-m", "ping"]
    if task.startswith("copy"):
        # New each time, and to a new place, or there would be an old file to be read too.
        place = folder if way == "local" else Path("/var/tmp")
        line = "head -c 16M /dev/urandom >{1}/big; {0} -m copy -a src={1}/big\\ dest={2}/$$"
        return ["sh", "-c", line.format(" ".join(words), folder, place)]
    if way == "local":
        return [str(BIN / "ansible-playbook"), "-i", f"{folder}/{way}", f"{folder}/pings.yml"]
    # Theirs has no shell for `raw`: a pipe would be a word of the first program.
    given = {"blob": f"{folder}/blob", "back": f"{folder}/back", "archive": f"{folder}/a.tar.gz",
             "much": 1_000_000, "line": "printf %1000000d 7"}  # fmt: skip
    return [str(BIN / "ansible-playbook"), "-i", f"{folder}/{way}", "-e", json.dumps(given),
            str(PLAYS / "twenty.yml")]  # fmt: skip


def compare(task: str, folder: Path) -> None:
    """One line: the ratio, and what it is made of."""
    if task == "twenty tasks":
        measure.once(command(task, folder, "ours"))  # afterwards it changes nothing
    ways = WAYS if task == "ping" else [way for way in WAYS if way != "anew"]
    commands = [command(task, folder, way) for way in ("local", *ways)]
    base, ours, theirs, *rest = measure.in_turn(commands, TASKS[task])
    named = [("", ours, f" (goal {GOALS[task]})"), *((", opened anew", anew, "") for anew in rest)]
    for name, one, goal in named:
        ratios = [
            (a.seconds - c.seconds) / (b.seconds - c.seconds)
            for a, b, c in zip(one, theirs, base, strict=True)
        ]
        times = " ".join(f"{measure.median(each):.1f}" for each in (one, theirs, base))
        print(
            f"{statistics.median(ratios):.2f}{goal}, {min(ratios):.2f} to {max(ratios):.2f}  "
            f"{task}{name}: {times} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
