"""cp and its kin in a Windows guest. S1, S2 ... number the faults that were found there first."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command import Ran, qga
from tests.kit.fake import AgentFault, FakeAgent
from tests.kit.running import eventually
from tests.windows.conftest import RECORDED, Windows
from tests.windows.conversation import Recorder, Replay

DATA = "win:C:\\data"
MB = 10**6
LOG = b"one\ntwo\n"


@pytest.fixture
def data(live: Windows) -> Iterator[Path]:
    """The folder C:\\data, empty."""
    folder = live.drive / "data"
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    yield folder
    assert live("ls", DATA).code == 0  # clears away what a killed run has left
    assert live.left() == ([], [])


def good(ran: Ran) -> str:
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_a_copy_into_a_folder(live: Windows, data: Path, here: Path) -> None:
    """S12: the folder was recognized by POSIX words."""
    (here / "a.txt").write_text("hello\n")
    assert good(live("cp", str(here / "a.txt"), DATA)) == ""
    assert good(live("cp", str(here / "a.txt"), f"{DATA}\\")) == ""
    assert good(live("cp", str(here / "a.txt"), f"{DATA}\\other.txt")) == ""
    assert sorted(path.name for path in data.iterdir()) == ["a.txt", "other.txt"]
    assert (data / "other.txt").read_text() == "hello\n"


@pytest.mark.parametrize(
    "name", ["plain", "a b", "ü日😀", "100%", "%OS%", "a&b", "(x)", "^y", "!z!"]
)
def test_names(live: Windows, data: Path, here: Path, name: str) -> None:
    content = os.urandom(3000)
    (here / name).write_bytes(content)
    good(live("cp", str(here / name), f"{DATA}\\"))
    assert (data / name).read_bytes() == content
    assert live("cat", f"{DATA}\\{name}").stdout == content
    good(live("mv", f"{DATA}\\{name}", f"{DATA}\\{name}2"))
    good(live("rm", f"{DATA}\\{name}2"))
    assert list(data.iterdir()) == []


def test_large_copies(live: Windows, data: Path, here: Path) -> None:
    content = os.urandom(20 * MB)
    (here / "x").write_bytes(content)
    good(live("cp", str(here / "x"), f"{DATA}\\x"))
    good(live("cp", f"{DATA}\\x", str(here / "y")))
    assert (here / "y").read_bytes() == content


def test_a_copy_replaces_in_one_step(live: Windows, data: Path, here: Path) -> None:
    """An interrupted one leaves what was there, and can be completed."""
    (data / "x").write_text("old")
    (here / "x").write_bytes(os.urandom(20 * MB))
    words = ["cp", str(here / "x"), f"{DATA}\\x"]
    process = _started(live, *words)
    assert eventually(lambda: any(path.stat().st_size > MB for path in data.glob(".x.*")))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    assert (data / "x").read_text() == "old"
    good(live("cp", "--resume", *words[1:]))
    assert (data / "x").read_bytes() == (here / "x").read_bytes()
    assert len(list(data.iterdir())) == 1


def test_folders(live: Windows, data: Path, here: Path) -> None:
    tree = here / "tree"
    (tree / "inner" / "empty").mkdir(parents=True)
    (tree / "a.txt").write_text("a")
    (tree / "inner" / "ü 日.txt").write_bytes(os.urandom(200_000))
    good(live("cp", str(tree), f"{DATA}\\"))
    assert subprocess.run(["diff", "-r", tree, data / "tree"]).returncode == 0
    good(live("cp", f"{DATA}\\tree", str(here / "back")))
    assert subprocess.run(["diff", "-r", tree, here / "back"]).returncode == 0
    (tree / "a.txt").write_text("changed")
    good(live("cp", "-r", str(tree), f"{DATA}\\"))  # which has one
    assert (data / "tree" / "a.txt").read_text() == "changed"
    assert live("cp", "-r", str(tree), f"{DATA}\\no\\tree").code == 1
    assert live("cp", "-r", str(tree), f"{DATA}\\tree\\a.txt").code == 1


@pytest.fixture
def old(live: Windows) -> Iterator[None]:
    """A guest as before 10 1803: without tar.exe."""
    program = live.drive / "windows" / "system32" / "tar.exe"
    own = program.read_bytes()
    program.unlink()
    yield
    program.write_bytes(own)


@pytest.mark.usefixtures("old")
def test_folders_without_tar(live: Windows, data: Path, here: Path) -> None:
    """File by file, each compared as a single one."""
    tree = here / "tree"
    (tree / "inner" / "empty").mkdir(parents=True)
    (tree / "a.txt").write_text("a")
    (tree / "z").mkdir()
    (tree / "z" / "nothing").touch()
    (tree / "inner" / "ü 日.txt").write_bytes(os.urandom(1_200_000))
    (tree / "inner" / ".hidden 日").write_text("h")
    os.link(tree / "a.txt", tree / "inner" / "b.txt")
    good(live("cp", "-r", str(tree), f"{DATA}\\"))
    assert subprocess.run(["diff", "-r", tree, data / "tree"]).returncode == 0
    good(live("cp", "-r", f"{DATA}\\tree", str(here / "back")))
    assert subprocess.run(["diff", "-r", tree, here / "back"]).returncode == 0
    (tree / "a.txt").write_text("changed")
    good(live("cp", "-r", f"{tree}/.", f"{DATA}\\tree"))  # filled
    assert (data / "tree" / "a.txt").read_text() == "changed"
    (tree / "link").symlink_to("a.txt")
    ran = live("cp", "-r", str(tree), f"{DATA}\\")
    assert ran.code == 1
    assert "-L copies what links lead to" in ran.err
    good(live("cp", "-rL", str(tree), f"{DATA}\\"))
    assert (data / "tree" / "link").read_text() == "changed"
    ran = live("-v", "cp", "-r", f"{DATA}\\tree\\z", str(here / "z"))
    assert "no tar.exe: file by file" in ran.err
    ran = live("cp", "-r", "--max-size", "1M", f"{DATA}\\tree", str(here / "more"))
    assert ran.code == 1
    assert not (here / "more").exists()


def test_list(live: Windows, data: Path) -> None:
    (data / "b.txt").write_text("12345")
    (data / "a folder").mkdir()
    assert good(live("ls", DATA)) == "a folder\nb.txt\n"
    rows = [line.split("\t") for line in good(live("ls", "-l", DATA)).splitlines()]
    assert [(row[5], row[3], row[0][0]) for row in rows[1:]] == [
        ("a folder", "0", "d"), ("b.txt", "5", "-")
    ]  # fmt: skip
    assert good(live("ls", f"{DATA}\\b.txt")) == "b.txt\n"
    assert "windows" in good(live("ls", "win:C:\\"))


def test_hidden_files(live: Windows, data: Path, tmp_path: Path) -> None:
    """Windows' `for` passes over them, which wine's does not: so its lines are taken out here."""
    (data / "hidden").mkdir()
    (data / "dot 日.txt").write_text("123")
    (data / "other").write_text("")
    for name in ("hidden", "dot 日.txt"):
        assert live.exec("win", "--", "attrib", "+h", f"C:\\data\\{name}")[0] == 0
    recorder = Recorder(live.agent)

    def hiding(request: dict[str, object]) -> object:
        given = request.get("arguments", {})
        assert isinstance(given, dict)
        if request["execute"] == "guest-file-write":
            lines = base64.b64decode(given["buf-b64"]).splitlines(keepends=True)
            text = b"".join(line for line in lines if b"(*)" not in line)
            given = given | {"buf-b64": base64.b64encode(text).decode()}
            answer = recorder(request | {"arguments": given})
            assert isinstance(answer, dict)
            return answer | {"count": sum(map(len, lines))}
        return recorder(request)

    between = FakeAgent(tmp_path / "between.sock", hiding)
    ran = qga("-c", between.uri, "ls", "-la", DATA, env=live.env)
    rows = [line.split("\t") for line in good(ran).splitlines()]
    assert [(row[5], row[3], row[0][0], "h" in row[0]) for row in rows[1:]] == [
        ("dot 日.txt", "3", "-", True), ("hidden", "0", "d", True)
    ]  # fmt: skip
    between.close()
    recorder.close()


def test_a_folder_that_is_there(win: Windows) -> None:
    good(win("mkdir", "-p", DATA))


def test_a_batch_file_that_was_cut_short_is_no_success(tmp_path: Path) -> None:
    """cmd can end with 0 before it has read all of it; nobody was asked for that by then."""
    replay = Replay(RECORDED / "test_a_folder_that_is_there.jsonl")

    def cut_short(request: dict[str, Any]) -> object:
        answer = replay(request)
        return (
            {**answer, "exitcode": 0}
            if isinstance(answer, dict) and "exitcode" in answer
            else answer
        )

    fake = FakeAgent(tmp_path / "win.sock", cut_short)
    ran = qga("-c", fake.uri, "mkdir", "-p", DATA)
    fake.close()
    assert ran.code == 1
    assert "before it came to the end" in ran.err


def test_make_remove_rename(live: Windows, data: Path) -> None:
    assert live("mkdir", f"{DATA}\\a\\b").code == 1
    good(live("mkdir", "-p", f"{DATA}\\a\\b"))
    good(live("mkdir", "-p", f"{DATA}\\a\\b"))
    assert live("mkdir", f"{DATA}\\a").code == 1
    (data / "f").write_text("f")
    good(live("mv", f"{DATA}\\f", f"{DATA}\\a"))
    assert (data / "a" / "f").read_text() == "f"
    refused = live("rm", f"{DATA}\\a")  # del would empty it
    assert refused.code == 1
    assert (data / "a" / "f").exists()
    good(live("rm", "-r", f"{DATA}\\a"))
    assert list(data.iterdir()) == []
    assert live("rm", f"{DATA}\\a").code == 1
    good(live("rm", "-f", f"{DATA}\\a"))
    assert live("rm", "-r", "win:C:\\").code != 0
    assert live("rm", f"{DATA}\\*").code == 2


def test_what_depends_on_the_agents_folder_is_refused(win: Windows) -> None:
    """S19."""
    for path in ("\\data\\x", "C:", "C:x", "/data/x", "data\\x"):
        ran = win("cat", f"win:{path}")
        assert ran.code == 2
        assert "C:\\dir\\file" in ran.err


def test_long_and_slashed_paths(live: Windows, data: Path) -> None:
    (data / "x").write_text("x")
    for path in ("C:/data/x", "\\\\?\\C:\\data\\x", "c:\\data\\.\\x"):
        assert good(live("cat", f"win:{path}")) == "x"


def test_edit(live: Windows, data: Path) -> None:
    (data / "x.ini").write_bytes(b"a=1\r\nb=2\r\n")
    env = live.env | {"EDITOR": "sed -i s/a=1/a=3/"}
    ran = qga("-c", live.uri, "edit", f"{DATA}\\x.ini", env=env)
    assert ran.code == 0, ran.err
    assert (data / "x.ini").read_bytes() == b"a=3\r\nb=2\r\n"


def test_edit_makes_a_file(live: Windows, data: Path) -> None:
    ran = qga(
        "-c", live.uri, "edit", f"{DATA}\\new", env=live.env | {"EDITOR": "sh -c 'echo x>$0'"}
    )
    assert ran.code == 0, ran.err
    assert (data / "new").read_text() == "x\n"


def test_what_cannot_be_replaced_is_said(live: Windows, data: Path, here: Path) -> None:
    (here / "x").write_text("x")
    (data / "x").mkdir()
    ran = live("cp", str(here / "x"), DATA)
    assert ran.code == 1
    assert [path.name for path in data.iterdir()] == ["x"]
    assert live("cp", str(here / "x"), f"{DATA}\\no\\x").code == 1


@pytest.mark.parametrize("way", ["in", "out"])
def test_after_kill_nothing_stays_locked(live: Windows, data: Path, here: Path, way: str) -> None:
    """S5: the agent kept the files of a killed qga open until it was restarted."""
    (here / "x").write_bytes(os.urandom(20 * MB))
    (data / "y").write_bytes(os.urandom(20 * MB))
    words = {"in": (str(here / "x"), f"{DATA}\\x"), "out": (f"{DATA}\\y", str(here / "y"))}
    for moment in range(10):
        process = _started(live, "cp", *words[way])
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


def test_an_agent_that_speaks_german(live: Windows, data: Path, here: Path, tmp_path: Path) -> None:
    """S20: what the agent says is in its system's language, but for glib's words in brackets."""
    recorder = Recorder(live.agent)
    said = []

    def translated(request: dict[str, object]) -> object:
        try:
            return recorder(request)
        except AgentFault as fault:
            said.append(str(fault))
            glibs = re.search(r"\([A-Z][a-z ]+\)", str(fault))
            raise AgentFault(
                f"Fehlgeschlagen: Zugriff verweigert. {glibs[0] if glibs else ''}"
            ) from fault

    between = FakeAgent(tmp_path / "between.sock", translated)

    def german(*words: str) -> Ran:
        return qga("-c", between.uri, *words, env=live.env)

    (here / "x").write_text("x")
    good(german("cp", str(here / "x"), DATA))
    assert (data / "x").read_text() == "x"
    assert "Is a directory" in german("cat", DATA).err
    assert "No such file" in german("cat", f"{DATA}\\none").err
    assert german("wait", "win", "--for", "file:C:\\data", "--timeout", "5s").code == 0
    assert german("wait", "win", "--for", "thawed", "--timeout", "5s").code == 0
    assert german("exec", "win", "--", "nosuch").code == 127
    assert german("exec", "win", "--", "cmd", "/c", "exit 3").code == 3
    assert said
    between.close()
    recorder.close()


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


def _started(live: Windows, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "-c", live.uri, *words], env={**os.environ, **live.env}
    )
