"""Trees as tar streams, there and back, and put in the place of what is there already."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.errors import QgaError
from qga_cli.files.copy_file.sources import HostFile
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.stage import Stage
from qga_cli.files.copy_tree.tar_writer import TarWriter
from tests.kit.trees import archive, entry, everything, extract, odd_tree


def tar_of(top: Path) -> bytes:
    return TarWriter({".": str(top)}, CopyOptions(preserve=True), lambda text: None).read()


def host_tar(top: Path) -> bytes:
    done = subprocess.run(
        ["tar", "--format=posix", "--sparse", "-cf", "-", "-C", top, "."],
        capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("make", [tar_of, host_tar])
def test_a_tree_goes_round(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    odd_tree(tmp_path / "tree")
    stream = make(tmp_path / "tree")
    extract(tmp_path / "copy", stream, CopyOptions(preserve=True, special=True), step=777)
    assert everything(tmp_path / "copy") == everything(tmp_path / "tree")


def test_tar_reads_what_we_write(tmp_path: Path) -> None:
    odd_tree(tmp_path / "tree")
    (tmp_path / "copy").mkdir()
    subprocess.run(["tar", "-xpf", "-", "-C", tmp_path / "copy"], input=tar_of(tmp_path / "tree"),
                   check=True, env={**os.environ, "LC_ALL": "C"})  # fmt: skip
    assert everything(tmp_path / "copy") == everything(tmp_path / "tree")


def test_holes_stay_holes(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with open(tmp_path / "tree" / "sparse", "wb") as out:
        out.truncate(50_000_000)
        out.seek(20_000_000)
        out.write(b"middle")
    stream = host_tar(tmp_path / "tree")
    assert len(stream) < 100_000
    extract(tmp_path / "copy", stream)
    copy = tmp_path / "copy" / "sparse"
    assert copy.read_bytes() == (tmp_path / "tree" / "sparse").read_bytes()
    assert copy.stat().st_blocks < 100
    writer = TarWriter({".": str(tmp_path / "tree")}, CopyOptions(), lambda text: None)
    assert len(writer.read()) < 10_000
    assert writer.sparse == [("./sparse", str(tmp_path / "tree" / "sparse"), "")]


def compressed(found: os.stat_result) -> os.stat_result:
    """As a filesystem that compresses has it: fewer blocks than the file is long."""
    others = ("st_atime_ns", "st_mtime_ns", "st_ctime_ns", "st_rdev")
    told = {name: getattr(found, name) for name in others}
    return os.stat_result(found[:10], {**told, "st_blocks": 8})


def test_what_is_compressed_on_this_hosts_disk_has_no_holes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On ZFS each file that packs well went by itself, slowly."""
    (tmp_path / "tree").mkdir()
    data = b"packs well\n" * 50_000
    (tmp_path / "tree" / "f").write_bytes(data)
    for name in ("lstat", "fstat"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *at, r=real, **named: compressed(r(*at, **named)))
    file = HostFile(str(tmp_path / "tree" / "f"))
    assert not file.facts.sparse
    assert b"".join(piece for _, piece in file.pieces(0, 2**16)) == data
    writer = TarWriter({".": str(tmp_path / "tree")}, CopyOptions(), lambda text: None)
    assert data in writer.read()
    assert writer.sparse == []


def test_a_tree_fills_the_one_that_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "sub").mkdir(parents=True)
    (there / "kept").write_text("kept")
    (there / "replaced").write_text("old")
    (there / "link").symlink_to("kept")
    stage = Stage(str(there))
    extract(Path(f"/proc/self/fd/{stage.folder}"), archive(
        entry("replaced"), entry("new/f"), entry("sub/f"), entry("link"),
    ))  # fmt: skip
    stage.settle()
    assert (there / "kept").read_text() == "kept"
    assert not (there / "link").is_symlink()
    for name in ("replaced", "new/f", "sub/f", "link"):
        assert (there / name).read_text() == "data"
    assert sorted(os.listdir(there)) == ["kept", "link", "new", "replaced", "sub"]


def test_a_tree_is_not_even_staged_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")
    stage = Stage(str(tmp_path / "link"))
    assert os.listdir(tmp_path / "outside") == []
    extract(Path(f"/proc/self/fd/{stage.folder}"), archive(entry("f")))
    with pytest.raises(QgaError):
        stage.settle()
    stage.remove()
    assert sorted(os.listdir(tmp_path)) == ["link", "outside"]


@pytest.mark.parametrize("name", ["link/f", "folder", "file/f"])
def test_a_tree_never_goes_through_a_link_or_over_another_kind(name: str, tmp_path: Path) -> None:
    there, outside = tmp_path / "there", tmp_path / "outside"
    (there / "folder").mkdir(parents=True)
    outside.mkdir()
    (there / "link").symlink_to(outside)
    (there / "file").write_text("old")
    before = everything(there)
    stage = Stage(str(there))
    extract(Path(f"/proc/self/fd/{stage.folder}"), archive(entry("first"), entry(name)))
    with pytest.raises(QgaError):
        stage.settle()
    stage.remove()
    after = everything(there)
    assert {**after, b"": None} == {**before, b"": None}
    assert os.listdir(outside) == []
