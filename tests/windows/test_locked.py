"""Files that are locked in a Windows guest: by a service, or by a qga that was killed."""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kit.command import Ran, qga
from tests.kit.fake import FakeAgent
from tests.windows.conftest import DATA, MB, Windows, good
from tests.windows.conversation import Recorder

LOG = b"one\ntwo\n"


@pytest.mark.parametrize("way", ["in", "out"])
def test_after_kill_nothing_stays_locked(live: Windows, data: Path, here: Path, way: str) -> None:
    """S5: the agent kept the files of a killed qga open until it was restarted."""
    (here / "x").write_bytes(os.urandom(20 * MB))
    (data / "y").write_bytes(os.urandom(20 * MB))
    words = {"in": (str(here / "x"), f"{DATA}\\x"), "out": (f"{DATA}\\y", str(here / "y"))}
    for moment in range(10):
        process = live.start("cp", *words[way])
        time.sleep(0.1 + 0.15 * moment)
        process.kill()
        process.wait()
        good(live("cat", "win:C:\\windows\\win.ini"))  # the next call, whatever it is
        line = "echo x>>C:\\data\\y& del /q C:\\data\\*"
        assert live.exec("win", "--", "cmd", "/c", line) == (0, b"", "")
        assert list(data.iterdir()) == []
        (data / "y").write_bytes(os.urandom(20 * MB))
        assert live.left() == ([], [])


def test_a_file_that_a_service_has_open(live: Windows, data: Path, here: Path) -> None:
    """S6: "Sharing violation" for each of these. The service shares reading, as most do."""
    path = "C:\\data\\service.log"
    opened = live("raw", "win", "guest-file-open", f"path={path}", "mode=w").out
    handle = json.loads(opened)["return"]
    service = f"handle:={handle}"
    try:
        text = f"buf-b64={base64.b64encode(LOG).decode()}"
        assert live("raw", "win", "guest-file-write", service, text).code == 0
        assert live("raw", "win", "guest-file-flush", service).code == 0
        assert good(live("cat", f"win:{path}")) == "one\ntwo\n"
        assert good(live("tail", "-n", "1", f"win:{path}")) == "two\n"
        good(live("cp", f"win:{path}", str(here / "x")))
        assert (here / "x").read_text() == "one\ntwo\n"
        assert live("wait", "win", "--for", f"file:{path}", "--timeout", "5s").code == 0
    finally:
        live("raw", "win", "guest-file-close", service)


@pytest.mark.parametrize("others", [0, 1])
def test_killed_while_it_opens_a_file(live: Windows, tmp_path: Path, others: int) -> None:
    """Nobody knows the handle then. The next run finds it, unless it may be another's: then it
    says what is locked, until the agent restarts."""
    recorder = Recorder(live.agent)
    started: list[subprocess.Popen[bytes]] = []

    def kill(request: dict[str, object]) -> object:
        answer = recorder(request)
        if request["execute"] == "guest-file-open" and started:
            process = started.pop()
            process.kill()
            process.wait()
        return answer

    between = FakeAgent(tmp_path / "between.sock", kill)
    command = [sys.executable, "-m", "qga_cli", "-c", between.uri, "exec", "win", "--"]
    env = {**os.environ, **live.env}
    with subprocess.Popen(
        [*command, "cmd", "/c", "ver"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env
    ) as process:
        started.append(process)  # it waits for its input to end
        assert process.stdin
        process.stdin.close()
    recorder({"execute": "guest-ping"})  # the agent has opened it
    theirs = {"path": "C:\\windows\\win.ini", "mode": "r"}
    for _ in range(others):
        recorder({"execute": "guest-file-open", "arguments": theirs})

    def next_run() -> Ran:
        ran = qga("-c", between.uri, "exec", "win", "--", "cmd", "/c", "exit 3", env=live.env)
        assert ran.code == 3
        return ran

    said = [next_run().err for _ in range(2)]
    if others:
        assert "keeps C:\\Windows\\Temp\\qga-" in said[0]
        assert "Restart-Service QEMU-GA" in said[1]
        recorder.close()
        live.agent.stop_agent()
        live.agent.start_agent()
        recorder = Recorder(live.agent)
        said = [next_run().err]
    assert "".join(said) == ""
    between.close()
    recorder.close()
    assert live.left() == ([], [])
