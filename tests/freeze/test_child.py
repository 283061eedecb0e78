"""The host's command under a freeze, where it begins and where it cannot."""

import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.freeze.child import Child
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.freezes import Filesystems
from tests.kit.running import GUARD, Started

Fake = Callable[..., FakeAgent]

DYING = """
import os, signal, sys
from qga_cli.freeze.child import Child
Child(["touch", sys.argv[1]], {})
os.kill(os.getpid(), signal.SIGKILL)
"""


def words(agent: FakeAgent, *command: str, max: str = "30s") -> list[str]:
    return ["-c", agent.uri, "fs", "with-frozen", "--max", max, "web1", "--", *command]


def test_qga_dies_before_the_watchdogs_know_whom_to_end(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    # The command would hold the pipe open: it has not begun, or has ended, when this returns.
    ran = subprocess.run(
        [sys.executable, "-c", DYING, str(mark)], stdout=subprocess.PIPE, timeout=10
    )
    assert ran.returncode == -signal.SIGKILL
    assert not mark.exists()


@pytest.mark.parametrize(
    ("text", "code"), [("#!/nosuch\n", 127), ("neither a script nor a program\n", 126)]
)
def test_a_command_that_cannot_be_executed(
    fake: Fake, tmp_path: Path, text: str, code: int
) -> None:
    filesystems = Filesystems()
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    ran = qga(*words(fake(filesystems), str(script)))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"qga: cannot run {script} on this host: ")
    assert filesystems.seen.count("thaw") == 1
    assert not filesystems.frozen


@pytest.mark.slow
def test_a_command_that_takes_too_long(fake: Fake) -> None:
    uri = fake(Filesystems()).uri
    ran = qga("-c", uri, "fs", "with-frozen", "--max", "1s", "web1", "--", "sleep", "9")
    assert ran.code == 124
    assert "the freeze lasted too long: " in ran.err
    assert "--max" in ran.err.partition("\nhint: ")[2]


@pytest.mark.slow
def test_a_command_that_is_stopped_keeps_nothing_frozen(fake: Fake) -> None:
    """Ctrl-Z left the guest frozen for all of --max, and the terminal deaf to Ctrl-C."""
    filesystems = Filesystems()
    script = "echo; kill -STOP $$; echo not reached"
    ran = qga(*words(fake(filesystems), "sh", "-c", script, max=f"{GUARD:g}s"), timeout=GUARD / 2)
    assert (ran.code, ran.out) == (124, "\n")
    assert ran.err.startswith("qga: the command was stopped, by Ctrl-Z "), ran.err
    assert not filesystems.frozen


def test_a_command_that_has_ended_is_not_stopped() -> None:
    """The kernel knows no child that could be stopped still: ECHILD."""
    command = Child(["true"], {})
    command.start()
    assert select.select([command], [], [], GUARD)[0]
    assert not command.is_stopped()
    assert command.wait() == 0


@pytest.mark.slow
def test_a_command_that_is_ended_has_time_to_tidy_up(fake: Fake) -> None:
    """One time in four it was killed at once."""
    script = 'trap "sleep 0.3; echo tidy; exit" TERM; echo; while :; do sleep 0.01; done'
    for _ in range(5):
        started = Started(*words(fake(Filesystems()), "sh", "-c", script))
        started.line()
        started.signal(signal.SIGTERM)
        code, out, _ = started.end()
        assert (code, out) == (143, "tidy\n")


def test_signals_are_the_commands_own(fake: Fake) -> None:
    ran = qga(*words(fake(Filesystems()), "grep", "SigIgn", "/proc/self/status"))
    ignored = int(ran.out.split()[1], 16)
    assert not any(ignored >> signum - 1 & 1 for signum in (signal.SIGPIPE, signal.SIGXFSZ))


def test_a_hang_up_under_nohup(fake: Fake) -> None:
    argv = words(fake(Filesystems()), "sh", "-c", "echo; sleep 1; echo ran")
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "qga_cli", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=GUARD)
    assert (process.returncode, out) == (0, b"ran\n"), err
