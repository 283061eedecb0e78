"""What Ansible's lines and files become on the way to a guest that is open: nothing is sent."""

import importlib
import os
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

lasting: Any = importlib.import_module("ansible_collections.qga.guest.plugins.plugin_utils.lasting")


def shell(line: str) -> str:
    """As Ansible calls one."""
    return f"/bin/sh -c {shlex.quote(line)}"


PIPED = "/bin/sh -c '/usr/bin/python3 && sleep 0'"


@pytest.mark.parametrize(
    ("line", "python"),
    [
        (PIPED, "/usr/bin/python3"),
        ("/bin/sh -c '/opt/my/python3.12 && sleep 0'", "/opt/my/python3.12"),
        ("/bin/sh -c 'A=x /usr/bin/python3 && sleep 0'", "/usr/bin/python3 A=x"),
        (shell("B='$x y' A='' /usr/bin/python3 && sleep 0"), "/usr/bin/python3 B=$x y A="),
        (shell("A=$x /usr/bin/python3 && sleep 0"), ""),
        (shell('A="$x" /usr/bin/python3 && sleep 0'), ""),
        (shell("PYTHONPATH=/x /usr/bin/python3 && sleep 0"), ""),
        (shell("exec /usr/bin/python3 && sleep 0"), ""),
        (shell("A=x; id /usr/bin/python3 && sleep 0"), ""),
        # ansible-core 2.21 has no sleep.
        ("/bin/sh -c /usr/bin/python3", "/usr/bin/python3"),
        (shell("B='$x y' A='' /opt/my/python3.12"), "/opt/my/python3.12 B=$x y A="),
        (shell("PYTHONPATH=/x /usr/bin/python3"), ""),
        (shell("/usr/bin/python3 && sleep 1"), ""),
        (shell("/usr/bin/python3 /tmp/x.py"), ""),
        ("/bin/sh -c '/usr/bin/python3 /tmp/x.py && sleep 0'", ""),
        ("/bin/sh -c '/usr/bin/python3;id && sleep 0'", ""),
        ("/usr/bin/python3", ""),
        ("it's", ""),
    ],
)
def test_only_a_module_on_standard_input_goes_to_the_waiting_python(line: str, python: str) -> None:
    found, variables = lasting.piped_python(line)
    assert " ".join([found, *variables]).strip() == python


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        ("/bin/sh -c 'echo ~ && sleep 0'", "echo ~"),
        ("/bin/sh -c 'echo ~'", "echo ~"),
        (shell('echo "it\'s" && sleep 0'), 'echo "it\'s"'),
        (shell("echo && sleep 00"), "echo && sleep 00"),
        ("/bin/sh -c 'echo' x", "/bin/sh -c 'echo' x"),
        ("/bin/sh -c $LINE", "/bin/sh -c $LINE"),
        ("/bin/sh -c 'echo' ; id", "/bin/sh -c 'echo' ; id"),
        ("/bin/bash -c 'echo && sleep 0'", "/bin/bash -c 'echo && sleep 0'"),
        ("/bin/sh -c 'it", "/bin/sh -c 'it"),
        ("uptime && sleep 0", "uptime && sleep 0"),
    ],
)
def test_a_shell_in_a_shell_is_one(line: str, alone: str) -> None:
    assert lasting.plain(line) == alone


def test_a_small_file_is_proved_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of shell is run here, with what it is given, and with more than that."""
    more = b""

    def ask(python: str, first: bytes, given: bytes, stdout: Any, stderr: Any, timeout: Any) -> int:
        ran = subprocess.run(["/bin/sh", "-c", first], input=given + more, capture_output=True)
        stdout(ran.stdout)
        return ran.returncode

    way = lasting.Lasting(str(tmp_path), None, "g", 60, 5)
    data, target = os.urandom(200_000), tmp_path / "it's $here"
    assert not way.put(data, 0o700, str(target), 5)  # there is no broker
    monkeypatch.setattr(way, "_ask", ask)
    assert not way.put(data, 0o700, str(tmp_path), 5)  # a folder
    assert not way.put(data, 0o700, str(tmp_path / "none" / "file"), 5)
    more = b"x"
    assert not way.put(data, 0o700, str(target), 5)
    assert list(tmp_path.iterdir()) == []
    more = b""
    assert way.put(data, 0o777, str(target), 5)
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (data, 0o755)
    assert list(tmp_path.iterdir()) == [target]


def test_only_small_files_are_read_whole(tmp_path: Path) -> None:
    file, fifo = tmp_path / "file", tmp_path / "fifo"
    file.write_bytes(b"four")
    file.chmod(0o640)
    os.mkfifo(fifo)
    data, mode = lasting.read_small(os.fsencode(file), 5)
    assert (data, stat.S_IMODE(mode)) == (b"four", 0o640)
    for path, most in ((file, 4), (fifo, 5), (tmp_path, 5), (tmp_path / "none", 5)):
        assert lasting.read_small(os.fsencode(path), most) is None
