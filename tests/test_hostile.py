"""A guest that answers nonsense, or worse: one clear error, the right code, nothing on the screen
that a guest could use, never a traceback."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import qga, qga_tty
from tests.fake import AgentFault, FakeAgent, Hangup, Raw, Silence

Make = Callable[..., FakeAgent]

NONSENSE: dict[str, object] = {
    "not json": Raw(b"hello\n"),
    "binary": Raw(bytes(range(0x80, 0xFF)) + b"\n"),
    "empty line": Raw(b"\n"),
    "not an object": Raw(b"[1, 2]\n"),
    "neither return nor error": Raw(b'{"id": 1}\n'),
    "NaN": Raw(b'{"return": NaN}\n'),
    "infinity": Raw(b'{"return": [{"x": -Infinity}]}\n'),
    "deep nesting": Raw(b'{"return": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
    "unclosed": Raw(b'{"return": {\n'),
    "duplicate keys": Raw(b'{"return": 1, "return": null}\n'),
    "huge integer": Raw(b'{"return": ' + b"9" * 5000 + b"}\n"),
    "null": None,
    "text": "surprise",
    "wrong list": [1, 2, 3],
    "null member": [{"name": None, "mountpoint": "/", "type": "ext4", "disk": []}],
    "wrong member": [{"name": "a", "mountpoint": {}, "type": "ext4", "disk": []}],
    "bool for integer": [
        {"name": "a", "mountpoint": "/", "type": "x", "disk": [], "used-bytes": True}
    ],
    "integer out of range": [
        {"name": "a", "mountpoint": "/", "type": "x", "disk": [], "used-bytes": 2**70}
    ],
    "missing member": [{"name": "a", "type": "ext4", "disk": []}],
    "object for list": {"0": {}},
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_one_clear_error(fake: Make, kind: str) -> None:
    agent = fake(lambda request: NONSENSE[kind])
    ran = qga("-c", agent.uri, "fs", "list", "x", timeout=20)
    assert ran.code == 1, ran.err
    assert ran.stdout == b""
    assert re.fullmatch(r"qga: x: [^\n]{10,300}\n(hint: [^\n]+\n)?", ran.err), ran.err


def test_a_line_too_long_is_refused_in_bounded_memory(fake: Make) -> None:
    agent = fake(lambda request: Raw(b'{"return": "' + b"x" * (100 << 20) + b'"}\n'))
    ran = qga("-c", agent.uri, "fs", "list", "x")
    assert (ran.code, ran.stdout) == (1, b"")
    assert "longer than 72 MiB" in ran.err


def test_new_members_survive_in_json(fake: Make) -> None:
    row = {"name": "a", "mountpoint": "/", "type": "x", "disk": [], "brand-new": {"a": [1]}}
    agent = fake(lambda request: [row])
    ran = qga("-c", agent.uri, "fs", "list", "x", "-o", "json")
    assert json.loads(ran.out) == [row]


def test_an_error_without_words(fake: Make) -> None:
    agent = fake(lambda request: Raw(b'{"error": {}}\n'))
    ran = qga("-c", agent.uri, "fs", "list", "x")
    assert (ran.code, ran.err) == (1, "qga: x: unspecified error\n")


def test_hangup_in_mid_call_of_a_command_that_changes_something(fake: Make) -> None:
    agent = fake(lambda request: Hangup())
    ran = qga("-c", agent.uri, "fs", "thaw", "x")
    assert ran.code == 8
    assert "closed before it replied" in ran.err


def test_silence_ends_at_the_timeout(fake: Make) -> None:
    agent = fake(lambda request: Silence())
    ran = qga("-c", agent.uri, "--timeout", "300ms", "fs", "thaw", "x", timeout=10)
    assert ran.code == 124
    assert "it may have run" in ran.err


EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b]8;;http://x\x1b\\link\x1b]52;c;cm0=\x07\x1bP1$r\x1b\\"
    "\x9b31m[red]markup[/red]\u202egpj.exe\u200b\u2066\x00\x08\r\n\tend" + "x" * 5000
)
DANGER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")  # the only sequences that our own tables use


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


def test_error_text_from_the_guest_is_harmless(fake: Make) -> None:
    def refuse(request: dict[str, object]) -> object:
        raise AgentFault(EVIL)

    ran = qga("-c", fake(refuse).uri, "fs", "list", "x")
    assert ran.code == 1
    assert not DANGER.search(ran.err)
    assert ran.err.count("\n") == 1
    assert len(ran.err) < 2000


def test_a_lone_surrogate_leaves_json_valid(fake: Make) -> None:
    agent = fake(lambda request: Raw(b'{"return": {"id": "a\\ud800b"}}\n'))
    ran = qga("-c", agent.uri, "os", "info", "x", "-o", "json")
    assert json.loads(ran.stdout.decode("utf-8")) == {"id": "a\ud800b"}


def test_nothing_is_left_in_a_socket_template_that_a_name_could_abuse(tmp_path: Path) -> None:
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "ping", "../../etc/passwd")
    assert ran.code == 4
