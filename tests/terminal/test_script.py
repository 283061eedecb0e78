"""A terminal by script(1): a guest that lies without Python, and the guard of its folder."""

import base64
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from qga_cli.inside import script
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.running import GUARD, eventually
from tests.kit.terminals import terminal
from tests.terminal.test_lies import piece, told

Make = Callable[[Handler], FakeAgent]

NO_PYTHON = AgentFault("Failed to execute child process “python3” (No such file or directory)")
FOLDER = "/run/{folder}"


class Guest:
    """An agent that says it has script(1). `{word}` in what it says is the session's own."""

    def __init__(
        self, folder: str = FOLDER, *, device: bytes = b"/dev/pts/9\n", output: str = ""
    ) -> None:
        self._folder = folder
        self._device = device
        self._output = [output]
        self._word = self._name = ""
        self._paths: list[str] = []  # opened, by handle

    def __call__(self, request: dict[str, object]) -> object:
        given = request.get("arguments", {})
        assert isinstance(given, dict)
        match request["execute"]:
            case "guest-exec":
                return self._start(given)
            case "guest-exec-status":
                return told(self._folder.format(folder=self._name).encode() + b"\n")
            case "guest-file-open":
                self._paths.append(given["path"])
                return len(self._paths) - 1
            case "guest-file-read":
                if self._paths[given["handle"]].endswith("/device"):
                    return piece(self._device)
                return piece(self._output.pop().format(word=self._word).encode()
                             if self._output else b"")  # fmt: skip
            case "guest-file-write":
                return {"count": 1, "eof": False}
        return {}

    def _start(self, given: dict[str, str]) -> object:
        if "python" in given["path"]:
            raise NO_PYTHON
        script = base64.b64decode(given.get("input-data", ""))
        if found := re.search(rb"^folder=([\w-]+)$", script, re.MULTILINE):
            self._name = found[1].decode()
        if found := re.search(rb"^mark=(\w+)$", script, re.MULTILINE):
            self._word = found[1].decode()
        return {"pid": 7}


END = "\0{word}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "code", "says"),
    [
        ({"output": "bye" + END + "007"}, 7, b"bye"),  # the truth
        ({"output": END + "256"}, 255, b""),  # not 0, as 256 would be to a shell
        ({"output": END + "-10"}, 125, b"talks nonsense"),
        ({"device": b"x" * 60_000}, 125, b"talks nonsense"),
        ({"device": b"/dev/pts/\xff\n"}, 125, b"talks nonsense"),
        ({"folder": "/etc/{folder}"}, 125, b"install python3"),
        ({"folder": "/run/$(reboot)/{folder}"}, 125, b"install python3"),
        ({"folder": "/run/x\n/{folder}"}, 125, b"install python3"),
    ],
)
def test_what_script_is_said_to_have_done(
    fake: Make, lie: dict[str, Any], code: int, says: bytes
) -> None:
    began = time.monotonic()
    with terminal("exec", "-c", fake(Guest(**lie)).uri, "-t", "x", "--", "true") as t:
        assert t.end() == code
        assert says in t.screen
        assert t.modes() == t.modes_before
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_the_guests_clock_says_nothing_of_the_user() -> None:
    """The guard leaves the folder alone while it is written to, and takes it away afterwards."""
    word = f"qga-test-{os.getpid()}"
    hurried = script("terminal/prepare").replace("sleep 25", "sleep 0.2")
    done = subprocess.run(
        ["sh"], input=f"folder={word}\n{hurried}", capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.rstrip("\n"))
    assert folder.name == word
    with open(folder / "lease", "r+b", buffering=0) as lease:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            lease.write(b".")
            os.utime(lease.fileno(), (0, 0))  # the clock has jumped back meanwhile
            time.sleep(0.02)
        assert folder.exists()
    assert eventually(lambda: not folder.exists())


def test_the_guard_is_not_ended_with_all_that_sleep() -> None:
    """`pkill -x sleep` in the guest took the folder away, and ended the terminal."""
    word = f"qga-test-{os.getpid()}"
    done = subprocess.run(
        ["sh"], input=f"folder={word}\n{script('terminal/prepare')}", capture_output=True, text=True
    )
    folder = Path(done.stdout.rstrip("\n"))
    guard = int((folder / "guard").read_text())

    last = ""

    def another() -> str:
        with suppress(FileNotFoundError):  # it has not slept yet
            now = (folder / "nap").read_text().strip()
            return "" if now == last else now
        return ""

    try:
        assert eventually(lambda: Path(f"/proc/{guard}/comm").read_text() == "qga\n")
        for _ in range(4):
            assert eventually(lambda: another() != "")
            last = another()
            os.kill(int(last), signal.SIGTERM)
    finally:
        os.kill(guard, signal.SIGTERM)
        subprocess.run(["sh", "-c", f"kill $(cat {folder}/nap); rm -r {folder}"])


@pytest.mark.slow
def test_what_a_program_says_at_once_is_not_changed(tmp_path: Path) -> None:
    """It came before the terminal that carries it was raw: a carriage return became a line end."""
    stty = tmp_path / "stty"
    stty.write_text(f'#!/bin/sh\n[ "$1" != raw ] || sleep 0.5\nexec {shutil.which("stty")} "$@"\n')
    stty.chmod(0o755)
    prepare = f"folder=qga-test-{os.getpid()}\n{script('terminal/prepare')}"
    done = subprocess.run(["sh"], input=prepare, capture_output=True, text=True, check=True)
    folder = Path(done.stdout.rstrip("\n"))
    carry = shlex.quote(script("terminal/carry"))
    text = f"dir={folder}\nmark=over\nrun='echo ready'\ncarry={carry}\n{script('terminal/main')}"
    main = subprocess.Popen(
        ["sh", "-c", text],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    assert eventually(lambda: (folder / "device").read_text().endswith("\n"), GUARD)
    said = b""
    with open((folder / "device").read_text().strip(), "rb", buffering=0) as device:
        until = time.monotonic() + GUARD
        while not said.endswith(b"\0over000") and time.monotonic() < until:
            said += device.read(4096) or b""
    assert said == b"ready\r\n\0over000"
    (folder / "keys").write_text("over\n")
    assert main.wait(GUARD) == 0
    assert not folder.exists()
