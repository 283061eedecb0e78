"""Two copies to one name at once: `--resume` goes on with what an earlier copy has left, not with
what one that is under way writes."""

import hashlib
import os
from pathlib import Path
from typing import Any, cast

import pytest

from qga_cli.files.copy_file import to_host
from qga_cli.files.copy_file.to_host import HostTarget
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.stage import Stage
from qga_cli.files.guest.facts import FileFacts
from qga_cli.files.guest.partial import leftovers
from tests.kit.command import Far
from tests.kit.running import Started


def facts(size: int) -> FileFacts:
    return FileFacts(size=size, mode=0o644)


def target(path: Path, *, resume: bool = False) -> HostTarget:
    return HostTarget(str(path), CopyOptions(resume=resume))


def test_a_file_on_its_way_to_this_host_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "data"
    first, second = target(path), target(path, resume=True)
    assert first.begin(facts(6), None) == 0
    first.write(0, b"ab")
    cast("Any", first)._file.flush()
    assert second.begin(facts(6), lambda size: pytest.fail("asked of another's part")) == 0
    second.write(0, b"second")
    first.write(2, b"rst!")
    second.finish(facts(6), "")
    assert path.read_bytes() == b"second"
    first.finish(facts(6), "")
    assert path.read_bytes() == b"abrst!"
    assert os.listdir(tmp_path) == ["data"]


@pytest.mark.parametrize("length", [200, 250])
def test_a_part_of_another_name_is_left_alone(length: int, tmp_path: Path) -> None:
    """Of a long name only a part goes into that of its part."""
    names = ["x" * (length - 1) + end for end in "ab"]
    for name in names:
        begun = target(tmp_path / name)
        begun.begin(facts(6), None)
        begun.write(0, name[-1].encode())
        assert begun.abandon(keep=True)
    third = target(tmp_path / names[0], resume=True)
    assert third.begin(facts(6), lambda size: hashlib.sha512(b"a"[:size]).hexdigest()) == 1
    third.write(1, b"aaaaa")
    third.finish(facts(6), "")
    assert (tmp_path / names[0]).read_bytes() == b"aaaaaa"
    (left,) = set(os.listdir(tmp_path)) - {names[0]}
    assert (tmp_path / left).read_bytes() == b"b"


def test_a_part_that_another_copy_takes_first_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen that nobody had it."""
    left = tmp_path / ".data.0123456789abcdef.qga-part"
    left.write_bytes(b"da")
    left.chmod(0o600)
    first, second = (target(tmp_path / "data", resume=True) for _ in range(2))

    def prove(size: int) -> str:
        return hashlib.sha512(b"data"[:size]).hexdigest()

    def listed(folder: int, name: str) -> list[str]:
        found = leftovers(folder, name)
        monkeypatch.setattr(to_host, "leftovers", leftovers)
        assert first.begin(facts(4), prove) == 2
        return found

    monkeypatch.setattr(to_host, "leftovers", listed)
    assert second.begin(facts(4), prove) == 0
    for one, begun in ((first, 2), (second, 0)):
        one.write(begun, b"data"[begun:])
        one.finish(facts(4), prove(4))
    assert os.listdir(tmp_path) == ["data"]


def test_a_tree_on_its_way_to_this_host_is_not_removed(tmp_path: Path) -> None:
    left = tmp_path / ".tree.0123456789abcdef.qga-part"
    left.mkdir(mode=0o700)
    first = Stage(str(tmp_path / "tree"))
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=first.folder))
    second = Stage(str(tmp_path / "tree"), resume=True)
    assert os.listdir(first.folder) == ["f"]
    assert not left.exists()  # nobody has it
    second.remove()
    first.settle()
    assert os.listdir(tmp_path) == ["tree"]


@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_two_at_once_into_a_guest_both_succeed(far: Far, here: Path) -> None:
    (here / "data").write_bytes(os.urandom(8_000_000))
    (here / "tree").mkdir()
    for number in range(40):
        (here / "tree" / str(number)).write_bytes(os.urandom(100_000))
    far.sh("mkdir tree")
    copies = []
    for source in (here / "data", here / "tree"):
        words = ["cp", "--resume", str(source), f"{far.name}:{far.folder}/"]
        copies += [(source, Started(*far.flags, *words)) for _ in range(2)]
    for _, copy in copies:
        code, _, err = copy.end()
        assert (code, [line for line in err.splitlines() if "copied anew" not in line]) == (0, [])
    for name in ("data", "tree"):  # when nobody writes there any more
        far.good("cp", f"FAR/{name}", str(here / f"{name} back"))
    assert far.sh("ls -A") == "data\ntree\n"
