"""Ctrl-C ends qga by that signal, so that a script ends too."""

import os
import shlex
import signal
import subprocess
import sys

from tests.kit.running import GUARD

QGA = f"{shlex.quote(sys.executable)} -m qga_cli"


def script(line: str) -> tuple[int, str]:
    """What becomes of a bash script with this line, whose group gets Ctrl-C once it has begun."""
    text = f"{line}; echo went on"
    with subprocess.Popen(
        ["bash", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=GUARD)
        return process.returncode, out.decode()


def test_a_script_does_not_go_on(local_agent: str) -> None:
    """Of `qga cp web1:/f .; qga rm web1:/f` the second line ran after Ctrl-C in the first."""
    line = f"{QGA} -c {local_agent} exec x -- sh -c 'echo ready; exec sleep 60'"
    assert script(line) == (-signal.SIGINT, "")


def test_a_program_that_makes_good_use_of_it_ends_nothing(local_agent: str) -> None:
    heeding = "trap 'exit 0' INT; echo ready; while :; do sleep 0.1; done"
    line = f"{QGA} -c {local_agent} exec x -- sh -c {shlex.quote(heeding)}"
    assert script(line) == (0, "went on\n")
