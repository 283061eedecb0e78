"""Files and folders copied from and to real agents: one on this machine, one in a guest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.command import Far
from tests.kit.trees import everything, odd_tree

PART = 5_000_000  # bytes: several chunks, and a short last one


@pytest.mark.slow
def test_a_file_goes_there_and_back(far: Far, here: Path) -> None:
    (here / "data").write_bytes(os.urandom(PART))
    far.good("cp", str(here / "data"), "FAR")
    far.good("cp", "FAR/data", str(here / "back"))
    assert (here / "back").read_bytes() == (here / "data").read_bytes()
    assert sorted(os.listdir(here)) == ["back", "data"]
    assert far.sh("ls -A") == "data\n"


@pytest.mark.slow
def test_modes_and_times(far: Far, here: Path) -> None:
    (here / "run").write_text("#!/bin/sh\n")
    (here / "run").chmod(0o751)
    os.utime(here / "run", ns=(1, 1_600_000_000_123_456_789))
    far.good("cp", str(here / "run"), "FAR/new")
    far.good("cp", "-p", str(here / "run"), "FAR/kept")
    far.sh("touch old && chmod 600 old")
    far.good("cp", str(here / "run"), "FAR/old")
    modes = far.sh("stat -c '%a %n' new kept old; stat -c '%.9Y' kept")
    assert modes == "751 new\n751 kept\n600 old\n1600000000.123456789\n"
    far.good("cp", "-p", "FAR/kept", str(here / "back"))
    facts = (here / "back").stat()
    assert (facts.st_mode & 0o7777, facts.st_mtime_ns) == (0o751, 1_600_000_000_123_456_789)
    far.sh("chmod 4755 kept")
    far.good("cp", "-p", "FAR/kept", str(here / "plain"))
    far.good("cp", "-p", "--special", "FAR/kept", str(here / "special"))
    assert (here / "plain").stat().st_mode & 0o7777 == 0o755
    assert (here / "special").stat().st_mode & 0o7777 == 0o4755


@pytest.mark.slow
def test_the_rules_of_docker_cp(near: Far, here: Path) -> None:
    (here / "d").mkdir()
    (here / "d" / "f").write_text("1")
    (here / "file").write_text("2")
    near.good("cp", str(here / "d"), "FAR/new")  # becomes it
    near.sh("mkdir there")
    near.good("cp", str(here / "d"), "FAR/there")  # goes into it
    near.good("cp", f"{here}/d/.", "FAR/there")  # its contents do
    near.good("cp", str(here / "file"), "FAR/there/")
    assert near.sh("find . -type f | sort") == "./new/f\n./there/d/f\n./there/f\n./there/file\n"
    for words in (
        ["cp", str(here / "file"), "FAR/none/"],
        ["cp", str(here / "file"), "FAR/none/file"],
        ["cp", str(here / "d"), "FAR/there/file"],
        ["cp", str(here / "file"), str(here / "file"), "FAR/none"],
    ):
        done = near(*words)
        assert done.code in (1, 2), words
        assert len(done.err.splitlines()) <= 2, done.err
    assert "is a place in a guest" in near("cp", str(here / "file"), "b").err
    assert "no such file on this host" in near("cp", "a", "b").err
    os.mkdir(here / "back")
    near.good("cp", "FAR/there", str(here / "back" / "new"))
    near.good("cp", "FAR/there", str(here / "back"))
    near.good("cp", "FAR/there/.", str(here / "back"))
    found = sorted(str(path.relative_to(here / "back")) for path in (here / "back").rglob("f*"))
    assert found == ["d/f", "f", "file", "new/d/f", "new/f", "new/file",
                     "there/d/f", "there/f", "there/file"]  # fmt: skip
    assert near("cp", "FAR/there", str(here / "file")).code == 1
    assert near("cp", "FAR/there", str(here / "none" / "x")).code == 1
    assert near("cp", "FAR/there/file", f"{here}/none/").code == 1
    assert near("cp", "FAR/none", str(here)).err.endswith("/none: No such file or directory\n")
    assert near("cp", str(here / "file"), "FAR/there/file/").err.endswith(
        "/there/file: is no folder\n"
    )
    assert near("cp", str(here / "file"), "FAR/none/").err.endswith("/none: no such folder\n")


def test_standard_streams(near: Far, here: Path) -> None:
    data = os.urandom(300_000)
    near.good("cp", "-", "FAR/data", stdin=data)
    assert near("cp", "FAR/data", "-").stdout == data
    assert near("cp", "-", "FAR", stdin=data).code == 1


def test_files_of_this_host_that_say_they_are_empty(near: Far) -> None:
    paths = "/proc/version", "/proc/cmdline"
    for path in paths:
        near.good("cp", path, "FAR")
    near.sh("mkdir both")
    near.good("cp", *paths, "FAR/both")
    there = near.sh("cat version cmdline both/version both/cmdline")
    assert there == 2 * "".join(Path(path).read_text() for path in paths)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["sp ace", "-rf", "new\nline\n", "quo'te\"", "\udcff\udcfe", "$(id)", "é", "*", "\\x"]
)
def test_odd_names(near: Far, here: Path, name: str) -> None:
    (here / name).write_text(name, errors="surrogateescape")
    near.good("cp", f"{here}/{name}", "FAR")
    (here / "back").mkdir()
    near.good("cp", f"FAR/{name}", str(here / "back"))
    assert (here / "back" / name).read_text(errors="surrogateescape") == name
    assert os.listdir(here / "back") == [name]
    assert near("cat", f"FAR/{name}").stdout == name.encode(errors="surrogateescape")
    assert len(near.good("ls", "FAR").splitlines()) == 1
    near.good("mv", f"FAR/{name}", "FAR/other")
    near.good("rm", "FAR/other")


@pytest.mark.slow
def test_holes_stay_holes(far: Far, here: Path) -> None:
    with open(here / "sparse", "wb") as out:
        out.truncate(30_000_000)
        out.seek(10_000_000)
        out.write(b"middle")
    far.good("cp", str(here / "sparse"), "FAR")
    far.good("cp", "FAR/sparse", str(here / "back"))
    assert (here / "back").read_bytes() == (here / "sparse").read_bytes()
    assert (here / "back").stat().st_blocks < 200
    assert int(far.sh("stat -c %b sparse")) < 200


@pytest.mark.slow
def test_a_tree_with_odd_names_goes_round(far: Far, here: Path) -> None:
    odd_tree(here / "tree")
    with open(here / "tree" / "sparse", "wb") as out:
        out.truncate(1_000_000)
    os.link(here / "tree" / "sparse", here / "tree" / "sparse too")
    os.utime(here / "tree" / "plain", ns=(1, -1_500_000_000))
    os.utime(here / "tree", ns=(1, 1_500_000_000_987_654_321))
    far.good("cp", "-p", str(here / "tree"), "FAR")
    far.good("cp", "-p", "--special", "FAR/tree", str(here / "back"))
    assert everything(here / "back") == everything(here / "tree")
    assert far.sh("ls -A") == "tree\n"
    assert sorted(os.listdir(here)) == ["back", "tree"]


@pytest.mark.slow
def test_links(near: Far, here: Path) -> None:
    near.sh("echo text >file; ln -s file link; ln -s nowhere dangling; mkdir d; ln -s ../file d/l")
    near.good("cp", "FAR/link", str(here))
    assert os.readlink(here / "link") == "file"
    near.good("cp", "-L", "FAR/link", str(here / "text"))
    assert (here / "text").read_text() == "text\n"
    near.good("cp", "-L", "FAR/d", str(here / "d"))
    assert (here / "d" / "l").read_text() == "text\n"
    near.good("cp", "FAR/dangling", str(here))
    near.good("cp", str(here / "dangling"), "FAR/again")
    assert near.sh("readlink again") == "nowhere\n"
    near.good("cp", str(here / "text"), "FAR/link")  # named itself: written through
    assert near.sh("readlink link") == "file\n"
    os.symlink("d", here / "to d")  # what ends with a slash is a folder, whatever led there
    near.good("cp", f"{here}/to d/.", "FAR/one")
    near.good("cp", f"{here}/to d/", "FAR/d")
    assert near.sh("cat one/l d/to*/l") == "text\ntext\n"
    near.good("cp", "FAR/one/.", str(here / "to d"))
    assert (here / "to d").is_symlink()
    near.sh("ln -s loop loop")
    assert near("cp", str(here / "text"), "FAR/loop").err.endswith("far/loop: a link to nowhere\n")
    assert "hint: -L takes what it points to" in near("cp", "FAR/link", "-").err


def test_several_small_files_at_once(near: Far, here: Path) -> None:
    paths = [here / f"f{number}" for number in range(20)]
    for path in paths:
        path.write_text(path.name)
    near.sh("mkdir into; echo old >into/f3")
    near.good("cp", *map(str, paths), "FAR/into")
    assert near.sh("cat into/f3 into/f19; ls -A into | wc -l").split() == ["f3f1920"]


def writes(near: Far, *words: str) -> int:
    """How many requests carry the file's bytes, half a megabyte each at most."""
    command = [sys.executable, "-m", "qga_cli", *near.flags, "cp", "-vv", *words]
    told = subprocess.run(command, capture_output=True, check=True).stderr
    return told.count(b"guest-file-write: ok")


