"""Copies from and to agents that lie, or take little: an error, or the right bytes, and no more."""

import base64
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import BadReply, FileError
from qga_cli.files.guest import facts
from qga_cli.files.guest.access import Access
from tests.kit.command import qga
from tests.kit.fake_files import DATA, READ, SEEK, FakeFiles, Start, copy
from tests.kit.running import Started, eventually
from tests.kit.trees import EVIL, archive, entry
from tests.lab.local_agent import agent as run_local_agent


def test_short_writes_are_continued(fake: Start, here: Path) -> None:
    files = FakeFiles()
    files.most = 1000
    (here / "data").write_bytes(DATA[:100_000])
    done = copy(fake(files), str(here / "data"), "vm:/copy")
    assert done.code == 0, done.err
    assert files.files["/copy"] == DATA[:100_000]


def test_a_file_without_size_is_read_to_its_end(fake: Start, here: Path) -> None:
    files = FakeFiles({"/proc/version": DATA})
    files.twist = lambda name, reply: (
        {**reply, "position": 0} if name == "guest-file-seek" else reply
    )
    assert copy(fake(files), "vm:/proc/version", str(here)).code == 0
    assert (here / "version").read_bytes() == DATA


def lie(name: str, **changes: object) -> Callable[[str, Any], Any]:
    return lambda asked, reply: {**reply, **changes} if asked == name else reply


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


@pytest.mark.slow
@pytest.mark.parametrize("case", LIES)
def test_a_lie_leaves_nothing_behind(case: str, fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})
    agent = fake(files)
    files.twist = LIES[case]
    (here / "data").write_text("old")
    done = copy(agent, "vm:/data", str(here / "data"))
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    assert "bug" not in done.err
    assert os.listdir(here) == ["data"]
    assert (here / "data").read_text() == "old"
    assert sorted(os.listdir(here.parent)) == ["agent0.sock", "here"]


def test_endless_data_ends(fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})

    def endless(name: str, reply: Any) -> Any:
        if name == READ:  # from the start again and again
            files.position = dict.fromkeys(files.position, 0)
        return {**reply, "position": 0} if name == SEEK else reply

    files.twist = endless
    done = copy(fake(files), "--max-size", "3M", "vm:/data", str(here))
    assert done.code == 1
    assert "--max-size" in done.err
    assert os.listdir(here) == []


def test_what_is_larger_than_allowed_is_not_begun(fake: Start, here: Path) -> None:
    done = copy(fake(FakeFiles({"/data": DATA})), "--max-size", "1M", "vm:/data", str(here))
    assert done.code == 1
    assert "--max-size" in done.err
    assert os.listdir(here) == []


@pytest.mark.parametrize("count", [-1, 0, 10**9])
def test_a_write_that_lies_is_an_error(count: int, fake: Start, here: Path) -> None:
    files = FakeFiles()
    files.twist = lie("guest-file-write", count=count)
    (here / "data").write_bytes(DATA)
    done = copy(fake(files), str(here / "data"), "vm:/copy")
    assert done.code == 1
    assert files.open == {}


def test_a_write_that_loses_bytes_is_found(fake: Start, here: Path) -> None:
    files = FakeFiles()
    agent = fake(files)
    files.twist = lambda name, reply: _spoil(files) if name == "guest-file-flush" else reply
    (here / "data").write_bytes(DATA)
    done = copy(agent, str(here / "data"), "vm:/copy")
    assert done.code == 1
    assert "not what was sent" in done.err


def _spoil(files: FakeFiles) -> dict[str, object]:
    files.files["/copy"][100] ^= 1
    return {}


@pytest.mark.parametrize("target", ["link", "."])
def test_a_link_at_the_target_is_replaced_not_followed(
    target: str, fake: Start, here: Path
) -> None:
    victim = here.parent / "victim"
    victim.write_text("old")
    (here / "link").symlink_to(victim)
    agent = fake(FakeFiles({"/link": DATA}))
    assert copy(agent, "vm:/link", str(here / target)).code == 0
    assert victim.read_text() == "old"
    assert (here / "link").read_bytes() == DATA
    assert not (here / "link").is_symlink()


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
    assert tail.end()[0] == -signal.SIGINT


def test_a_link_that_was_followed_is_none() -> None:
    said = SimpleNamespace(code=0, stdout=b"a1ff 4 0 0 0 1.5", stderr=b"")
    access: Any = SimpleNamespace(attempt=lambda *_: said, lie=BadReply)
    assert facts.ask(access, "/link", follow=False).kind == "link"
    with pytest.raises(BadReply, match="found a link"):
        facts.ask(access, "/link", follow=True)


def test_a_time_that_no_clock_has_is_a_lie() -> None:
    """With -p it was an OverflowError, which took a fleet's other copies with it."""
    said = SimpleNamespace(code=0, stdout=b"81a4 4 0 0 0 99999999999999999999.5", stderr=b"")
    access: Any = SimpleNamespace(attempt=lambda *_: said, lie=BadReply)
    with pytest.raises(BadReply, match="makes no sense"):
        facts.ask(access, "/f", follow=True)


@pytest.mark.parametrize("owner", ["4294967295", "0:4294967296", "9" * 5000])
def test_a_number_that_no_user_has_is_no_owner(fake: Start, here: Path, owner: str) -> None:
    agent = fake(FakeFiles({"/data": DATA}))
    done = copy(agent, "--owner", owner, "vm:/data", str(here / "f"))
    assert done.code == 2, done.err
    assert "--owner" in done.err
    assert os.listdir(here) == []


def test_a_list_has_an_end() -> None:
    def stream(text: str, *words: str, stdout: Callable[[bytes], object]) -> Any:
        stdout(text.encode())
        return SimpleNamespace(code=0)

    access: Any = SimpleNamespace(stream=stream, target=None)
    assert Access.collect(access, "x" * 1000, "/etc", most=1000) == b"x" * 1000
    with pytest.raises(FileError, match="/etc: more than 0 MiB of names"):
        Access.collect(access, "x" * 1001, "/etc", most=1000)


@pytest.mark.slow
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


@pytest.mark.parametrize("words", [("vm:/l/",), ("-L", "vm:/l")])
def test_a_link_that_stat_claims_to_have_followed(
    words: tuple[str, ...], fake: Start, here: Path
) -> None:
    files = FakeFiles()
    files.blocked = set()
    told = base64.b64encode(b"a1ff 5 0 0 0 0.0\n").decode()  # S_IFLNK
    lies = {
        "guest-exec": {"pid": 7},
        "guest-exec-status": {"exited": True, "exitcode": 0, "out-data": told},
    }
    agent = fake(lambda asked: lies.get(str(asked["execute"])) or files(asked))
    done = copy(agent, *words, str(here))
    assert (done.code, done.err) == (
        1, f"qga: vm: stat followed {words[-1][3:]} and found a link\n",
    )  # fmt: skip
    asked = [str(request["execute"]) for request in agent.requests]
    assert set(asked[2:]) == {"guest-exec-status"}  # nothing was tried with it
    assert qga("-c", agent.uri, "edit", "vm:/l", env={"VISUAL": "true"}).err.endswith(" a link\n")
    assert os.listdir(here) == []


def test_no_room_at_all_is_not_all_the_room_there_is(fake: Start, here: Path) -> None:
    """--max-size 0, as of a disk that is full, let any size come."""
    done = copy(fake(FakeFiles({"/data": DATA})), "--max-size", "0", "vm:/data", str(here / "f"))
    assert done.code == 2
    assert "--max-size" in done.err
    assert os.listdir(here) == []
