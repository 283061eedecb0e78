"""raw and batch: requests as written, replies to the letter."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.kit.command import qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Handler, Hangup, Raw, Silence
from tests.kit.running import GUARD

Make = Callable[[Handler], FakeAgent]
TEST = "x"


def echo(request: dict[str, object]) -> object:
    """Hands back what it was sent."""
    return request


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["guest-ping"], {"execute": "guest-ping"}),
        (
            ["guest-file-open", "path=/etc/hosts", "mode=r"],
            {"execute": "guest-file-open", "arguments": {"path": "/etc/hosts", "mode": "r"}},
        ),
        (
            ["guest-x", "n:=7", "b:=true", 'l:=["a=b"]', "t=a=b", "e="],
            {
                "execute": "guest-x",
                "arguments": {"n": 7, "b": True, "l": ["a=b"], "t": "a=b", "e": ""},
            },
        ),
        (
            ['{"execute": "guest-x", "arguments": {"ü": "\\u00fc"}, "id": 5}'],
            {"execute": "guest-x", "arguments": {"ü": "ü"}, "id": 5},
        ),
    ],
)
def test_spellings(fake: Make, words: list[str], request_: dict[str, object]) -> None:
    agent = fake(echo)
    ran = qga("-c", agent.uri, "raw", TEST, *words)
    assert (ran.code, ran.err) == (0, "")
    assert agent.requests == [request_]
    assert json.loads(ran.out) == {"return": request_}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["guest-ping", "x"], "'x' is no argument"),
        (["guest-ping", "=x"], "'=x' is no argument"),
        (["guest-ping", "x:=y"], "what follows := is not JSON"),
        (["{nonsense"], "the request is not JSON"),
        (["{" * 100_000], "the request is not JSON"),
        (["{}"], "the request names no command"),
        (["[1]"], "'[1]' is neither a wire name nor a JSON object"),
        (['{"execute": "guest-ping"}', "a=b"], "has its arguments inside"),
    ],
)
def test_what_cannot_be_sent_is_not(fake: Make, words: list[str], says: str) -> None:
    agent = fake(echo)
    ran = qga("-c", agent.uri, "raw", TEST, *words)
    assert ran.code == 2
    assert says in ran.err
    assert agent.requests == []


def test_the_reply_to_the_letter(fake: Make) -> None:
    reply = b'{"return":  {"b": 1,"a":"\\u00fc \\u001b[m"}, "id":0 }'
    agent = fake(lambda request: Raw(reply + b"\n"))
    assert qga("-c", agent.uri, "raw", TEST, "guest-x").stdout == reply + b"\n"
    assert qga("-c", agent.uri, "raw", TEST, "guest-x", "-o", "json").out == (
        '{"b":1,"a":"ü \\u001b[m"}\n'
    )
    pretty = qga("-c", agent.uri, "raw", TEST, "guest-x", "--pretty").out
    assert pretty.splitlines()[:3] == ["{", '  "return": {', '    "b": 1,']


def test_a_terminal_is_not_the_guests_to_write_on(fake: Make) -> None:
    agent = fake(lambda request: Raw('{"return": "\u009b31m\u202e"}\n'.encode()))
    ran = qga_tty("-c", agent.uri, "raw", TEST, "guest-x")
    assert ran.out == '{"return": "\\u009b31m\\u202e"}\n'


def test_an_error_is_explained(fake: Make) -> None:
    def refuse(request: dict[str, object]) -> object:
        if request["execute"] == "guest-info":
            return {"version": "7.2.22", "supported_commands": []}
        if request["execute"] == "guest-file-read":
            raise AgentFault("Invalid parameter type for 'handle', expected: integer")
        raise AgentFault(f"The command {request['execute']} has not been found")

    agent = fake(refuse)
    ran = qga("-c", agent.uri, "raw", TEST, "guest-get-load")
    assert ran.code == 6
    assert "needs qemu-ga 10.0, this guest runs 7.2.22" in ran.err
    ran = qga("-c", agent.uri, "raw", TEST, "guest-file-read", "handle=1000")
    assert ran.code == 1
    assert "key:=JSON a number" in ran.err


@pytest.mark.slow
def test_silence(fake: Make) -> None:
    agent = fake(lambda request: Silence())
    ran = qga("-c", agent.uri, "raw", TEST, "guest-shutdown")
    assert (ran.code, ran.out) == (0, "")
    assert "guest-shutdown was delivered" in ran.err
    ran = qga("-c", agent.uri, "raw", TEST, "guest-get-time", "--timeout", "0.2")
    assert ran.code == 124


def test_a_link_that_breaks_is_no_timeout(fake: Make) -> None:
    agent = fake(lambda request: Hangup())
    ran = qga("-c", agent.uri, "raw", "x", "guest-fstrim", "--timeout", "50s")
    assert ran.code == 8
    assert "closed before it replied" in ran.err


def test_batch_answers_line_by_line(fake: Make) -> None:
    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-fail":
            raise AgentFault("no")
        return request.get("arguments", {})

    agent = fake(handle)
    lines = [
        "guest-ping",
        '{"execute":"guest-x","arguments":{"a":1}}',
        "",
        "guest-fail",
        "{broken",
        '{"execute":"guest-ping"}',
    ]
    ran = qga("-c", agent.uri, "batch", TEST, stdin="\n".join(lines).encode())
    replies = [json.loads(line) for line in ran.out.splitlines()]
    assert replies[:3] == [
        {"return": {}},
        {"return": {"a": 1}},
        {"error": {"class": "GenericError", "desc": "no"}},
    ]
    assert "not JSON" in replies[3]["error"]["desc"]
    assert replies[4] == {"return": {}}
    assert (ran.code, ran.err) == (1, "")


def test_batch_changes_no_byte_of_a_name(fake: Make) -> None:
    """What is no UTF-8 was made some, and the agent had another file."""
    agent = fake(lambda request: {})
    line = b'{"execute":"guest-file-open","arguments":{"path":"/tmp/\xff","mode":"w"}}\n'
    ran = qga("-c", agent.uri, "batch", TEST, stdin=line + b"guest-ping\n")
    first, second = map(json.loads, ran.out.splitlines())
    assert "UTF-8" in first["error"]["desc"]
    assert second == {"return": {}}
    assert (ran.code, len(agent.requests)) == (1, 1)


def test_batch_is_a_conversation_on_one_connection(fake: Make) -> None:
    """Each reply comes before the next request is written."""
    agent = fake(lambda request: len(agent.requests))
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "-c", agent.uri, "batch", TEST],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    for number in (1, 2, 3):
        process.stdin.write("guest-ping\n")
        assert json.loads(process.stdout.readline()) == {"return": number}
    process.stdin.close()
    assert process.wait(timeout=GUARD) == 0
    assert agent.connections == 1
    process.stdout.close()


def test_batch_ends_when_nobody_answers_any_more(fake: Make) -> None:
    agent = fake(echo)
    agent.path.unlink()
    ran = qga("-c", agent.uri, "batch", TEST, stdin=b"guest-ping\nguest-ping\n")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("cannot connect") == 1


@pytest.mark.slow
def test_batch_shuts_down_silently(fake: Make) -> None:
    agent = fake(lambda request: Silence())
    ran = qga("-c", agent.uri, "batch", TEST, stdin=b'{"execute":"guest-shutdown","id":1}\n')
    assert json.loads(ran.out) == {"return": {}, "id": 1}


def test_batch_to_a_fleet(fake: Make) -> None:
    ran = qga("-c", fake(lambda _: {}).uri, "batch", "a,b", "-j1", stdin=b"guest-ping\n" * 2)
    assert ran.code == 0
    assert sorted(ran.out.splitlines()) == ['a: {"return": {}}'] * 2 + ['b: {"return": {}}'] * 2


def test_a_real_agent(local_agent: str) -> None:
    assert qga("-c", local_agent, "raw", TEST, "guest-ping").out == '{"return": {}}\n'
    ran = qga("-c", local_agent, "raw", TEST, "guest-sync-delimited", "id:=42")
    assert (ran.code, ran.out) == (0, '{"return": 42}\n')
    lines = b'guest-ping\n{"execute":"guest-sync-delimited","arguments":{"id":7}}\nguest-fstrim\n'
    ran = qga("-c", local_agent, "batch", TEST, stdin=lines)
    replies = [json.loads(line) for line in ran.out.splitlines()]
    assert replies[:2] == [{"return": {}}, {"return": 7}]
    assert replies[2]["error"]["class"] == "CommandNotFound"
    assert ran.code == 1


@pytest.mark.parametrize(
    "words", [['{"execute":"x","arguments":{"a":NaN}}'], ["x", "a:=NaN"], ["x", "a:=1e999"]]
)
def test_what_only_python_takes_for_json(fake: Make, words: list[str]) -> None:
    agent = fake(echo)
    ran = qga("-c", agent.uri, "raw", TEST, *words)
    assert (ran.code, agent.requests) == (2, [])
    assert "not JSON" in ran.err


def test_half_a_character_is_shown_as_it_came(fake: Make) -> None:
    reply = Raw(b'{"return": "\\ud800"}\n')
    for words in ([], ["--pretty"]):
        ran = qga("-c", fake(lambda _: reply).uri, "raw", TEST, "x", *words)
        assert (ran.code, json.loads(ran.out)) == (0, {"return": "\ud800"})


def test_blanks_around_a_request_mean_nothing(fake: Make) -> None:
    """As of a here-document: all of it, a password too, was in the error."""
    agent = fake(lambda request: {})
    words = ("raw", "x", '\n {"execute": "guest-set-user-password", "arguments": {}}\n')
    assert qga("-c", agent.uri, *words).code == 0
    assert agent.requests == [{"execute": "guest-set-user-password", "arguments": {}}]


def test_a_value_without_its_quotes_is_not_shown(fake: Make) -> None:
    ran = qga("-c", fake(echo).uri, "raw", "x", "guest-set-user-password", "password:=canary")
    assert (ran.code, "'password:': what follows := is not JSON" in ran.err) == (2, True)
    assert "canary" not in ran.err
