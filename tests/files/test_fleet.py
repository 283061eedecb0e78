"""cp from and to many guests: as with every other command, each is tried, and told of by name."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command import Ran, qga
from tests.kit.fake import FakeAgent
from tests.kit.fake_files import DATA, FakeFiles

Cp = Callable[..., Ran]


@pytest.fixture
def guests(tmp_path: Path) -> Iterator[dict[str, FakeFiles]]:
    """Two guests, a and b, with a file each."""
    found = {name: FakeFiles({"/data": name.encode() * 100, "/big": DATA}) for name in "ab"}
    agents = [FakeAgent(tmp_path / f"{name}.sock", files) for name, files in found.items()]
    yield found
    for agent in agents:
        agent.close()


@pytest.fixture
def cp(tmp_path: Path) -> Cp:
    return lambda *words: qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "cp", *words)


def gone(path: Path) -> None:
    """A socket that nobody listens on any more."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.slow
def test_to_many_the_same_and_from_many_a_folder_each(
    guests: dict[str, FakeFiles], cp: Cp, here: Path
) -> None:
    (here / "f").write_bytes(DATA)
    ran = cp(str(here / "f"), "a,b:/copy")
    assert (ran.code, ran.out, ran.err) == (0, "", "qga: 2 ok\n")
    assert [files.files["/copy"] for files in guests.values()] == [DATA, DATA]
    assert cp("a,b:/data", "a,b:/big", str(here)).code == 0
    for name in "ab":
        assert (here / name / "data").read_text() == name * 100
        assert (here / name / "big").read_bytes() == DATA
    assert cp("a:/data", "a,b:/from-a").code == 0
    assert [files.files["/from-a"] for files in guests.values()] == [b"a" * 100] * 2


def test_each_is_a_line_of_json(guests: dict[str, FakeFiles], cp: Cp, here: Path) -> None:
    del guests["a"].files["/data"]
    ran = cp("-o", "jsonl", "a,b:/data", str(here))
    assert ran.code == 123
    first, second = map(json.loads, ran.out.splitlines())
    assert (first["vm"], first["error"]["message"]) == ("a", "/data: No such file or directory")
    assert second == {"vm": "b", "return": None}
    assert os.listdir(here / "b") == ["data"]


@pytest.mark.slow
def test_order_and_how_many_at_a_time(guests: dict[str, FakeFiles], cp: Cp, here: Path) -> None:
    def slow(name: str, reply: Any) -> Any:
        time.sleep(0.3 * (name == "guest-file-open"))
        return reply

    guests["a"].twist = slow
    for words, order in (("--as-completed", "ba"), ("", "ab"), ("--as-completed -j1", "ab")):
        ran = cp(*words.split(), "-o", "jsonl", "a,b:/data", str(here))
        assert [json.loads(line)["vm"] for line in ran.out.splitlines()] == list(order), words


def test_fail_fast_begins_no_further_one(
    guests: dict[str, FakeFiles], cp: Cp, here: Path, tmp_path: Path
) -> None:
    gone(tmp_path / "0.sock")
    ran = cp("--fail-fast", "-j1", "0,a,b:/data", str(here))
    assert ran.code == 123
    assert ran.err.splitlines()[-1] == "qga: 1 failed (0: unreachable), 2 not finished"
    assert not (here / "b").exists()


def test_guests_that_fail_among_many_are_told_as_everywhere(tmp_path: Path, cp: Cp) -> None:
    for name in "ab":
        gone(tmp_path / f"{name}.sock")
    ran = cp(__file__, "a,b:/tmp/")
    assert ran.code == 123
    lines = ran.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["qga", "hint", "qga", "qga"]
    assert lines[-1] == "qga: 2 failed (a,b: unreachable)"


def test_a_guest_is_named_once(guests: dict[str, FakeFiles], cp: Cp, here: Path) -> None:
    ran = cp("-v", "a,b:/none", str(here))
    assert ran.code == 123
    assert "qga: a: /none: No such file or directory\n" in ran.err
    assert "qga: b: file commands only, no guest-exec\n" in ran.err
    assert "qga: a: a: " not in ran.err
    assert "qga: b: b: " not in ran.err


@pytest.mark.parametrize(
    "words",
    [("a,b:/x", "b,a:/y"), ("a,b:/x", "-"), ("-", "a,b:/x"), ("a,b:/x", "/none"),
     ("a,b:/x", "a:/y"), ("a,b:/x",)],
)  # fmt: skip
def test_what_cannot_be_done_with_many_is_not_begun(
    words: tuple[str, ...], guests: dict[str, FakeFiles], cp: Cp
) -> None:
    ran = cp(*words)
    assert ran.code == 2
    assert len(ran.err.splitlines()) <= 2
    assert all(not files.position for files in guests.values())
