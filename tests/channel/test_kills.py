"""qga killed at random moments while its streams are on ports: nothing stays on either side.

QGA_TEST_KILLS says how many kills; QGA_TEST_SEED which moments, signals and uses.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.channel.ports import STAY
from tests import lab
from tests.kit import channels
from tests.kit.command import environment, qga
from tests.kit.remains import Remains
from tests.kit.terminals import Terminal
from tests.lab.hypervisor import virsh

pytestmark = [pytest.mark.slow, pytest.mark.port_written]

KILLS = int(os.environ.get("QGA_TEST_KILLS", "12"))
SEED = int(os.environ.get("QGA_TEST_SEED", "18"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AT_ONCE = 4
LATEST = 2.5  # seconds after the start; the first byte comes after 0.5 or so
LIMIT = 3.0  # seconds after the end in which everything is gone but
HOLDER = ("sh -c LC_ALL=C; export LC_ALL", "sleep 15")  # what holds a copy's files, which may take
LONGER = 10.0  # seconds
ENDS = 15.0  # seconds for a qga that was told to end, on a busy machine
ALWAYS = ("--channel", "always")

Use = Callable[[lab.Guest, Path], "subprocess.Popen[bytes]"]


def start(*words: str, stdin: str = os.devnull, stdout: int = subprocess.DEVNULL
          ) -> "subprocess.Popen[bytes]":  # fmt: skip
    """A command line that nobody reads: with a pipe for stdout it will wait for ever."""
    with open(stdin, "rb") as source:
        return subprocess.Popen(
            [sys.executable, "-m", "qga_cli", *words],
            stdin=source,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            env=environment(None),
        )


def program(guest: lab.Guest, text: str, **streams: object) -> "subprocess.Popen[bytes]":
    words = ("exec", "-i", *ALWAYS, guest.name, "--", "sh", "-c", text)
    return start(*words, **streams)  # type: ignore[arg-type]


def terminal(guest: lab.Guest, here: Path) -> "subprocess.Popen[bytes]":
    return Terminal("exec", "-it", *ALWAYS, guest.name, "--", "sh", "-c", "cat; sleep 999").process


USES: dict[str, Use] = {
    "a program that writes": lambda guest, here: program(
        guest, "while echo x; do sleep 0.1; done"
    ),
    "a silent program": lambda guest, here: program(guest, "sleep 997; :"),
    "a flood": lambda guest, here: program(guest, "cat /dev/zero"),
    "a flood that nobody reads": lambda guest, here: program(
        guest, "cat /dev/zero", stdout=subprocess.PIPE
    ),
    "a slow reader": lambda guest, here: program(
        guest, "while head -c 1000 >/dev/null; do sleep 0.1; done", stdin="/dev/zero"
    ),
    "a program that does not read": lambda guest, here: program(
        guest, "sleep 996", stdin="/dev/zero"
    ),
    "cp in": lambda guest, here: start(
        "cp", *ALWAYS, str(here / "large"), f"{guest.name}:/root/kills/{random.random()}"
    ),
    "cp out": lambda guest, here: start(
        "cp", *ALWAYS, f"{guest.name}:/root/kills/large", str(here / f"{random.random()}")
    ),
    "cat": lambda guest, here: start("cat", *ALWAYS, f"{guest.name}:/root/kills/large"),
    "a terminal": terminal,
}  # fmt: skip


@pytest.fixture
def large(guest: lab.Guest, tmp_path: Path) -> Iterator[Path]:
    """A folder with a large file; the guest has one too."""
    (tmp_path / "large").write_bytes(os.urandom(48 * 2**20))
    assert qga("mkdir", f"{guest.name}:/root/kills").code == 0
    fill = "head -c 50000000 /dev/urandom >/root/kills/large"
    assert qga("exec", guest.name, "--", "sh", "-c", fill).code == 0
    yield tmp_path
    assert qga("rm", "-r", f"{guest.name}:/root/kills").code == 0


def test_a_killed_qga_leaves_nothing(guest: lab.Guest, large: Path) -> None:
    chance = random.Random(SEED)
    define = ("dumpxml", guest.name, "--inactive", "--security-info")
    before = virsh(guest.uri, *define)
    remains, holders = Remains(guest, *HOLDER, limit=LIMIT), Remains(guest, limit=LONGER)
    for _ in range(0, KILLS, AT_ONCE):
        kills = []
        for name in chance.sample(sorted(USES), AT_ONCE):
            moment, signum = chance.uniform(0, LATEST), chance.choice(SIGNALS)
            kills.append((time.monotonic() + moment, signum, name, USES[name](guest, large)))
        told = ", ".join(f"{name}: {signum.name}" for _, signum, name, _ in kills)
        for when, signum, _, process in sorted(kills, key=lambda kill: kill[0]):
            time.sleep(max(0.0, when - time.monotonic()))
            process.send_signal(signum)
        for _, _, _, process in kills:
            process.wait(ENDS)
            if process.stdout:
                process.stdout.close()
        assert not (left := remains.soon()), f"after {told}: {left}"
        assert not (left := holders.soon()), f"after {told}: {left}"
        assert len(channels.plugged(guest)) <= STAY
    assert virsh(guest.uri, *define) == before
