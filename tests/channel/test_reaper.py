"""What cleans up after a qga that has died, and whom it keeps waiting."""

import subprocess
import sys
import time

import pytest

from tests.kit.command import qga
from tests.kit.running import eventually


@pytest.mark.slow
def test_who_comes_next_does_not_wait_for_it_at_a_socket(local_agent: str) -> None:
    """It asks for some seconds; an agent's socket has one client at a time."""
    argv = [sys.executable, "-m", "qga_cli.channel.reaper", local_agent, "x", "--", "@qga-nobody"]
    with subprocess.Popen(argv) as reaper:
        began, answers = time.monotonic(), 0
        while reaper.poll() is None:
            assert qga("-c", local_agent, "--timeout", "20s", "ping", "x").code == 0
            answers += 1
        lasted = time.monotonic() - began
        assert eventually(lambda: reaper.poll() == 0)
    assert lasted > 3
    assert answers > 4
