"""Text from a guest, or from a host's list of guests: nothing of it reaches a terminal alive."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli import render
from qga_cli.errors import QgaError
from tests.kit.command import qga, qga_tty
from tests.kit.evil import DANGER, EVIL, SGR
from tests.kit.fake import AgentFault, FakeAgent, Raw, left_socket

Make = Callable[..., FakeAgent]


@pytest.mark.parametrize("output", ["table", "tsv", "csv", "yaml", "json", "jsonl"])
def test_text_from_the_guest_does_not_reach_the_terminal_alive(fake: Make, output: str) -> None:
    row = {"name": EVIL, "mountpoint": EVIL, "type": EVIL, "disk": []}
    agent = fake(lambda request: [row, row])
    ran = qga_tty("-c", agent.uri, "fs", "list", "x", "-o", output)
    assert ran.code == 0
    assert not DANGER.search(SGR.sub("", ran.out)), output
    assert "[red]" in ran.out, "markup is text"
    if output in ("tsv", "csv"):
        assert len(ran.out.splitlines()) == 3, "a newline from the guest made a row"
    if output == "json":
        assert json.loads(ran.out) == [row, row]


RAW = '{"return": {"host-name": "a\x7f\x9b31m\u202e"}}'


@pytest.mark.parametrize(
    "words",
    [
        ("raw", "agent0", "guest-get-host-name"),
        ("os", "hostname", "agent0", "-o", "raw"),
        ("os", "hostname", "agent0,agent0", "-o", "raw"),
        ("batch", "agent0"),
    ],
)
def test_what_goes_through_to_the_letter_does_not_reach_a_terminal(
    fake: Make, words: tuple[str, ...]
) -> None:
    agent = fake(lambda request: Raw(f"{RAW}\n".encode()))
    connect = ("-c", f"unix:{agent.path.parent}/{{vm}}.sock")
    ran = qga_tty(*connect, *words, stdin=b"guest-get-host-name\n")
    assert ran.out == '{"return": {"host-name": "a\\u007f\\u009b31m\\u202e"}}\n'
    assert RAW in qga(*connect, *words, stdin=b"guest-get-host-name\n").out


def test_error_text_from_the_guest_is_harmless(fake: Make) -> None:
    def refuse(request: dict[str, object]) -> object:
        raise AgentFault(EVIL)

    ran = qga("-c", fake(refuse).uri, "fs", "list", "x")
    assert ran.code == 1
    assert not DANGER.search(ran.err)
    assert ran.err.count("\n") == 1
    assert len(ran.err) < 2000


def test_nothing_of_an_error_is_alive(capsys: pytest.CaptureFixture[str]) -> None:
    text = render.error_text(QgaError(EVIL, hint=EVIL), EVIL[:99])
    assert (text.count("\n"), len(text) < 2000) == (2, True)
    render.note(EVIL)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not DANGER.search(text + said)


@pytest.mark.parametrize(
    "words",
    ["os hostname", "os hostname --gather", "os hostname -o jsonl", "os hostname -vv", "fs thaw"],
)
def test_guests_with_names_like_that(tmp_path: Path, words: str) -> None:
    name = "a\x1b[2Jb\u202e"
    value = {"host-name": EVIL} if "hostname" in words else 1
    agent = FakeAgent(tmp_path / f"{name}.sock", lambda request: value)
    left_socket(tmp_path / f"{name}dead.sock")
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", *words.split(), "*")
    agent.close()
    assert ran.code == 123
    assert not DANGER.search(ran.out + ran.err)
    spelled = "a\\u001b[2Jb" if "jsonl" in words else "a\\x1b[2Jb"
    assert spelled in ran.out
    assert "jsonl" in words or spelled + "\\u202edead" in ran.err


def test_a_lone_surrogate_leaves_json_valid(fake: Make) -> None:
    agent = fake(lambda request: Raw(b'{"return": {"id": "a\\ud800b"}}\n'))
    ran = qga("-c", agent.uri, "os", "info", "x", "-o", "json")
    assert json.loads(ran.stdout.decode("utf-8")) == {"id": "a\ud800b"}


def test_nothing_is_left_in_a_socket_template_that_a_name_could_abuse(tmp_path: Path) -> None:
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "ping", "../../etc/passwd")
    assert ran.code == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cp", "--explain", b"f\xff\x1b[2J", "web1:/x"], ": f\\xff\\x1b[2J to web1:/x"),
        (["exec", "--explain", "web1", "--", "cat", b"a\xff"], ": web1 cat 'a\\xff'"),
    ],
)
def test_what_is_no_text_is_explained_too(words: list[str | bytes], told: str) -> None:
    """A file's name was "a bug in qga", a program's word an error, though exec passes it on."""
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    ran = subprocess.run(
        [sys.executable, "-m", "qga_cli", *words], capture_output=True, env=strict, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert told in ran.stdout.decode()
    assert b"guest-exec" in ran.stdout


def test_names_from_the_host_s_list_are_harmless_in_an_explanation(
    fake: Make, tmp_path: Path
) -> None:
    left_socket(tmp_path / "a\x1b[2Jb\u202e\n.sock")
    left_socket(tmp_path / "\udcff.sock")
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "ping", "*", "--explain")
    assert (ran.code, ran.err) == (0, "")
    assert not DANGER.search(ran.out)
    assert "/a\\x1b[2Jb\\u202e\\n.sock" in ran.out
    assert "/\\xff.sock" in ran.out
