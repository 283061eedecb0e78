"""What an edit leaves that is killed, and what the next one does about it."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from qga_cli.files import edit
from tests.kit.command import Far, environment
from tests.kit.running import eventually


def kill_an_edit(near: Far, here: Path, editor: str) -> Path:
    """Kill it with its editor running; returns its folder."""
    (here / "editor").write_text(f"#!/bin/sh\n{editor}\necho $$ >{here}/pid\nexec sleep 100\n")
    (here / "editor").chmod(0o755)
    near.sh("echo secret >file")
    env = environment({"VISUAL": str(here / "editor"), "TMPDIR": str(here / "tmp")})
    (here / "tmp").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *near.flags, "edit", f"{near.name}:{near.folder}/file"],
        env=env,
    )
    eventually(lambda: (here / "pid").exists() and (here / "pid").read_text().endswith("\n"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = (here / "tmp").glob("qga-edit-*")
    return folder


def end_editor(here: Path) -> None:
    pid = int((here / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{pid}/fd/0"))
    (here / "pid").unlink()


def next_edit(near: Far, here: Path) -> str:
    return near("edit", "FAR/file", env={"VISUAL": "true", "TMPDIR": str(here / "tmp")}).err


def test_what_a_killed_edit_has_fetched_is_removed(near: Far, here: Path) -> None:
    folder = kill_an_edit(near, here, ":")
    next_edit(near, here)
    assert (folder / "file").read_text() == "secret\n", "its editor lives"
    end_editor(here)
    next_edit(near, here)
    assert list((here / "tmp").iterdir()) == []


@pytest.mark.parametrize("work", ["echo mine >$1", 'echo mine >"$1.swp"'])
def test_what_its_user_has_changed_is_told_of(near: Far, here: Path, work: str) -> None:
    folder = kill_an_edit(near, here, work)
    end_editor(here)
    assert f"has left your version in {folder}" in next_edit(near, here)
    assert "mine\n" in [path.read_text() for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("work", "kept"),
    [
        ('echo mine >>"$1"; mv "$1" "$1.mine"', True),
        ('echo mine >>"$1"; mv "$1" "$1.mine"; exit 1', True),
        ('rm "$1"; mkdir "$1"; echo mine >"$1/f"', True),
        ('rm "$1"', False),
        ("exit 1", False),
    ],
)
def test_an_editor_that_gives_the_file_another_name_loses_no_work(
    near: Far, here: Path, work: str, *, kept: bool
) -> None:
    near.sh("echo old >file")
    (here / "editor").write_text(f"#!/bin/sh\n{work}\n")
    (here / "editor").chmod(0o755)
    (here / "tmp").mkdir()
    env = {"VISUAL": str(here / "editor"), "TMPDIR": str(here / "tmp")}
    done = near("edit", "FAR/file", env=env)
    assert done.code == 1
    folders = list((here / "tmp").iterdir())
    assert len(folders) == kept
    for folder in folders:
        assert f"hint: your version is in {folder}\n" in done.err
        assert any("mine\n" in path.read_text() for path in folder.rglob("*") if path.is_file())
    assert near.sh("cat file") == "old\n"
    assert next_edit(near, here).count("has left your version") == kept


def test_many_are_not_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number in range(20):
        folder = tmp_path / f"qga-edit-{number:02}"
        folder.mkdir(mode=0o700)
        for name in (edit._FETCHED, "file", "file.swp"):
            (folder / name).write_text("mine")
    said: list[str] = []
    edit.tidy(lambda level, text: said.append(text))
    assert [line.rpartition(" ")[2] for line in said[:3]] == [
        f"{tmp_path}/qga-edit-{number:02}" for number in range(3)
    ]
    assert said[3:] == [f"... and 17 more in {tmp_path}/qga-edit-*"]


def test_nothing_else_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, mode in (("qga-edit-open", 0o755), ("qga-edit-held", 0o700), ("other", 0o700)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
        (tmp_path / name / "f").write_text("")
    (tmp_path / "away").mkdir(mode=0o700)
    (tmp_path / "away" / "f").write_text("")
    (tmp_path / "qga-edit-link").symlink_to("away")
    (tmp_path / "qga-edit-theirs").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(tmp_path / "qga-edit-theirs", 65534, 65534)
    before = sorted(os.walk(tmp_path))
    held = os.open(tmp_path / "qga-edit-held", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    edit.tidy(lambda level, text: pytest.fail(text))
    os.close(held)
    if os.geteuid() == 0:
        assert sorted(os.walk(tmp_path)) == before
    edit.tidy(lambda level, text: pytest.fail(text))
    assert not (tmp_path / "qga-edit-held").exists()
    assert (tmp_path / "away" / "f").exists()


@pytest.mark.root
def test_no_file_is_edited_where_another_user_can_exchange_it(near: Far, here: Path) -> None:
    near.sh("echo old >file")
    (here / "theirs").mkdir()
    os.chown(here / "theirs", 65534, 65534)
    done = near("edit", "FAR/file", env={"VISUAL": "true", "TMPDIR": str(here / "theirs")})
    assert (done.code, "another user can replace what is in it" in done.err) == (1, True)
    assert list((here / "theirs").iterdir()) == []
