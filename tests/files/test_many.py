"""cat, tail, ls, mkdir, mv and rm in many guests: each is tried, and told of by name."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.command import Ran, qga, qga_tty
from tests.kit.running import Started
from tests.lab.local_agent import agent as run_local_agent


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[str]:
    """Two agents, a and b, of this one machine."""
    with run_local_agent(tmp_path, "a"), run_local_agent(tmp_path, "b"):
        yield f"unix:{tmp_path}/{{vm}}.sock"


@pytest.fixture
def run(connect: str) -> Callable[..., Ran]:
    return lambda *words: qga("-c", connect, *words)


def test_text_has_the_guest_in_front(run: Callable[..., Ran], here: Path) -> None:
    (here / "f").write_text("1\n2")
    for words, lines in (
        (["cat", f"a,b:{here}/f"], ["a: 1", "a: 2", "b: 1", "b: 2"]),
        (["tail", "-n", "1", f"a,b:{here}/f"], ["a: 2", "b: 2"]),
        (["ls", f"a,b:{here}"], ["a: f", "b: f"]),
    ):
        ran = run(*words)
        assert (sorted(ran.out.splitlines()), ran.err) == (lines, "qga: 2 ok\n")


def test_rows_have_a_column_for_it(run: Callable[..., Ran], here: Path) -> None:
    (here / "f").touch()
    rows = [line.split("\t") for line in run("ls", "-l", f"a,b:{here}").out.splitlines()]
    assert [(row[0], row[-2]) for row in rows] == [("vm", "name"), ("a", "f"), ("b", "f")]
    told = map(json.loads, run("ls", "-o", "jsonl", f"a,b:{here}").out.splitlines())
    assert [(each["vm"], each["return"][0]["name"]) for each in told] == [("a", "f"), ("b", "f")]


@pytest.mark.slow
def test_changes(run: Callable[..., Ran], here: Path) -> None:
    assert run("mkdir", "-p", f"a,b:{here}/d/e", f"a,b:{here}/d/f").err == "qga: 2 ok\n"
    assert sorted(os.listdir(here / "d")) == ["e", "f"]
    ran = run("-j1", "mv", f"a,b:{here}/d/e", f"a,b:{here}/e")  # the second finds it moved
    first, last = ran.err.splitlines()
    assert (ran.code, last) == (123, "qga: 1 ok, 1 failed (b: refused)")
    assert first.startswith(f"qga: b: mv: cannot stat '{here}/d/e'")
    assert run("rm", "-rf", f"a,b:{here}/d", f"a,b:{here}/e").code == 0
    assert os.listdir(here) == []
    ran = run("rm", f"a:{here}/1", f"a:{here}/2")
    assert (
        ran.err == f"qga: a: rm: cannot remove '{here}/1': No such file or directory (and 1 more)\n"
    )


@pytest.mark.parametrize(
    "words",
    [("cat", "a,b:/x", "a:/x"), ("rm", "a,b:/x", "*:/x"), ("mv", "a,b:/x", "/x"),
     ("mv", "a,b:/x", "a:/x"), ("mkdir", "a,b:")],
)  # fmt: skip
def test_a_mixture_is_not_begun(run: Callable[..., Ran], words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert (ran.code, "No such file" in ran.err) == (2, False)


def test_edit_takes_one(connect: str) -> None:
    ran = qga("-c", connect, "edit", "a,b:/etc/hosts", env={"VISUAL": "true"})
    assert (ran.code, "only one is possible" in ran.err) == (2, True)


def test_tail_follows_them_until_a_signal(connect: str, here: Path) -> None:
    (here / "log").write_text("1\n")
    started = Started("-c", connect, "tail", "-f", f"a,b:{here}/log")
    assert sorted([started.line(), started.line()]) == ["a: 1", "b: 1"]
    with open(here / "log", "a") as log:
        log.write("2\n")
    assert sorted([started.line(), started.line()]) == ["a: 2", "b: 2"]
    started.signal(signal.SIGINT)
    assert started.end() == (-signal.SIGINT, "", "qga: interrupted: 2 ok\n")


def test_a_terminal_gets_no_control_characters_of_a_stranger(connect: str, here: Path) -> None:
    (here / "f").write_text("\x1b[31mred\n")
    assert "a: \\x1b[31mred\n" in qga_tty("-c", connect, "cat", f"a,b:{here}/f").out


def test_line_ends_of_windows_are_line_ends_on_a_terminal(connect: str, here: Path) -> None:
    (here / "f").write_bytes(b"one\r\nt\rwo\r\n\r")
    shown = qga_tty("-c", connect, "cat", f"a:{here}/f").out
    assert shown == "one\nt\\rwo\n\\r"
