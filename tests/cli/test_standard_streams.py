"""Standard streams as no shell at a terminal gives them: closed, not blocking, unbuffered, full."""

import errno
import io
import os
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from qga_cli.agent import Agent
from qga_cli.errors import FileError
from qga_cli.exec.run import run
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.kit.running import GUARD

QGA = (sys.executable, "-m", "qga_cli")
COUNT = ("sh", "-c", "seq 100000")
COUNTED = 588_895  # bytes that it writes: more than a pipe holds


@pytest.mark.slow
@pytest.mark.parametrize("option", ["-n", "--channel=never"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed(local_agent: str, option: str, closed: str) -> None:
    words = ("-c", local_agent, "exec", option, "x", "--")
    script = "cat; echo out; echo err >&2; exit 3"
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *QGA, *words, "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout == (b"" if " >&-" in f" {closed}" else b"out\n")
    assert done.stderr == (b"" if "2>&-" in closed else b"err\n")


def test_input_that_does_not_block_is_waited_for(local_agent: str) -> None:
    source, sink = os.pipe()
    os.set_blocking(source, False)
    words = (*QGA, "-c", local_agent, "exec", "x", "--", "sh", "-c", "echo ready >&2; cat")
    process = subprocess.Popen(words, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    os.write(sink, b"late\n")
    os.close(sink)
    os.close(source)
    assert process.communicate(timeout=GUARD)[0] == b"late\n"
    assert process.returncode == 0


@pytest.mark.slow
def test_output_that_does_not_block_is_waited_for(local_agent: str) -> None:
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    words = (*QGA, "-c", local_agent, "exec", "x", "--", *COUNT)
    process = subprocess.Popen(words, stdout=sink, stderr=subprocess.PIPE)
    os.close(sink)
    with pytest.raises(subprocess.TimeoutExpired):  # it would have ended, its output lost
        process.wait(2)
    with open(source, "rb") as file:
        assert len(file.read()) == COUNTED
    assert process.communicate(timeout=GUARD)[1] == b""
    assert process.returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_is_full_in_the_middle(
    local_agent: str, unbuffered: str, tmp_path: Path
) -> None:
    half = COUNTED // 2
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            (*QGA, "-c", local_agent, "exec", "x", "--", *COUNT),
            stdout=out,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (half, half)),
            check=False,
        )
    assert done.returncode == 125
    assert b"the output cannot be written: File too large" in done.stderr


def test_complaints_without_room_leave_the_exit_code() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*QGA, "-c", "unix:/nonexistent", "ping", "x"], stderr=full, check=False
        )
    assert done.returncode == 3


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("guests", ["x", "x,y"])
def test_steps_and_summaries_without_room_stop_nothing(
    local_agent: str, tmp_path: Path, guests: str, *, gone: bool
) -> None:
    """A backup whose log was full began nothing, or ended with 125 when all was done."""
    for name in ("x", "y"):
        (tmp_path / f"{name}.sock").symlink_to(local_agent.removeprefix("unix:"))
    words = ("-v", "-c", f"unix:{tmp_path}/{{vm}}.sock", "exec", "-n", "-j1", guests, "--")
    if gone:
        source, sink = os.pipe()
        os.close(source)
    else:
        sink = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run([*QGA, *words, "sh", "-c", f"echo >>{tmp_path}/ran"], stderr=sink)
    os.close(sink)
    assert done.returncode == 0
    assert (tmp_path / "ran").read_text() == "\n" * len(guests.split(","))


def test_input_that_cannot_be_read_starts_nothing(local_agent: str, tmp_path: Path) -> None:
    with open("/proc/self/mem", "rb") as broken:
        done = subprocess.run(
            [*QGA, "-c", local_agent, "exec", "x", "--", "touch", str(tmp_path / "ran")],
            stdin=broken,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, list(tmp_path.iterdir())) == (125, [])
    assert done.stderr == b"qga: x: the input cannot be read: Input/output error\n"


class Torn(io.RawIOBase):
    """A file on a disk that breaks."""

    def __init__(self) -> None:
        self.left = 200_000

    def read(self, count: int = -1, /) -> bytes:
        if not self.left:
            raise OSError(errno.EIO, "Input/output error")
        self.left -= min(count, self.left)
        return b"x" * count


def test_input_that_breaks_off_is_told(local_agent: str) -> None:
    with (
        closing(connect(local_agent).open("x")) as transport,
        pytest.raises(FileError, match="the input cannot be read: Input/output error"),
    ):
        run(
            Agent(transport, "x"), ["cat"], stdin=Torn(), stdout=len, stderr=len,
            interrupt=Interrupt(),
        )  # fmt: skip
