"""What lies on this host for a while, on its way from guest to guest."""

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from qga_cli.files.aside import between_guests
from qga_cli.interrupt import Interrupt
from tests.kit.command import Far


def leave(folder: Path) -> Path:
    """What a copy that was killed has left: folders may be closed, and links lead anywhere."""
    (folder / "tree" / "closed").mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "tree" / "closed" / "link").symlink_to("/etc/passwd")
    (folder / "tree" / "closed").chmod(0o555)
    return folder


def test_what_a_killed_copy_has_left_is_removed_by_the_next(near: Far, here: Path) -> None:
    near.sh("mkdir d; echo 1 >d/f")
    leave(here / "qga-cp-dead")
    held = os.open(leave(here / "qga-cp-alive"), os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    near.good("cp", "FAR/d", "FAR/e", env={"TMPDIR": str(here)})
    assert near.sh("cat e/f") == "1\n"
    assert os.listdir(here) == ["qga-cp-alive"]
    os.close(held)


def test_a_second_signal_tells_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    interrupt = Interrupt()
    with between_guests(interrupt) as folder:
        told = "; ".join(tell() for tell in interrupt.leaving())
        leave(Path(folder))
    assert folder.startswith(f"{tmp_path}/qga-cp-")
    assert told == f"{folder} may be left; the next copy of a folder from guest to guest removes it"
    assert os.listdir(tmp_path) == []
