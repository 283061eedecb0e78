"""Secrets stay where they were put: no trace, no process, no file shows them."""

import base64
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli import wire
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler, Hangup, Raw, Silence
from tests.kit.secret import CANARY, SET, SHOWN

Make = Callable[[Handler], FakeAgent]


def test_no_trace_shows_it(fake: Make) -> None:
    def refuse(request: dict[str, object]) -> object:
        raise AgentFault("child process has failed to set user password")

    handlers: list[Handler] = [lambda request: {}, refuse]
    for handler in handlers:
        agent = fake(handler)
        ran = qga("-c", agent.uri, *SET, "--password-stdin", "-vvv", stdin=CANARY.encode())
        assert "guest-set-user-password" in ran.err
        assert '"password":"***"' in ran.err
        for secret in (CANARY, SHOWN):
            assert secret not in ran.err + ran.out
    request = f'{{"arguments": {{"password": "{SHOWN}"}}, "execute": "guest-set-user-password"}}'
    ran = qga("-c", agent.uri, "raw", "x", request, "-vvv")
    assert SHOWN not in ran.err


def test_what_each_level_of_v_tells(fake: Make) -> None:
    agent = fake(lambda request: 1)
    words = ("-c", agent.uri, "file", "open", "x", "/etc/hosts")
    first = qga(*words, "-v").err
    assert re.fullmatch(f"qga: host: {agent.uri}\nqga: 1 agent call, [0-9.]+ s\n", first)
    second = qga(*words, "-vv").err
    assert "guest-file-open: ok, " in second
    assert "/etc/hosts" not in second
    third = qga(*words, "-vvv").err
    assert '> {"execute":"guest-file-open","arguments":{"path":"/etc/hosts"}}' in third
    assert '< {"return": 1}' in third


def test_a_trace_has_an_end() -> None:
    traced = wire.traced('{"return":"' + "x" * 10_000 + '"}')
    assert len(traced) < 2100
    assert traced.endswith("... 10,013 bytes in all")


EXEC = {"path": "/bin/login", "env": [f"TOKEN={CANARY}"], "input-data": SHOWN}
BATCH = json.dumps({"execute": "guest-exec", "arguments": EXEC})
WAYS: dict[str, tuple[tuple[str, ...], str]] = {
    "password by stdin": ((*SET, "--password-stdin"), CANARY),
    "password by file": ((*SET, "--password-file", "FILE"), ""),
    "env and stdin of exec": (("batch", "x"), BATCH + "\n"),
    "bytes written to a file": (("file", "write", "x", "7"), CANARY),
}
ENDS: dict[str, object] = {
    "ok": {},
    "refused": AgentFault("no"),
    "silence": Silence(),
    "hangup": Hangup(),
    "nonsense": Raw(b"hello\n"),
}


def traces(folder: Path) -> list[str]:
    """Where the secret is to be found now: command lines of all processes, files below a folder."""
    found = []
    for path in [*Path("/proc").glob("[0-9]*/cmdline"), *folder.rglob("*")]:
        try:
            data = path.read_bytes()
        except (OSError, IsADirectoryError):
            continue  # a process that has ended, a folder
        if any(secret.encode() in data for secret in (CANARY, SHOWN)):
            found.append(str(path))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ENDS)
def test_it_is_nowhere_while_it_runs_and_afterwards(
    fake: Make, tmp_path: Path, way: str, end: str
) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    home.mkdir()
    kept.write_text(CANARY)
    during: list[str] = []

    def handler(request: dict[str, object]) -> object:
        during.extend(traces(home))
        if isinstance(ENDS[end], AgentFault):
            raise AgentFault("no")
        return ENDS[end]

    agent = fake(handler)
    words, stdin = WAYS[way]
    words = tuple(str(kept) if word == "FILE" else word for word in words)
    folders = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
               "XDG_RUNTIME_DIR")  # fmt: skip
    more = ("-vvv", "--timeout", "500ms", "--audit", str(home / "audit"))
    ran = qga(
        "-c", agent.uri, *words, *more, stdin=stdin.encode(), env=dict.fromkeys(folders, str(home))
    )
    assert agent.requests, ran.err
    assert SHOWN in json.dumps(agent.requests)
    assert during + traces(home) == []
    assert len((home / "audit").read_text().splitlines()) >= 1
    for secret in (CANARY, SHOWN):
        assert secret not in ran.out + ran.err


