"""Started with a standard stream closed, as daemons do: no connection takes its number."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler


def closed(how: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run by a shell that closes streams; stdin is empty otherwise."""
    line = ["sh", "-c", f'"$0" "$@" {how}', sys.executable, "-m", "qga_cli", *words]
    return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)


@pytest.mark.parametrize("how", ["<&-", "2>&-", "<&- 2>&-"])
def test_a_closed_stream_is_as_good_as_null(fake: Callable[[Handler], FakeAgent], how: str) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    ran = closed(how, "-c", agent.uri, "os", "hostname", "x")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "h\n", "")
    assert closed(how, "-c", "unix:/nosuch", "ping", "x").returncode == 3
    assert closed(how, "ping", "--help").returncode == 0


@pytest.mark.parametrize("how", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_an_answer_that_is_lost_is_no_success(
    fake: Callable[[Handler], FakeAgent], how: str
) -> None:
    told = "the output cannot be written: stdout is closed\n"
    uri = fake(lambda request: {"host-name": "h"}).uri
    lines = (("--version",), ("-c", uri, "os", "hostname", "x"), ("ping", "--help"), ("list", "-h"))
    for words in lines:
        ran = closed(how, *words)
        assert ran.returncode == 1, words
        assert ran.stderr.endswith("" if "2>&-" in how else told)
        assert "Traceback" not in ran.stderr
    assert closed(how, "-c", "unix:/nosuch", "ping", "x").returncode == 3


def test_what_prints_nothing_needs_no_stdout(fake: Callable[[Handler], FakeAgent]) -> None:
    ran = closed(">&-", "-c", fake(lambda request: {}).uri, "ping", "x")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("file", "write", "x", "1000"), 2, "standard input cannot be read"),
        (("user", "set-password", "x", "root", "--password-stdin"), 2, "the password cannot be"),
        (("batch", "x"), 2, "standard input cannot be read"),
        (("script", "x", "-"), 2, "the script cannot be"),
        (("exec", "-i", "x", "cat"), 125, "the input cannot be read"),
        (("ssh", "add", "x", "root", "@-"), 2, "cannot be read"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_input_that_is_closed_is_no_empty_input(
    fake: Callable[[Handler], FakeAgent], words: Sequence[str], code: int, told: str
) -> None:
    agent = fake(lambda request: {})
    ran = closed("<&-", "-c", agent.uri, *words)
    assert (ran.returncode, told in ran.stderr) == (code, True), ran.stderr
    assert "Bad file descriptor" in ran.stderr
    sent = {request["execute"] for request in agent.requests}
    assert not sent & {"guest-file-write", "guest-set-user-password", "guest-exec"}


def test_a_copy_of_closed_input_leaves_the_file(local_agent: str, tmp_path: Path) -> None:
    """`cp - VM:/f` of a job whose stdin was closed made it an empty one."""
    (tmp_path / "f").write_text("old")
    ran = closed("<&-", "-c", local_agent, "cp", "-", f"x:{tmp_path}/f")
    assert (ran.returncode, ran.stderr) == (1, "qga: standard input: Bad file descriptor\n")
    assert (tmp_path / "f").read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_version_that_cannot_be_written_is_told() -> None:
    ran = closed(">/dev/full", "--version")
    assert ran.returncode == 1
    assert ran.stderr == "qga: the output cannot be written: No space left on device\n"
    assert qga("--version").code == 0


def test_a_version_that_nobody_reads_is_no_news() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "qga_cli", "--version"]
    ran = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_programs_output_on_a_full_device_is_told(local_agent: str) -> None:
    # It refuses no bytes at all, too, by which we see that a stream is closed.
    words = ("-c", local_agent, "exec", "x", "--", "echo", "lost")
    ran = closed(">/dev/full", *words)
    assert ran.returncode == 125
    assert "the output cannot be written: No space left on device" in ran.stderr
    assert closed(">&-", *words).returncode == 0
