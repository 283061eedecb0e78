"""Folders of a guest in which nobody may write, pulled by an ordinary user."""

import hashlib
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from qga_cli import wire
from qga_cli.agent.program import Completed
from qga_cli.errors import QgaError
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.pull import pull
from qga_cli.guests.targets import Target
from tests.kit.strangers import UID, Fed
from tests.kit.trees import archive, entry

TREE = archive(
    entry(".", tarfile.DIRTYPE, mode=0o755),
    entry("./sub", tarfile.DIRTYPE, mode=0o555),
    entry("./sub/deep", tarfile.DIRTYPE, mode=0o000),
    entry("./sub/deep/f", mode=0o444),
    entry("./sub/f", mode=0o444),
    entry("./last", mode=0o444),
)


class Sends(Fed):
    """A guest that sends this tree."""

    target = Target(None, "vm", "vm")
    digest = hashlib.sha512(TREE).hexdigest()

    def stream(self, *words: str, stdout: Callable[[bytes], object], **named: object) -> Completed:
        stdout(TREE)
        said = wire.to_base64(self.digest.encode())
        return Completed({"exitcode": 0, "err-data": said})


class Lies(Sends):
    """It says that it was another one, so that the copy fails when all has come."""

    digest = "0" * 128


def ordinary(act: Callable[[], None]) -> str:
    """What an ordinary user's process says of it: "" where it went well."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        said = ""
        try:
            os.close(ours)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(UID)
                os.setuid(UID)
            act()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        finally:
            os.write(theirs, said.encode())
            os._exit(0)
    os.close(theirs)
    with open(ours) as reader:
        said = reader.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of that user's."""
    for above in tmp_path.parents[:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    folder = tmp_path / "home"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, UID, UID)
    return folder


def bring(guest: type[Fed], final: Path, notes: list[str], **options: Any) -> None:
    pull(cast(Any, guest()), "/tree", ".", str(final), CopyOptions(umask=0, **options),
         lambda count: None, notes.append)  # fmt: skip


@pytest.mark.parametrize("there", [False, True])
def test_what_is_cut_off_leaves_nothing(there: bool, home: Path) -> None:
    def cut_off() -> None:
        if there:
            (home / "tree").mkdir()
        with pytest.raises(QgaError):
            bring(Lies, home / "tree", notes)
        assert (os.listdir(home), notes) == (["tree"] if there else [], [])
        assert not there or os.listdir(home / "tree") == []

    notes: list[str] = []
    assert ordinary(cut_off) == ""


def test_resume_removes_what_a_kill_has_left(home: Path) -> None:
    def resume() -> None:
        left = home / ".tree.0123456789abcdef.qga-part"
        (left / "sub" / "deep").mkdir(parents=True)
        (left / "sub" / "deep" / "f").touch()
        (left / "sub" / "deep").chmod(0)
        (left / "sub").chmod(0o555)
        left.chmod(0o555)
        bring(Sends, home / "tree", notes, resume=True)
        assert (os.listdir(home), notes) == (["tree"], [])

    notes: list[str] = []
    assert ordinary(resume) == ""


def test_a_folder_that_is_there_is_filled_from_one(home: Path) -> None:
    def fill() -> None:
        (home / "tree" / "sub" / "deep").mkdir(parents=True)
        bring(Sends, home / "tree", [])
        assert sorted(os.listdir(home / "tree" / "sub")) == ["deep", "f"]
        assert os.listdir(home / "tree" / "sub" / "deep") == ["f"]
        assert os.listdir(home) == ["tree"]

    assert ordinary(fill) == ""
