"""A folder copied to one that is there: filled, file by file, or left alone."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.command import Far


@pytest.mark.slow
def test_a_folder_that_is_there_is_filled(near: Far, here: Path) -> None:
    """More files than one mv takes, names that look like patterns and options, and hidden ones."""
    odd = ["*", "-f", ".x", "..y", "...", "new\nline\n", " ", "\udcff", "$(id)", "?", "[a]"]
    names = [*odd, *(f"n{number:04}" for number in range(1200))]
    for folder in ("", "sub/", "sub/.deep/"):
        (here / "d" / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (here / "d" / f"{folder}{name}").write_text(f"new {folder}")
    (here / "d" / "sub" / "fresh").mkdir()
    (here / "d" / "link").symlink_to("nowhere")
    near.sh("mkdir -p d/sub/.deep d/sub/other d/sub/dir; cd d; echo old >'*'; echo old >sub/n0007; "
            "echo kept >sub/other/f; ln -s sub link; echo kept >sub/.deep/own")  # fmt: skip
    near.good("cp", f"{here}/d/.", "FAR/d")
    there = Path(near.folder) / "d"
    for folder in ("", "sub/", "sub/.deep/"):
        for name in names:
            assert (there / f"{folder}{name}").read_text() == f"new {folder}"
    assert os.readlink(there / "link") == "nowhere"
    assert (there / "sub" / "other" / "f").read_text() == "kept\n"
    assert (there / "sub" / ".deep" / "own").read_text() == "kept\n"
    assert (there / "sub" / "fresh").is_dir()
    assert len(os.listdir(there)) == len(names) + 2
    assert len(os.listdir(there / "sub")) == len(names) + 4


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("mkdir -p a/b/x", "mkdir -p a/b; echo >a/b/x"),
        ("mkdir -p a/b; echo >a/b/x", "mkdir -p a/b/x"),
        ("mkdir .x", "ln -s . .x"),
        ("ln -s . ..x", "mkdir ..x"),
    ],
)
def test_a_folder_and_a_file_do_not_replace_each_other(
    near: Far, here: Path, ours: str, theirs: str
) -> None:
    (here / "d").mkdir()
    subprocess.run(["sh", "-c", f"echo new >f; {ours}"], cwd=here / "d", check=True)
    near.sh(f"mkdir d; cd d; echo old >f; {theirs}")
    done = near("cp", f"{here}/d/.", "FAR/d")
    assert (done.code, done.out) == (1, "")
    assert "x: a folder and a file cannot replace each other" in done.err
    assert near.sh("cd d; cat f; ls -A | wc -l").split() == ["old", "2"], "nothing was moved"
