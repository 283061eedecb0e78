"""A tree that fills a folder of this host with other filesystems mounted in it."""

import subprocess
import sys
from pathlib import Path

import pytest

FILL = """
import os, subprocess, sys, tarfile
from pathlib import Path
from qga_cli.files.copy_tree.stage import Stage
from tests.kit.trees import archive, entry, extract
top, mount, *names = sys.argv[1:]
there = Path(top) / "there"
(there / "sub" / "inner").mkdir(parents=True)
(Path(top) / "other").mkdir()
subprocess.run(["mount", *mount.split(), there / "sub"], cwd=top, check=True)
(there / "sub" / "inner").mkdir(exist_ok=True)
stage = Stage(str(there))
folders = [entry(name[:-1], tarfile.DIRTYPE) for name in names if name.endswith("/")]
files = [entry(name) for name in names if not name.endswith("/")]
extract(Path(f"/proc/self/fd/{stage.folder}"), archive(*folders, *files))
try:
    stage.settle()
except Exception as error:
    stage.remove()
    print(error)
print(*sorted(str(path.relative_to(there)) for path in there.rglob("*")))
"""
MOUNTS = pytest.mark.parametrize("mount", ["-t tmpfs none", "--bind other"])


def fill(top: Path, mount: str, *names: str) -> list[str]:
    argv = ["unshare", "--mount", sys.executable, "-c", FILL, str(top), mount, *names]
    return subprocess.check_output(argv, text=True).splitlines()


@pytest.mark.root
@MOUNTS
def test_nothing_is_changed_where_not_all_can_be_renamed(mount: str, tmp_path: Path) -> None:
    said, left = fill(tmp_path, mount, "first", "sub/f")
    assert said == f"{tmp_path}/there/sub: is another filesystem, and nothing was changed"
    assert left == "sub sub/inner"


@pytest.mark.root
@MOUNTS
def test_a_folder_that_gets_nothing_is_in_nobodys_way(mount: str, tmp_path: Path) -> None:
    assert fill(tmp_path, mount, "first", "sub/", "sub/inner/") == ["first sub sub/inner"]
