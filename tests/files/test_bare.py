"""Copies from and to guests that lack a program: it is named, and nothing waits for it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.lab.local_agent import agent as run_local_agent

PROGRAMS = (
    "sh cat mkdir rm rmdir mv ln ls stat chmod chown touch tar sha512sum head tail tee mkfifo"
    " mktemp sync df readlink dd sleep kill id env setpriv qemu-ga"
).split()
PUSH, PULL = ("HERE/tree", "vm:HERE/new"), ("vm:HERE/tree", "HERE/new")  # a folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "places", "told"),
    [
        ("tar", PUSH, "tar"),
        ("tar", PULL, "tar"),
        ("sha512sum", PUSH, "sha512sum"),
        ("sha512sum", PULL, "sha512sum"),
        ("tee", PUSH, "tee"),
        ("tee", PULL, "tee"),
        ("mkfifo", PUSH, ""),
        ("mktemp", PULL, "mktemp"),
        ("stat", ("vm:HERE/file", "HERE/new"), "stat"),
        ("sha512sum", ("vm:HERE/file", "HERE/new"), ""),  # done without: the file is read twice
        ("sha512sum", ("HERE/file", "vm:HERE/new"), ""),
    ],
)
def test_what_is_missing_is_named(
    missing: str,
    places: tuple[str, str],
    told: str,
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bin").mkdir()
    for program in set(PROGRAMS) - {missing}:
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or "")
    (here / "tree").mkdir()
    for path in (here / "file", here / "tree" / "file"):
        path.write_text("text")
    words = [place.replace("HERE", str(here)) for place in places]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with run_local_agent(tmp_path, "bare") as agent:
        done = qga("-c", f"unix:{agent.socket}", "cp", *words)
    if told:
        said = f"qga: vm: the guest has no {told}, which this needs\n"
        assert (done.code, done.err) == (1, said)
    else:
        assert (done.code, done.err) == (0, "")
    assert sorted(os.listdir(here)) == ["file"] + ["new"] * (not told) + ["tree"]
