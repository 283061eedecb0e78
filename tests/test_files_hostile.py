"""Copies from and to agents that lie, or take little: an error, or the right bytes, and no more."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, qga
from tests.fake import AgentFault, FakeAgent, Handler
from tests.fake_files import FakeFiles
from tests.lab.local_agent import agent as run_local_agent
from tests.running import Started, eventually
from tests.test_tar import EVIL, archive, entry

DATA = bytes(range(256)) * 10_000
Start = Callable[[Handler], FakeAgent]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where copies go; beside it, nothing may change."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def copy(agent: FakeAgent, *words: str) -> Ran:
    return qga("-c", agent.uri, "cp", *words)


def test_out_and_in_by_file_commands_alone(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})
    agent = fake(files)
    done = copy(agent, "-v", "vm:/data", str(folder))
    assert done.code == 0, done.err
    assert "no guest-exec" in done.err
    assert (folder / "data").read_bytes() == DATA
    assert copy(agent, str(folder / "data"), "vm:/copy").code == 0
    assert files.files["/copy"] == DATA
    assert files.open == {}


def test_short_writes_are_continued(fake: Start, folder: Path) -> None:
    files = FakeFiles()
    files.most = 1000
    (folder / "data").write_bytes(DATA[:100_000])
    done = copy(fake(files), str(folder / "data"), "vm:/copy")
    assert done.code == 0, done.err
    assert files.files["/copy"] == DATA[:100_000]


def test_a_file_without_size_is_read_to_its_end(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/proc/version": DATA})
    files.twist = lambda name, reply: (
        {**reply, "position": 0} if name == "guest-file-seek" else reply
    )
    assert copy(fake(files), "vm:/proc/version", str(folder)).code == 0
    assert (folder / "version").read_bytes() == DATA


def lie(name: str, **changes: object) -> Callable[[str, Any], Any]:
    return lambda asked, reply: {**reply, **changes} if asked == name else reply


READ, SEEK = "guest-file-read", "guest-file-seek"


class Changing:
    """Other bytes at each reading."""

    def __init__(self) -> None:
        self.turns = 0

    def __call__(self, name: str, reply: Any) -> Any:
        if name != READ or not reply["count"]:
            return reply
        self.turns += 1
        return {**reply, "buf-b64": chr(65 + self.turns % 26) + reply["buf-b64"][1:]}


LIES: dict[str, Callable[[str, Any], Any]] = {
    "a count too large": lie(READ, count=2**40),
    "a count below zero": lie(READ, count=-1),
    "a count of another type": lie(READ, count="all"),
    "no base64": lie(READ, **{"buf-b64": "%%%%"}),
    "more than was asked for": lie(READ, count=2**21, **{"buf-b64": "A" * (2**21 // 3 * 4 + 4)}),
    "a size that no disk has": lie(SEEK, position=2**62),
    "a size below zero": lie(SEEK, position=-5),
    "a size larger than the data": lie(SEEK, position=len(DATA) + 1),
    "other bytes at each reading": Changing(),
    "no handle": lambda name, reply: "h" if name == "guest-file-open" else reply,
    "no reply members": lambda name, reply: {} if name == READ else reply,
}


@pytest.mark.parametrize("case", LIES)
def test_a_lie_leaves_nothing_behind(case: str, fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})
    agent = fake(files)
    files.twist = LIES[case]
    (folder / "data").write_text("old")
    done = copy(agent, "vm:/data", str(folder / "data"))
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    assert "bug" not in done.err
    assert os.listdir(folder) == ["data"]
    assert (folder / "data").read_text() == "old"
    assert os.listdir(folder.parent) == ["agent0.sock", "folder"]


def test_endless_data_ends(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})

    def endless(name: str, reply: Any) -> Any:
        if name == READ:  # from the start again and again
            files.position = dict.fromkeys(files.position, 0)
        return {**reply, "position": 0} if name == SEEK else reply

    files.twist = endless
    done = copy(fake(files), "--max-size", "3M", "vm:/data", str(folder))
    assert done.code == 1
    assert "--max-size" in done.err
    assert os.listdir(folder) == []


def test_an_agent_that_has_forgotten_its_handles_was_restarted(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})
    reads: list[str] = []

    def forget(name: str, reply: Any) -> Any:
        reads.extend([name] * (name == READ))
        if len(reads) == 3:  # one measures the file, one brings a megabyte
            raise AgentFault("handle '1001' has not been found")
        return reply

    files.twist = forget
    agent = fake(files)
    done = copy(agent, "vm:/data", str(folder))
    assert done.code == 5
    assert "the agent was restarted" in done.err
    assert "--resume" in done.err
    files.twist = lambda name, reply: reply
    assert copy(agent, "--resume", "vm:/data", str(folder)).code == 0
    assert (folder / "data").read_bytes() == DATA
    assert os.listdir(folder) == ["data"]


def test_what_is_larger_than_allowed_is_not_begun(fake: Start, folder: Path) -> None:
    done = copy(fake(FakeFiles({"/data": DATA})), "--max-size", "1M", "vm:/data", str(folder))
    assert done.code == 1
    assert "--max-size" in done.err
    assert os.listdir(folder) == []


@pytest.mark.parametrize("count", [-1, 0, 10**9])
def test_a_write_that_lies_is_an_error(count: int, fake: Start, folder: Path) -> None:
    files = FakeFiles()
    files.twist = lie("guest-file-write", count=count)
    (folder / "data").write_bytes(DATA)
    done = copy(fake(files), str(folder / "data"), "vm:/copy")
    assert done.code == 1
    assert files.open == {}


def test_a_write_that_loses_bytes_is_found(fake: Start, folder: Path) -> None:
    files = FakeFiles()
    agent = fake(files)
    files.twist = lambda name, reply: _spoil(files) if name == "guest-file-flush" else reply
    (folder / "data").write_bytes(DATA)
    done = copy(agent, str(folder / "data"), "vm:/copy")
    assert done.code == 1
    assert "not what was sent" in done.err


def _spoil(files: FakeFiles) -> dict[str, object]:
    files.files["/copy"][100] ^= 1
    return {}


def test_without_exec_what_needs_it_is_refused_by_name(fake: Start, folder: Path) -> None:
    agent = fake(FakeFiles({"/data": DATA}))
    (folder / "f").touch()
    for words in (
        ["-p", str(folder), "vm:/x"],
        ["--compress", "gzip", str(folder / "f"), "vm:/x"],
        ["vm:/etc/.", str(folder)],
    ):
        done = copy(agent, *words)
        assert done.code in (1, 6), done.err
    assert qga("-c", agent.uri, "ls", "vm:/").code == 6
    assert "guest-exec" in qga("-c", agent.uri, "rm", "vm:/x").err


def test_nothing_is_allowed_at_all(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})
    files.blocked |= {f"guest-file-{act}" for act in ("open", "read", "write")}
    done = copy(fake(files), "vm:/data", str(folder))
    assert done.code == 6
    assert "blocked by the guest's policy" in done.err


def test_an_interrupted_push_is_completed_by_resume(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/copy": DATA[:1_000_000]})
    written: list[int] = []

    def count(name: str, reply: Any) -> Any:
        if name == "guest-file-write":
            written.append(reply["count"])
        return reply

    files.twist = count
    (folder / "data").write_bytes(DATA)
    agent = fake(files)
    done = copy(agent, "--resume", str(folder / "data"), "vm:/copy")
    assert done.code == 0, done.err
    assert files.files["/copy"] == DATA
    assert sum(written) == len(DATA) - 1_000_000
    files.files["/copy"] = bytearray(b"x" + DATA[1:1_000_000])
    written.clear()
    assert copy(agent, "--resume", str(folder / "data"), "vm:/copy").code == 0
    assert files.files["/copy"] == DATA
    assert sum(written) == len(DATA)


def test_an_interrupted_pull_is_completed_by_resume(fake: Start, folder: Path) -> None:
    files = FakeFiles({"/data": DATA})
    good = folder / (".data." + "0" * 16 + ".qga-part")
    good.write_bytes(DATA[:1_000_000])
    bad = folder / (".data." + "1" * 16 + ".qga-part")
    bad.write_bytes(b"x" * 2_000_000)
    trap = folder / (".data." + "2" * 16 + ".qga-part")
    trap.symlink_to(folder.parent / "victim")
    done = copy(fake(files), "--resume", "--no-verify", "vm:/data", str(folder))
    assert done.code == 0, done.err
    assert (folder / "data").read_bytes() == DATA
    assert sorted(os.listdir(folder)) == [trap.name, "data"]
    assert not (folder.parent / "victim").exists()


@pytest.mark.parametrize("target", ["link", "."])
def test_a_link_at_the_target_is_replaced_not_followed(
    target: str, fake: Start, folder: Path
) -> None:
    victim = folder.parent / "victim"
    victim.write_text("old")
    (folder / "link").symlink_to(victim)
    agent = fake(FakeFiles({"/link": DATA}))
    assert copy(agent, "vm:/link", str(folder / target)).code == 0
    assert victim.read_text() == "old"
    assert (folder / "link").read_bytes() == DATA
    assert not (folder / "link").is_symlink()


def test_a_tail_of_a_size_that_no_disk_has_can_be_stopped(fake: Start) -> None:
    files = FakeFiles({"/log": DATA})

    def lie(name: str, reply: Any) -> Any:
        if name == SEEK and reply["position"] == len(DATA):
            return {**reply, "position": 2**62}
        # Were there nothing to read at all, it would be over at once.
        return {**reply, "count": 1, "buf-b64": "eA=="} if name == READ else reply

    files.twist = lie
    agent = fake(files)
    tail = Started("-c", agent.uri, "tail", "vm:/log")
    assert eventually(lambda: len(agent.requests) > 50)
    tail.signal(signal.SIGINT)
    assert tail.end()[0] == 130


def test_a_guest_whose_tar_is_evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: a real agent whose `tar` writes archives that lead out of the folder."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    for path in (tmp_path / "bin", tmp_path / "far", outside, folder):
        path.mkdir()
    tar = tmp_path / "bin" / "tar"
    tar.write_text(f'#!/bin/sh\n[ "$1" = --version ] || cat {tmp_path}/archive\n')
    tar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tar.parent}:{os.environ['PATH']}")
    with run_local_agent(tmp_path, "evil") as agent:
        for case in ("above", "absolute", "through a link", "a hard link through a link"):
            entries = [
                entry(info.name, info.type, linkname=info.linkname.replace("OUT", str(outside)))
                for info in EVIL[case]
            ]
            (tmp_path / "archive").write_bytes(archive(*entries))
            done = qga("-c", f"unix:{agent.socket}", "cp", f"vm:{tmp_path}/far", str(folder))
            assert done.code == 1, case
            assert "the guest's archive" in done.err
            assert os.listdir(folder) == os.listdir(outside) == []
        (tmp_path / "archive").write_bytes(archive(entry("good")))
        words = ("-c", f"unix:{agent.socket}", "cp", f"vm:{tmp_path}/far", str(folder))
        assert qga(*words).code == 0  # it is this tar that is used
        assert os.listdir(folder / "far") == ["good"]
