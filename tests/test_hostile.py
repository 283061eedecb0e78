"""A guest that answers nonsense, or worse: one clear error, the right code, bounded time and
memory, never a traceback."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from qga_cli.errors import BadReply, QgaError
from qga_cli.exec.calls import AgentCalls
from qga_cli.exec.exit_status import failure, outcome
from qga_cli.exec.keeper import Keeper
from qga_cli.exec.outputs import Stream
from tests.kit.command import qga, qga_tty
from tests.kit.fake import FakeAgent, Hangup, Raw, Silence

Make = Callable[..., FakeAgent]

NONSENSE: dict[str, object] = {
    "not json": Raw(b"hello\n"),
    "binary": Raw(bytes(range(0x80, 0xFF)) + b"\n"),
    "empty line": Raw(b"\n"),
    "not an object": Raw(b"[1, 2]\n"),
    "neither return nor error": Raw(b'{"id": 1}\n'),
    "NaN": Raw(b'{"return": NaN}\n'),
    "infinity": Raw(b'{"return": [{"x": -Infinity}]}\n'),
    "a number beyond all bounds": Raw(b'{"return": [{"x": 1e400}]}\n'),
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
    ran = qga("-c", agent.uri, "fs", "list", "x")
    assert ran.code == 1, ran.err
    assert ran.stdout == b""
    assert re.fullmatch(r"qga: x: [^\n]{10,300}\n(hint: [^\n]+\n)?", ran.err), ran.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "limit"), [(("fs", "list", "x"), 8), (("file", "read", "x", "1"), 72)]
)
def test_a_line_too_long_is_refused_in_bounded_memory(
    fake: Make, words: tuple[str, ...], limit: int
) -> None:
    agent = fake(lambda request: Raw(b'{"return": "' + b"x" * (100 << 20) + b'"}\n'))
    ran = qga("-c", agent.uri, *words)
    assert (ran.code, ran.stdout) == (1, b"")
    assert f"longer than {limit} MiB" in ran.err


LOAD = {"load1m": 0.5, "load15m": 1}


@pytest.mark.parametrize("wide", [10**400, 2**64])
def test_a_number_wider_than_the_wire_has(fake: Make, wide: int) -> None:
    ran = qga("-c", fake(lambda request: {**LOAD, "load5m": wide}).uri, "cpu", "load", "x")
    assert (ran.code, ran.out) == (1, "")
    assert "load5m should be a number, is out of range" in ran.err


ROUTE = {"iface": "e", "destination": "10.0.0.0", "metric": 0, "version": 4}


@pytest.mark.parametrize(
    ("words", "value", "shown"),
    [
        (("net", "routes", "x"), [{**ROUTE, "mask": "9" * 5000 + ".255.\u0665"}], "10.0.0.0/8"),
        (("os", "devices", "x"), [{"driver-name": "qx", "id": {"type": "pci", "vendor-id": 7}}],
         "qx"),
        (("memory", "set", "x", "1=off"), [{"phys-index": 1, "response": "operation-failed",
                                            "error-code": 2**40}], f"error {2**40}"),
    ],
)  # fmt: skip
def test_what_is_odd_and_fits_its_type_is_shown(
    fake: Make, words: tuple[str, ...], value: object, shown: str
) -> None:
    ran = qga("-c", fake(lambda request: value).uri, *words)
    assert (ran.code, ran.err) == (words[0] == "memory", "")  # 1: the guest did not do it
    assert shown in ran.out


@pytest.mark.parametrize(
    "end", [{"exitcode": code} for code in (256, 300, -1, 2**62)] + [{"signal": 0xC0000005}]
)
def test_no_exit_code_wraps_around_to_success(fake: Make, end: dict[str, int]) -> None:
    agent = fake(lambda request: {"exited": True, **end})
    assert qga("-c", agent.uri, "exec-status", "x", "7").code == 255


INFO = {
    "version": "9.1.0",
    "supported_commands": [
        {"name": name, "enabled": True, "success-response": True}
        for name in ("guest-info", "guest-exec", "guest-exec-status", "guest-file-open",
                     "guest-file-close", "guest-file-read", "guest-file-seek", "guest-file-write",
                     "guest-file-flush")
    ],
}  # fmt: skip
LIAR: dict[str, object] = {
    "guest-info": INFO,
    "guest-file-open": 1,
    "guest-file-read": {"count": 5, "buf-b64": "", "eof": False},
    "guest-exec": {"pid": 7},
    "guest-exec-status": {"exited": True, "exitcode": 0},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("doctor", "x"), 1),
        (("wait", "x", "--for", "port:22", "--timeout", "2s"), 1),
        (("cp", __file__, "x:/tmp/f"), 1),
        (("tail", "x:/f"), 1),
    ],
)
def test_lies_about_files_and_programs_have_an_end(
    fake: Make, words: tuple[str, ...], code: int
) -> None:
    agent = fake(lambda request: LIAR.get(str(request["execute"]), {}))
    ran = qga("-c", agent.uri, *words)
    assert ran.code == code, ran.err
    assert "bug in qga" not in ran.err
    assert "the agent was asked for" in ran.out + ran.err or words[0] in ("cp", "tail")
    assert len(agent.requests) < 100


def test_a_file_that_says_it_is_endless_and_is_empty(fake: Make) -> None:
    def lie(request: dict[str, Any]) -> object:
        if request["execute"] == "guest-file-read":
            return {"count": 0, "buf-b64": "", "eof": True}
        if request["execute"] == "guest-file-seek":
            return {"position": request["arguments"]["offset"] or 2**62, "eof": False}
        return LIAR.get(request["execute"], {})

    agent = fake(lie)
    ran = qga("-c", agent.uri, "tail", "x:/f")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert len(agent.requests) < 30


def test_a_helper_that_never_ends_is_given_up() -> None:
    class Stuck(AgentCalls):
        def __init__(self) -> None:
            """It has no agent."""

        def start(self, argv: Sequence[str], **_: object) -> int:
            return 7

        def status(self, pid: int) -> dict[str, object]:
            return {"exited": False}

        def finish(self, pid: int, seconds: float = 0.1) -> Mapping[str, object]:
            return super().finish(pid, seconds)

    keeper = Keeper(Stuck(), 1, "mark", spools=False, stdin=False)
    with pytest.raises(QgaError, match="does not end"):
        keeper.tell("beat")


def test_an_exit_code_that_no_shell_has_is_none() -> None:
    for line in ("1234 killed", "-1", ""):
        with pytest.raises(BadReply):
            outcome(line)
    assert outcome("255") == (255, None)
    assert [outcome(code) for code in ("265", "393")] == [(None, 9)] * 2  # ksh93's and yash's


def test_what_a_shell_of_ours_complains_of_is_told() -> None:
    """A guest with no process left was said to have killed it."""
    said = failure("df", 2, b"qga-0123: 1: Cannot fork\n")
    assert said.message.endswith("has failed in the guest: Cannot fork")
    assert "was killed" in failure("df", None, b"").message


def test_the_end_of_a_program_has_an_end() -> None:
    with pytest.raises(BadReply):
        Stream(bytearray().extend, b"MARK").feed(b"MARK" + b"0" * 70_000)


@pytest.mark.slow
def test_a_table_of_a_million_rows_is_cut(fake: Make) -> None:
    agent = fake(lambda request: [{"logical-id": 1, "online": True}] * 2500)
    ran = qga_tty("-c", agent.uri, "cpu", "list", "x")
    assert len(ran.out.splitlines()) == 2002
    assert ran.out.endswith("... 500 more; -o tsv prints them all\n")
    assert len(qga("-c", agent.uri, "cpu", "list", "x").out.splitlines()) == 2501


def test_broken_base64_of_one_guest_hides_no_other(fake: Make) -> None:
    ends = iter(("QUJD", "Q", "QUJD"))
    agents = [
        fake(lambda request: {"count": 3, "buf-b64": next(ends), "eof": True}) for _ in range(3)
    ]
    words = ("-c", f"unix:{agents[0].path.parent}/{{vm}}.sock", "file", "read", "*", "7")
    ran = qga(*words, "-o", "json", "--parallel", "1")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 123
    assert [line.get("return", {}).get("buf-b64") for line in lines] == ["ABC", None, "ABC"]
    assert "broken base64" in lines[1]["error"]["message"]


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
    ran = qga("-c", agent.uri, "--timeout", "300ms", "fs", "thaw", "x")
    assert ran.code == 124
    assert "it may have run" in ran.err
