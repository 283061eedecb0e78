"""Folders of a Windows guest: copied, listed, made, removed."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.windows.conftest import DATA, RECORDED, Windows, good
from tests.windows.conversation import Recorder, Replay


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
