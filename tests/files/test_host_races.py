"""Copies into and out of a folder of another user of this host, who exchanges what is in it.

He strikes at every step in turn, in several ways; nothing outside his folder may change, and
nothing outside it may be read.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from qga_cli.errors import QgaError
from qga_cli.files.copy_file.sources import HostFile
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.tar_writer import TarWriter
from tests.kit.strangers import Victim, land_in, make_theirs, pull_into, strike_at

pytestmark = [pytest.mark.root, pytest.mark.slow]

TROUBLE = suppress(QgaError, OSError)  # that is what he may make
MOST = 400  # steps; more than any of these copies has


def exchange(folder: Path, target: Path) -> None:
    """Each thing in it becomes a link to `target`."""
    for name in os.listdir(folder):
        os.rename(folder / name, folder.parent / f"moved-{name}")
        os.symlink(target, folder / name)


def exchange_below(folder: Path, target: Path) -> None:
    """Each folder in it becomes one of his own, full of links to `target`."""
    for name in os.listdir(folder):
        if (folder / name).is_dir():
            os.rename(folder / name, folder.parent / f"moved-{name}")
            os.mkdir(folder / name, 0o777)
            for inner in ("f", "sub", "new", "link", name):
                os.symlink(target, folder / name / inner)


def exchange_whole(folder: Path, target: Path) -> None:
    """The folder itself becomes a link to `target`."""
    os.rename(folder, folder.parent / "moved")
    os.symlink(target, folder)


def exchange_below_one(folder: Path, target: Path) -> None:
    """`sub` alone becomes one: what shall be filled."""
    os.rename(folder / "sub", folder.parent / "moved-sub")
    os.symlink(target, folder / "sub")


WAYS = (exchange, exchange_below, exchange_whole, exchange_below_one)


COPIES: dict[str, Callable[[Path], None]] = {
    "tree, filling": lambda theirs: pull_into(f"{theirs}/dest"),
    "tree, filling, -p": lambda theirs: pull_into(f"{theirs}/dest", preserve=True, special=True),
    "tree, filling, --resume": lambda theirs: pull_into(f"{theirs}/dest", resume=True),
    "tree, new": lambda theirs: pull_into(f"{theirs}/dest/fresh"),
    "tree, new, -p": lambda theirs: pull_into(f"{theirs}/dest/fresh", preserve=True, special=True),
    "file": lambda theirs: land_in(f"{theirs}/dest"),
    "file, -p": lambda theirs: land_in(f"{theirs}/dest/f", preserve=True, special=True),
    "file, --resume": lambda theirs: land_in(f"{theirs}/dest", resume=True),
    "file, new": lambda theirs: land_in(f"{theirs}/dest/sub/fresh"),
}


def moments(act: Callable[[int], bool]) -> Iterator[int]:
    """Each step, until the body has no more of them."""
    for step in range(1, MOST):
        if not act(step):
            return
        yield step
    raise AssertionError("more steps than were thought")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("aim", ["", "shadow"])
@pytest.mark.parametrize("copy", COPIES)
def test_nothing_outside_changes_whenever_it_is_exchanged(
    copy: str, way: Callable[[Path, Path], None], aim: str, victim: Victim, tmp_path: Path
) -> None:
    if aim and way is exchange_whole:
        return  # a folder that has become a file: the same as below it

    def once(step: int) -> bool:
        (tmp_path / str(step)).mkdir(mode=0o755)
        theirs = make_theirs(tmp_path / str(step))
        target = victim.path / aim
        with strike_at(step, lambda: way(theirs / "dest", target)) as strike, TROUBLE:
            COPIES[copy](theirs)
        assert victim.changed() == [], f"step {step}"
        return strike.struck

    assert len(list(moments(once))) > 5


@pytest.mark.parametrize("copy", COPIES)
def test_left_alone_it_is_copied(copy: str, victim: Victim, tmp_path: Path) -> None:
    theirs = make_theirs(tmp_path)
    COPIES[copy](theirs)
    found = [path for path in theirs.rglob("*") if path.is_file()]
    assert any(path.read_text() == "from the guest" for path in found)
    assert not any("qga-part" in path.name for path in found if copy == "file, --resume")
    assert victim.changed() == []


def read_tree(theirs: Path, *, follow: bool) -> bytes:
    """What `cp -r` would send of it."""
    return TarWriter({".": f"{theirs}/dest"}, CopyOptions(follow=follow), lambda text: None).read()


def read_file(theirs: Path, *, follow: bool) -> bytes:
    """What `cp` would send of a file that it has looked at."""
    made = HostFile(f"{theirs}/dest/f", follow=follow)
    return b"".join(data for _, data in made.pieces(0, 2**20))


@pytest.mark.parametrize("read", [read_tree, read_file])
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("aim", ["", "shadow"])
def test_nothing_outside_is_read_whenever_it_is_exchanged(
    read: Callable[..., bytes],
    way: Callable[[Path, Path], None],
    aim: str,
    victim: Victim,
    tmp_path: Path,
    *,
    follow: bool,
) -> None:
    def once(step: int) -> bool:
        (tmp_path / str(step)).mkdir(mode=0o755)
        theirs = make_theirs(tmp_path / str(step))
        sent = b""
        target = victim.path / aim
        with strike_at(step, lambda: way(theirs / "dest", target)) as strike, TROUBLE:
            sent = read(theirs, follow=follow)
        assert b"secret of root's" not in sent, f"step {step}"
        return strike.struck

    list(moments(once))