def test_exec_shows_neither_environment_nor_input(local_agent: str, tmp_path: Path) -> None:
    log = tmp_path / "audit"
    program = ("sh", "-c", 'read -r line; sleep 0.3; [ "$TOKEN" = "$line" ]')
    ran = qga(
        "-c", local_agent, "exec", "-e", f"TOKEN={CANARY}", "-vvv", "--audit", str(log),
        "x", *program, stdin=CANARY.encode() + b"\n",
    )  # fmt: skip
    assert ran.code == 0, ran.err  # it had both
    told = ran.err + log.read_text()
    assert list(program) in [json.loads(line)["program"] for line in log.read_text().splitlines()
                             if "program" in line]  # fmt: skip
    for word in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", told):
        with contextlib.suppress(ValueError):
            told += base64.b64decode(word).decode("latin-1")
    assert CANARY not in told


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "leak").write_text(f"x{SHOWN}x")
    words = [sys.executable, "-c", "input(1)", CANARY]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    process.stdout.read(1)  # it runs: while it starts, its command line is empty
    try:
        found = traces(tmp_path)
    finally:
        process.kill()
        process.communicate()
    assert str(tmp_path / "leak") in found
    assert f"/proc/{process.pid}/cmdline" in found


def test_explain_names_it_only(fake: Make) -> None:
    ran = qga("-c", "unix:/x", *SET, "--password-stdin", "--explain", stdin=CANARY.encode())
    assert ran.code == 0
    assert "password" in ran.out
    for secret in (CANARY, SHOWN):
        assert secret not in ran.out + ran.err


@pytest.mark.parametrize("secret", ["canary" * 1000, ['a\\"=canary' * 300, "b"], ["canary"] * 500])
def test_a_secret_that_is_cut_off_is_still_one(secret: object) -> None:
    for place in ("buf-b64", "env", "input-data"):
        traced = wire.traced(wire.encode("guest-exec", {"path": "x", place: secret}))
        assert "canary" not in traced
        assert traced.endswith(" bytes in all")


@pytest.mark.parametrize("name", wire.SECRET)
@pytest.mark.parametrize(
    "value",
    [
        [["A"], ["B=canary"]], {"A": "canary"}, {"A": [{"]": "canary"}]}, [{"x": ["\\", "canary"]}],
        'a"}]canary', [[["canary"] * 400]], {"a\\": {"b": "canary" * 900}}, ["]", "canary"],
    ],
)  # fmt: skip
def test_a_secret_of_any_shape_is_masked(name: str, value: object) -> None:
    line = wire.encode("guest-exec", {"path": "/p", name: value, "after": [1, {"b": "seen"}]})
    assert "canary" not in wire.traced(line)
    if len(line) < 2000:
        assert json.loads(wire.traced(line))["arguments"] == {
            "path": "/p", name: "***", "after": [1, {"b": "seen"}],
        }  # fmt: skip


@pytest.mark.parametrize("value", ["null", "7", "true", "-1.5e3"])
def test_a_secret_that_is_no_text_ends_where_it_ends(value: str) -> None:
    line = f'{{"execute":"guest-exec","arguments":{{"env": {value},"arg":["a"]}}}}'
    assert json.loads(wire.traced(line))["arguments"] == {"env": "***", "arg": ["a"]}
    line = f'{{"execute":"guest-exec","arguments":{{"arg":["a"],"env":{value}}}}}'
    assert json.loads(wire.traced(line))["arguments"] == {"env": "***", "arg": ["a"]}
