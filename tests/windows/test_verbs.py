"""script, wait, doctor, tail -f ... on a Windows guest."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.kit.policies import programs
from tests.kit.running import GUARD, eventually
from tests.windows.conftest import Windows

CMD = "@echo off\necho [%~1] [%~2]\nset /p LINE=\necho read %LINE%\ngoto end\n:end\nexit /b 5\n"


@pytest.mark.parametrize("name", ["x.cmd", "x.BAT"])
def test_a_script_of_cmd(win: Windows, here: Path, name: str) -> None:
    """S11."""
    (here / name).write_text(CMD)
    ran = win("script", "win", str(here / name), "a b", "", stdin=b"given\n")
    assert (ran.code, ran.err) == (5, "")
    assert ran.out == "[a b] []\r\nread given\r\n"


def test_a_script_of_any_length(live: Windows, here: Path) -> None:
    """S11."""
    (here / "x.cmd").write_text(
        "@echo off\n" + "rem xxxxxxxxxxxxxxxxxxxxxx\n" * 5000 + "exit /b 3\n"
    )
    assert live("script", "win", str(here / "x.cmd")).code == 3
    assert live.left() == ([], [])


def test_a_script_from_standard_input_is_cmds(win: Windows, here: Path) -> None:
    log = here / "log"
    text = b"@echo hello\n@exit /b 4\n"
    ran = win("script", "--audit", str(log), "win", "-", stdin=text)
    assert (ran.code, ran.out) == (4, "hello\r\n")
    assert programs(log) == [["stdin.cmd"]]


def test_a_shell_script_is_refused(win: Windows, here: Path) -> None:
    (here / "x.sh").write_text("echo hello\n")
    ran = win("script", "win", str(here / "x.sh"))
    assert ran.code == 125
    assert ".ps1" in ran.err


def test_no_terminal(win: Windows) -> None:
    """S14: it said to install python3."""
    command = shlex.join([sys.executable, "-m", "qga_cli", "-c", win.uri, "shell", "win"])
    ran = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, text=True)
    assert ran.returncode == 6
    assert "cmd /c" in ran.stdout
    assert "python" not in ran.stdout


def test_no_volume_shadow_copies(win: Windows) -> None:
    """S15."""
    assert win("wait", "win", "--for", "thawed", "--timeout", "5s").code == 0


def test_doctor_warns(win: Windows) -> None:
    """S15."""
    ran = win("doctor", "win")
    assert ran.code == 0
    assert "this agent cannot freeze" in ran.out
    assert "virtio-win" in ran.out
    assert "SELinux" not in ran.out
    assert "/dev/" not in ran.out  # wine has a / with filesystems of Linux


def test_waiting_for_a_folder(win: Windows) -> None:
    """S13."""
    assert win("wait", "win", "--for", "file:C:\\windows", "--timeout", "5s").code == 0


def test_waiting_in_vain(live: Windows) -> None:
    assert live("wait", "win", "--for", "file:C:\\nosuch", "--timeout", "1s").code == 124


def test_waiting_for_a_port(live: Windows) -> None:
    """S3, S20: all of netstat's output was captured, and its words were English."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert live("wait", "win", "--for", f"port:{port}", "--timeout", "9s").code == 0
    assert live("wait", "win", "--for", "port:1", "--timeout", "2s").code == 124


def test_backslashes_are_not_doubled(win: Windows) -> None:
    """S18."""
    assert "C:\\" in [line.split("\t")[0] for line in win("fs", "list", "win").out.splitlines()]


def test_following_a_file(live: Windows, tmp_path: Path) -> None:
    """S4: nobody could write it meanwhile. Now the agent never opens it."""
    file = live.drive / "data" / "log"
    file.write_text("1\n2\n3\n")
    words = ["-m", "qga_cli", "-vvv", "-c", live.uri, "tail", "-n", "2", "-f", "win:C:\\data\\log"]
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=stdout, stderr=stderr, env={**os.environ, **live.env}
        )
    assert eventually(lambda: out.read_bytes() == b"2\n3\n")
    for last in ("4\n", "5\n"):
        with file.open("a") as log:
            log.write(last)
        assert eventually(partial(_ends, out, last))
    file.write_text("new\n")
    assert eventually(lambda: out.read_bytes() == b"2\n3\n4\n5\nnew\n")
    process.send_signal(signal.SIGINT)
    process.wait(GUARD)
    opened = [line for line in err.read_text().splitlines() if '"guest-file-open"' in line]
    assert opened
    assert not [line for line in opened if "data" in line]
    assert live.left() == ([], [])


def _ends(file: Path, text: str) -> bool:
    return file.read_text().endswith(text)
