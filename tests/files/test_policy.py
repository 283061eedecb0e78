"""Copies where a guest's policy leaves file commands only, exec only, or nothing."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command import Far, qga
from tests.kit.fake_files import DATA, FakeFiles, Start, copy
from tests.lab.local_agent import agent as run_local_agent

WAYS = {
    "both": (),
    "files only": ("-b", "guest-exec"),
    "exec only": ("-b", "guest-file-open"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    """An agent of this machine whose policy leaves this way only."""
    (tmp_path / "far").mkdir()
    with run_local_agent(tmp_path, "agent", *WAYS[request.param]) as running:
        yield Far(f"unix:{running.socket}", "vm", str(tmp_path / "far"))


@pytest.mark.slow
def test_every_way_carries_the_same(way: Far, here: Path) -> None:
    data = os.urandom(3_000_000)
    (here / "data").write_bytes(data)
    way.good("cp", str(here / "data"), "FAR/data")
    way.good("cp", "FAR/data", str(here / "back"))
    assert (here / "back").read_bytes() == data
    assert Path(way.folder, "data").read_bytes() == data
    assert qga(*way.flags, "cat", f"vm:{way.folder}/data").stdout == data
    way.good("cp", str(here / "data"), "FAR")
    (here / "empty").touch()
    way.good("cp", str(here / "empty"), "FAR/data")
    assert Path(way.folder, "data").read_bytes() == b""
    assert "guest-exec" in way("-v", "cp", "FAR/data", str(here)).err


@pytest.mark.parametrize("folder", ["/", "/dev/shm"])  # one on a disk, one in memory
@pytest.mark.parametrize("blocked", ["guest-exec", "guest-exec-status"])
def test_a_folder_needs_programs(folder: str, blocked: str, tmp_path: Path) -> None:
    with run_local_agent(tmp_path, "agent", "-b", blocked) as running:
        done = qga("-c", f"unix:{running.socket}", "cp", f"vm:{folder}", str(tmp_path))
    assert done.code == 6, done.err
    assert f"copying a folder needs {blocked}, which is blocked by policy" in done.err
    assert f"look for {blocked} in " in done.err


def test_what_was_done_in_another_guest_is_said_to_be_there(tmp_path: Path) -> None:
    with run_local_agent(tmp_path, "one") as running, socket.socket(socket.AF_UNIX) as deaf:
        names = running.socket.name.replace("one", "{vm}")
        host = running.socket.with_name(names)
        deaf.bind(str(host).replace("{vm}", "two"))  # and nobody listens
        done = qga("-c", f"unix:{host}", "mkdir", f"one:{tmp_path}/a", f"two:{tmp_path}/b")
    assert done.code == 8, done.err
    assert done.err.startswith("qga: two: ")
    assert done.err.splitlines()[0].endswith(": mkdir may have run in one")


def test_out_and_in_by_file_commands_alone(fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})
    agent = fake(files)
    done = copy(agent, "-v", "vm:/data", str(here))
    assert done.code == 0, done.err
    assert "no guest-exec" in done.err
    assert (here / "data").read_bytes() == DATA
    assert copy(agent, str(here / "data"), "vm:/copy").code == 0
    assert files.files["/copy"] == DATA
    assert files.open == {}


def test_without_exec_what_needs_it_is_refused_by_name(fake: Start, here: Path) -> None:
    agent = fake(FakeFiles({"/data": DATA}))
    (here / "f").touch()
    for words in (
        ["-p", str(here), "vm:/x"],
        ["--compress", "gzip", str(here / "f"), "vm:/x"],
        ["vm:/etc/.", str(here)],
    ):
        done = copy(agent, *words)
        assert done.code in (1, 6), done.err
    assert qga("-c", agent.uri, "ls", "vm:/").code == 6
    assert "guest-exec" in qga("-c", agent.uri, "rm", "vm:/x").err


def test_nothing_is_allowed_at_all(fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})
    files.blocked |= {f"guest-file-{act}" for act in ("open", "read", "write")}
    done = copy(fake(files), "vm:/data", str(here))
    assert done.code == 6
    assert "blocked by the guest's policy" in done.err