@pytest.mark.slow
@pytest.mark.parametrize("wish", [["--compress", "gzip"], ["--compress", "auto"], []])
def test_packed_on_the_way(near: Far, here: Path, wish: list[str]) -> None:
    (here / "text").write_bytes(b"some text that packs well, line by line\n" * 300_000)
    (here / "noise").write_bytes(os.urandom(2_000_000))
    (here / "empty").touch()
    (here / "even").write_bytes(bytes(2**20))
    for name in ("text", "noise", "empty", "even"):
        near.good("cp", *wish, str(here / name), "FAR")
        near.good("cp", *wish, f"FAR/{name}", str(here / "back"))
        assert (here / "back").read_bytes() == (here / name).read_bytes()
    near.good("cp", *wish, str(here), "FAR/tree")
    near.good("cp", *wish, "FAR/tree", str(here / "tree"))
    assert (here / "tree" / "text").read_bytes() == (here / "text").read_bytes()
    assert writes(near, *wish, str(here / "text"), f"vm:{near.folder}/again") < 5


@pytest.mark.slow
def test_nothing_is_packed_where_that_is_not_wished_for(near: Far, here: Path) -> None:
    (here / "text").write_bytes(b"some text that packs well, line by line\n" * 300_000)
    words = "--compress", "none", str(here / "text"), f"vm:{near.folder}/text"
    assert writes(near, *words) > 20


@pytest.mark.slow
@pytest.mark.parametrize("wish", [["--compress", "gzip"], []])
def test_holes_are_not_packed(near: Far, here: Path, wish: list[str]) -> None:
    with open(here / "holes", "wb") as file:
        file.seek(300 * 2**20)
        file.write(b"end")
    near.good("cp", *wish, str(here / "holes"), "FAR")
    size, blocks = map(int, near.sh("stat -c '%s %b' holes").split())
    assert size == 300 * 2**20 + 3
    assert blocks * 512 < 2**20


@pytest.mark.slow
def test_from_guest_to_guest(near: Far, here: Path) -> None:
    near.sh("mkdir d e; echo 1 >d/f; head -c 3000000 /dev/urandom >big")
    near.good("cp", "FAR/big", "FAR/copy")
    near.good("cp", "FAR/d", "FAR/e")
    assert near.sh("cmp big copy && cat e/d/f") == "1\n"
