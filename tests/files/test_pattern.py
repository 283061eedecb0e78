"""Patterns in a guest's paths are what matches there."""

import os
from pathlib import Path

import pytest

from qga_cli.files.guest import pattern
from tests.kit.command import Far

MAKE = (
    "mkdir -p etc/d; for f in a.conf b.conf c.txt .h.conf 'sp ace.conf'; do "
    'echo $f >"etc/$f"; done'
)


def test_copies(far: Far, here: Path) -> None:
    far.sh(MAKE)
    (here / "d").mkdir()
    far.good("cp", "FAR/etc/*.conf", f"{here}/d")
    assert sorted(os.listdir(here / "d")) == ["a.conf", "b.conf", "sp ace.conf"]
    far.good("cp", "FAR/e?c/c.t[wx]t", f"{here}/one")
    assert (here / "one").read_text() == "c.txt\n"
    ran = far("cp", "FAR/etc/*.none", f"{here}/d")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "etc/*.none: nothing matches" in ran.err
    assert far("cp", "FAR/etc/*.conf", f"{here}/none").code == 1  # several need a folder


def test_a_file_of_that_name_wins(far: Far, here: Path) -> None:
    far.sh(MAKE + "; echo star >'etc/*.conf'; echo q >'etc/[ab].conf'")
    far.good("cp", "FAR/etc/*.conf", f"{here}/x")
    assert (here / "x").read_text() == "star\n"
    assert far.good("cat", "FAR/etc/[ab].conf") == "q\n"
    far.good("rm", "FAR/etc/*.conf")
    assert far.sh("ls etc").split("\n")[:2] == ["[ab].conf", "a.conf"]


@pytest.mark.slow
def test_cat_rm_mv_tail(far: Far) -> None:
    far.sh(MAKE)
    assert far.good("cat", "FAR/etc/?.conf") == "a.conf\nb.conf\n"
    assert far.good("tail", "FAR/etc/*.txt") == "c.txt\n"
    assert far("tail", "FAR/etc/?.conf").code == 2
    far.good("mv", "FAR/etc/?.conf", "FAR/etc/d")
    assert far.sh("ls etc/d").split() == ["a.conf", "b.conf"]
    far.good("mkdir", "FAR/new*")
    assert far.sh("ls -d new*") == "new*\n"
    far.good("rm", "FAR/etc/d/*")
    assert far.sh("ls etc/d") == ""
    assert far("rm", "FAR/etc/d/*").code == 1
    far.good("rm", "-f", "FAR/etc/d/*")


def test_ls(far: Far) -> None:
    far.sh(MAKE + "; ln -s a.conf etc/l.conf")
    folder = f"{far.folder}/etc"
    names = [f"{folder}/{name}.conf" for name in ("a", "b", "l", "sp ace")]
    assert far.good("ls", "FAR/etc/*.conf").splitlines() == names
    rows = [line.split("\t") for line in far.good("ls", "-l", "FAR/etc/?.conf").splitlines()][1:]
    assert [(row[0][0], row[5]) for row in rows] == list(zip("--l", names[:3], strict=True))
    assert rows[2][6] == "a.conf"
    assert far.good("ls", "FAR/e*") == f"{folder}\n"  # itself, as `ls -d`
    ran = far("ls", "FAR/etc/*.none")
    assert (ran.code, "etc/*.none: nothing matches" in ran.err) == (1, True)
    far.sh("mkdir 'e*'; touch 'e*/in'")
    assert far.good("ls", "FAR/e*") == "in\n"


@pytest.mark.parametrize(
    ("asked", "name", "good"),
    [
        ("/etc/*.conf", "/etc/a.conf", True),
        ("/etc/*.conf", "/etc/.a.conf", False),  # as a shell
        ("/etc/.*.conf", "/etc/.a.conf", True),
        ("/etc/*", "/etc/..", False),
        ("/etc/*", "/etc/a/b", False),
        ("/etc/*.conf", "/root/a.conf", False),
        ("/etc/*.conf", "/etc/.bashrc", False),
        ("/etc/*.conf", "/etc/passwd", False),
        ("/*/passwd", "/etc/shadow", False),
        ("/*/passwd", "/etc/passwd", True),
        ("/a/??", "/a/é", True),
        ("/a/?", "/a/é", False),
        ("/a/[^b]", "/a/c", True),
        ("/a/[[:alpha:]]x", "/a/bx", True),
        ("/a/[[:alpha:]]x", "/a/../x", False),
        ("/a/\\*?", "/a/*b", True),
        ("/a//*/.", "/a/b/.", True),
    ],
)
def test_a_guest_names_nothing_that_was_not_asked_for(asked: str, name: str, good: bool) -> None:
    assert pattern.matches(name, asked) is good
