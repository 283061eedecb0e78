"""`qga forward VM ... -- CMD` on a terminal: Ctrl-Z and Ctrl-C are for the whole job."""

import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.freeze.test_terminal import Terminal
from tests.kit.running import GUARD

JOB = """
import select, sys
from types import SimpleNamespace
from qga_cli.cli import last_signal
from qga_cli.interrupt import Interrupt, die_of_ctrl_c
from qga_cli.network.forward import _Forwarding
interrupt = Interrupt()
last_signal.handle(interrupt)
tunnel = SimpleNamespace(turn=lambda files: select.select(files, [], [], 0.1)[0])
job = SimpleNamespace(interrupt=interrupt, target="x", check_time=lambda: None)
forwarding = _Forwarding(job, tunnel)
forwarding._ports.append(1)
code = forwarding._with(["sh", "-c", sys.argv[1]])
if interrupt.signum:
    die_of_ctrl_c()
sys.exit(code)
"""


@pytest.fixture
def shell() -> Iterator[Callable[[str, str], Terminal]]:
    """Runs a job and a line after it in a script, on a terminal."""
    made: list[Terminal] = []

    def start(command: str, then: str) -> Terminal:
        words = ["bash", "-c", then.replace("JOB", '"$@"'), "bash"]
        made.append(Terminal(*words, sys.executable, "-c", JOB, command))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_ctrl_z_stops_the_job_and_fg_goes_on(shell: Callable[[str, str], Terminal]) -> None:
    """The terminal was deaf from then on, to Ctrl-C as well."""
    seen = shell(
        "echo runs; read -r word; echo it has $word",
        "set -m; JOB; echo stopped; fg; echo code $?",
    )
    seen.expect("runs")
    seen.type("\x1a")
    seen.expect("stopped")
    seen.type("this\n")
    seen.expect("it has this")
    seen.expect("code 0")


def test_ctrl_c_ends_the_script_too(shell: Callable[[str, str], Terminal]) -> None:
    seen = shell("echo runs; exec sleep 60", "JOB; sleep 60")
    seen.expect("runs")
    seen.type("\x03")
    assert seen.process.wait(GUARD / 10) == -signal.SIGINT
