"""Several sources of one name: none replaces another, and nothing is copied before that is seen."""

import os
from pathlib import Path

import pytest

from qga_cli.errors import UsageError
from qga_cli.files.same_names import check_names, distinct
from qga_cli.guests.place import parse
from tests.kit.command import Far, qga
from tests.kit.fake import FakeAgent
from tests.kit.fake_files import FakeFiles


def two(folder: Path, *names: str) -> list[str]:
    """Paths of two folders, with a file of each name in both."""
    for at in ("a", "b"):
        (folder / at).mkdir()
        for name in names:
            (folder / at / name).write_text(f"{at} {name}")
    return [str(folder / "a"), str(folder / "b")]


def test_files_of_two_guests_do_not_replace_each_other(tmp_path: Path, here: Path) -> None:
    agents = [FakeAgent(tmp_path / f"{name}.sock", FakeFiles({"/hosts": b"1"})) for name in "ab"]
    uri = f"unix:{tmp_path}/{{vm}}.sock"
    done = qga("-c", uri, "cp", "a:/hosts", "b:/hosts", str(here))
    for agent in agents:
        agent.close()
    assert (done.code, done.err) == (
        2,
        f"qga: b:/hosts would replace a:/hosts: both would be hosts in {here}/\n"
        "hint: give each a name or a folder of its own, one after the other\n",
    )
    assert os.listdir(here) == []


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_what_a_pattern_matches_in_two_folders_stays_apart(verb: str, near: Far) -> None:
    two(Path(near.folder), "x", "y")
    near.sh("mkdir goal")
    done = near(verb, "FAR/?/x", "FAR/goal/")
    assert done.code == 2
    assert "/b/x would replace " in done.err
    assert near.sh("cat a/x b/x; ls goal") == "a xb x"


def test_a_file_that_is_named_twice_is_copied_once(near: Far, here: Path) -> None:
    two(Path(near.folder), "x", "y")
    near.good("cp", "FAR/a/*", "FAR/a/x", str(here))
    assert sorted(os.listdir(here)) == ["x", "y"]


def test_folders_of_one_name_are_filled_one_after_the_other(near: Far, here: Path) -> None:
    for name in ("one", "two"):
        (here / name / "site").mkdir(parents=True)
        (here / name / "site" / name).touch()
    near.sh("mkdir goal")
    near.good("cp", f"{here}/one/site", f"{here}/two/site", "FAR/goal")
    near.good("cp", f"{here}/one/.", f"{here}/two/.", "FAR/goal")
    assert near.sh("ls goal goal/site") == "goal:\nsite\n\ngoal/site:\none\ntwo\n"
    (here / "site").touch()
    done = near("cp", f"{here}/one/site", f"{here}/site", "FAR/goal")
    assert done.code == 2


def test_only_windows_takes_large_for_small_letters() -> None:
    places, goal = [parse("a:/x/Hosts"), parse("b:/x/hosts")], parse("c:/x")
    check_names(places, goal, folds=lambda: False)
    with pytest.raises(UsageError, match="b:/x/hosts would replace a:/x/Hosts"):
        check_names(places, goal, folds=lambda: True)
    check_names(distinct([parse("a:/f"), parse("a:/f")]), goal, folds=lambda: False)
