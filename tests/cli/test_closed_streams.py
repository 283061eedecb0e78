"""Started with a standard stream closed, as daemons do: no connection takes its number."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

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


def test_what_closed_input_has_is_nothing(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: {"count": 0, "eof": False})
    words = ("-c", agent.uri, "file", "write", "x", "1000", "-o", "json")
    assert json.loads(closed("<&-", *words).stdout) == {"count": 0, "eof": False}
    assert agent.requests[-1]["arguments"] == {"handle": 1000, "buf-b64": ""}


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
