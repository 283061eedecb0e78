"""How programs in a Windows guest end: by a timeout, a signal, a kill of qga, a restart."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.running import GUARD, eventually
from tests.windows.conftest import ARGS, GEN, MB, Windows
from tests.windows.conversation import Recorder


def test_a_timeout_ends_the_tree(live: Windows) -> None:
    """S8."""
    begun = time.monotonic()
    ran = live("--timeout", "2", "exec", "win", "--", "cmd", "/c", f"{GEN} 1000 0 0 10 900 & ver")
    assert ran.code == 124
    assert ran.stdout  # what it had written by then
    assert time.monotonic() - begun < 8
    assert "gen.exe" not in str(live.agent.processes())
    assert live.left() == ([], [])


def test_ctrl_c_ends_the_tree(live: Windows) -> None:
    """S8."""
    command = [sys.executable, "-m", "qga_cli", "-c", live.uri, "exec", "win", "--"]
    with subprocess.Popen(
        [*command, GEN, "1000", "0", "0", "10", "900"],
        stdout=subprocess.PIPE, env={**os.environ, **live.env},
    ) as process:  # fmt: skip
        assert eventually(lambda: "gen.exe" in str(live.agent.processes()))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=GUARD)
    assert process.returncode not in (0, 124)
    assert "gen.exe" not in str(live.agent.processes())
    assert live.left() == ([], [])


def test_a_program_that_cannot_be_ended_is_said(live: Windows) -> None:
    """S8: taskkill's exit code was never looked at."""
    program = live.drive / "windows" / "system32" / "taskkill.exe"
    own = program.read_bytes()
    program.write_bytes((live.drive / "args.exe").read_bytes().replace(b"--line", b"--xxxx"))
    program.unlink()
    try:
        begun = time.monotonic()
        ran = live("--timeout", "1", "exec", "win", "--", GEN, "100", "0", "0", "10", "700")
        assert ran.code == 124
        assert "could not be ended" in ran.err
        assert "runs on" in ran.err
        assert time.monotonic() - begun < 6
    finally:
        program.write_bytes(own)
    assert eventually(lambda: "gen.exe" not in str(live.agent.processes()), seconds=20)
    assert live.exec("win", "--", ARGS)[0] == 0  # and clears away what the first has left
    assert live.left() == ([], [])


def test_a_child_left_behind_does_not_hold_the_call(live: Windows) -> None:
    """S8."""
    begun = time.monotonic()
    line = f"start /b {GEN} 100 0 0 10 900 >NUL 2>&1 & echo started"
    assert live.exec("win", "--", "cmd", "/c", line)[:2] == (0, b"started\r\n")
    assert time.monotonic() - begun < 7
    assert eventually(lambda: "gen.exe" not in str(live.agent.processes()), seconds=20)
    assert live.exec("win", "--", ARGS)[0] == 0  # clears away the input that the child held
    assert live.left() == ([], [])


def test_a_child_that_holds_the_output_does_not_hold_the_call(live: Windows) -> None:
    """S8: it lasted until the child's end. cmd of wine lets nobody read the file behind `>`, and
    that is said."""
    begun = time.monotonic()
    line = f"start /b {GEN} 100 0 0 10 900 & echo started"
    code, _, err = live.exec("win", "--", "cmd", "/c", line)
    assert time.monotonic() - begun < 7
    assert code == 0 or (code == 125 and "what it has left running holds its output" in err)
    assert eventually(lambda: "gen.exe" not in str(live.agent.processes()), seconds=20)
    assert live.exec("win", "--", ARGS)[0] == 0
    assert live.left() == ([], [])


def test_no_input_is_no_wait(live: Windows) -> None:
    """Standard input that stays open is read to its end before the program starts; Ctrl-C and
    --timeout end that too."""
    read, write = os.pipe()
    command = [sys.executable, "-m", "qga_cli", "-c", live.uri, "--timeout", "1", "exec", "win"]
    ran = subprocess.run(
        [*command, ARGS], stdin=read, capture_output=True, env={**os.environ, **live.env}
    )
    os.close(read)
    os.close(write)
    assert ran.returncode == 124
    assert b"input has not ended" in ran.stderr
    assert live.left() == ([], [])


def test_two_hundred_leave_nothing(live: Windows) -> None:
    before = live.agent.processes()
    for _ in range(200):
        assert live.exec("win", "--", ARGS, "x", stdin=b"y") == (0, b"[x]\n", "")
    assert live.left() == ([], [])
    assert live.agent.processes() == before


def test_after_kill_nothing_stays_locked(live: Windows) -> None:
    """S5: the agent keeps the files of a killed qga open until it is restarted."""
    command = [sys.executable, "-m", "qga_cli", "-c", live.uri, "exec", "win", "--"]
    for moment in range(10):
        with subprocess.Popen(
            [*command, GEN, str(8 * MB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **live.env},
        ) as process:  # fmt: skip
            time.sleep(0.1 + 0.12 * moment)
            process.kill()
        assert live.exec("win", "--", ARGS)[0] == 0
        assert eventually(lambda: live.exec("win", "--", ARGS)[0] == 0 and live.left() == ([], []),
                   seconds=20)  # fmt: skip


def test_an_agent_that_is_restarted(live: Windows, tmp_path: Path) -> None:
    """S16: "PID lld does not exist", and a hint about too much output."""
    recorders = [Recorder(live.agent)]
    looks = 0

    def restart(request: dict[str, object]) -> object:
        nonlocal looks
        looks += request["execute"] == "guest-exec-status" and "gen.exe" in str(
            live.agent.processes()
        )
        if looks == 1 and len(recorders) == 1:
            recorders[0].close()
            live.agent.stop_agent()
            live.agent.start_agent()
            recorders.append(Recorder(live.agent))
        return recorders[-1](request)

    between = FakeAgent(tmp_path / "between.sock", restart)
    words = ("-c", between.uri, "exec", "win", "--")
    ran = qga(*words, GEN, "1000", "0", "0", "1", "900", env=live.env)
    assert ran.code == 125
    assert "the agent was restarted" in ran.err
    assert "too much output" not in ran.err
    assert "lld" not in ran.err
    assert qga(*words, ARGS, env=live.env).code == 0
    between.close()
    recorders[-1].close()
    assert live.left() == ([], [])
