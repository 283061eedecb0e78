"""However a path is written, it means the same: as with cp, scp and docker cp."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command import Far

# What is below the folder: tree/f, tree/sub/g, link -> elsewhere/in, elsewhere/h.
MAKE = (
    "mkdir -p tree/sub elsewhere/in there; echo f >tree/f; echo g >tree/sub/g; echo h >elsewhere/h;"
    "echo i >elsewhere/in/i; ln -s elsewhere/in link"
)
FILL = ["f", "sub/g"]
INTO = ["tree/f", "tree/sub/g"]
# The source, and what a folder that is there has afterwards.
SOURCES = [
    ("tree", INTO),
    ("tree/", INTO),
    ("tree//", INTO),
    ("./tree", INTO),
    (".//tree/", INTO),
    ("tree/sub/../../tree", INTO),
    ("tree/.", FILL),
    ("tree/./", FILL),
    ("tree//.", FILL),
    ("tree/sub/..", FILL),
    ("tree/sub/../", FILL),
    ("tree/sub/../.", FILL),
    ("link/.", ["i"]),
    ("link/", ["link/i"]),
    ("link/..", ["h", "in/i"]),  # where the link leads, not where it lies
    ("link/../h", ["h"]),
    ("link/../in", ["in/i"]),
    ("tree/f", ["f"]),
    ("tree//f", ["f"]),
    ("tree/sub/../f", ["f"]),
]
TARGETS = ["there", "there/", "there//", "there/.", "there/./", "tree/../there", "there/../there/"]
NO_TARGETS = ["none/f", "none/", "none/.", "none/..", "tree/f/", "tree/f/.", "none/../there/x"]

# The whole table on an agent of this machine, where a case is cheap; on guests one of each kind.
ON_GUESTS = {
    "tree",
    "tree/.",
    "link/../h",
    "there/./",
    "there/../there/",
    "link/../x",
    "none/.",
    "tree/f/",
}


def both(cases: list[Any]) -> pytest.MarkDecorator:
    """The cases of a table, with the agent that each of them is for."""
    names = [case[0] if isinstance(case, tuple) else case for case in cases]
    chosen = [case for case, name in zip(cases, names, strict=True) if name in ON_GUESTS]
    pairs = [("local", case) for case in cases] + [("guest", case) for case in chosen]
    return pytest.mark.parametrize(("far", "case"), pairs, indirect=["far"])


def files(folder: Path | str) -> list[str]:
    return sorted(
        os.path.relpath(os.path.join(above, name), folder)
        for above, _, names in os.walk(folder)
        for name in names
    )


def made(far: Far, here: Path) -> None:
    far.sh(MAKE)
    os.system(f"cd {here} && {MAKE}")


def found(far: Far, folder: str) -> list[str]:
    return sorted(far.sh(f"cd {folder} && find . -type f").replace("./", "").split())


@pytest.mark.slow
@both(SOURCES)
def test_a_source(far: Far, here: Path, case: tuple[str, list[str]]) -> None:
    source, expected = case
    made(far, here)
    far.good("cp", f"FAR/{source}", f"{here}/there")
    assert files(here / "there") == expected
    far.good("cp", f"{here}/{source}", "FAR/there")
    assert found(far, "there") == expected


@pytest.mark.slow
@both(TARGETS)
def test_a_target(far: Far, here: Path, case: str) -> None:
    target = case
    made(far, here)
    far.good("cp", "FAR/tree/f", f"{here}/{target}")
    far.good("cp", "FAR/tree", f"{here}/{target}")
    assert files(here / "there") == ["f", *INTO]
    far.good("cp", f"{here}/tree/f", f"FAR/{target}")
    far.good("cp", f"{here}/tree", f"FAR/{target}")
    assert found(far, "there") == ["f", *INTO]


@pytest.mark.slow
@both(["link/../x", "./link/..//x"])
def test_a_target_past_a_link(far: Far, here: Path, case: str) -> None:
    target = case
    made(far, here)
    far.good("cp", "FAR/tree/f", f"{here}/{target}")
    far.good("cp", "FAR/tree", f"{here}/{target}y")
    assert sorted(os.listdir(here / "elsewhere")) == ["h", "in", "x", "xy"]
    far.good("cp", f"{here}/tree/f", f"FAR/{target}")
    far.good("cp", f"{here}/tree", f"FAR/{target}y")
    assert far.sh("ls elsewhere").split() == ["h", "in", "x", "xy"]


@both(NO_TARGETS)
def test_no_target(far: Far, here: Path, case: str) -> None:
    target = case
    made(far, here)
    before = files(here), found(far, ".")
    assert far("cp", "FAR/tree/f", f"{here}/{target}").code == 1
    assert far("cp", f"{here}/tree/f", f"FAR/{target}").code == 1
    assert (files(here), found(far, ".")) == before


@both(["tree/f/", "tree/f/.", "none/../tree/f", ""])
def test_no_source(far: Far, here: Path, case: str) -> None:
    source = case
    made(far, here)
    ours = f"{here}/{source}" if source else ""
    theirs = f"FAR/{source}" if source else f"{far.name}:"
    for words in (("cp", ours, "FAR/there"), ("cp", theirs, f"{here}/there")):
        ran = far(*words)
        assert ran.code == (1 if source else 2), ran.err
        assert "bug" not in ran.err


@pytest.mark.slow
def test_the_folder_we_are_in(near: Far, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(near, here)
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.chdir(here / "tree" / "sub")
    for number, source in enumerate((".", "./", ".//", "./.")):
        near.sh(f"mkdir t{number}")
        near.good("cp", source, f"FAR/t{number}")
        assert found(near, f"t{number}") == ["g"], source
    for source in ("..", "../", "../.", ".././"):
        near.sh("rm -rf up; mkdir up")
        near.good("cp", source, "FAR/up")
        assert found(near, "up") == FILL, source


@pytest.mark.slow
@pytest.mark.parametrize("path", ["tree/f", "tree//f", "tree/./f", "tree/sub/../f", "link/../h"])
def test_other_verbs(near: Far, here: Path, path: str) -> None:
    made(near, here)
    content = "h\n" if path.endswith("h") else "f\n"
    assert near.good("cat", f"FAR/{path}") == near.good("tail", f"FAR/{path}") == content
    assert near.good("ls", f"FAR/{path}").strip() == content.strip()
    near.good("mv", f"FAR/{path}", "FAR/tree/../moved")
    near.good("rm", "FAR//moved")
    assert near("cat", f"FAR/{path}").code == 1


@pytest.mark.slow
def test_a_file_is_no_folder(near: Far, here: Path) -> None:
    made(near, here)
    for verb in ("cat", "ls", "tail"):
        for path in ("tree/f/", "tree/f/."):
            assert near(verb, f"FAR/{path}").code == 1, (verb, path)
    for path in ("link/..", "link/../", "elsewhere//.", "elsewhere"):
        assert near.good("ls", f"FAR/{path}").split() == ["h", "in"]
    assert near.good("ls", "FAR/link/").split() == ["i"]


@pytest.mark.parametrize("path", ["/", "//", "/.", "/tree/..", "/tree/../", "/tree/.", "/tree/./"])
def test_rm_takes_no_such_folder(near: Far, here: Path, path: str) -> None:
    made(near, here)
    ran = near("rm", "-r", f"{near.name}:{near.folder}{path}" if path > "//" else f"vm:{path}")
    assert ran.code == 2
    assert found(near, "tree") == FILL


@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_a_working_folder_past_a_link(far: Far, here: Path) -> None:
    made(far, here)
    where = far.good("exec", "-w", f"{far.folder}/link/..", far.name, "--", "pwd", "-P").strip()
    assert where == f"{far.folder}/elsewhere"
    assert far("exec", "-w", "", far.name, "--", "pwd").code == 2
    assert far("script", far.name, "").code == 2
