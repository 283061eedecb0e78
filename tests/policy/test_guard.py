"""[policy] in /etc/qga/config.toml: who may do what to which guest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qga_cli.config import Config, Setting
from qga_cli.errors import Forbidden, NoGuest, UsageError
from qga_cli.policy.guard import Guard
from qga_cli.policy.rules import Policy
from qga_cli.transports import connect
from tests.kit.command import Configured
from tests.kit.fake import FakeAgent
from tests.kit.policies import ALLOW, DENY, READ_ONLY, template, vouched

Make = Callable[..., FakeAgent]


@pytest.mark.parametrize(
    ("policy", "words", "line"),
    [
        (READ_ONLY, ("fs", "trim"), 2),
        (READ_ONLY, ("raw", "guest-future-thing"), 2),  # what we do not know may change anything
        (READ_ONLY, ("guest-fstrim",), 2),
        (READ_ONLY, ("trim",), 2),  # an alias of the user's
        (ALLOW, ("fs", "list", "--timeout", "5s"), None),
        (ALLOW, ("fs", "trim"), 2),
        (ALLOW, ("net", "interfaces"), 2),
        (DENY, ("time", "set", "now"), 4),
        (DENY, ("os", "hostname"), None),
        (READ_ONLY, ("os", "hostname"), None),
        (ALLOW + DENY, ("os", "hostname"), None),
        (ALLOW + DENY, ("fs", "trim"), 2),
        ('[policy."*"]\nallow = ["*"]\ndeny = ["*-name"]\n', ("os", "hostname"), 3),
        (ALLOW + '[policy."*0"]\ndeny = ["guest-get-host-name"]\n', ("os", "hostname"), 4),
        ('[policy."db*"]\nallow = []\n', ("os", "hostname"), None),
        ('[policy."agent0"]\nallow = []\n', ("ping",), None),
        ('[policy."agent0"]\nallow = []\n', ("fs", "thaw"), None),
        ('[policy."agent[0-9]"]\nallow = []\n', ("fs", "freeze"), 2),
    ],
)
def test_what_a_policy_lets_pass(
    configured: Configured, fake: Make, policy: str, words: tuple[str, ...], line: int | None
) -> None:
    results = {"guest-get-fsinfo": [], "guest-fsfreeze-thaw": 0, "guest-get-host-name":
               {"host-name": "h"}}  # fmt: skip
    agent = fake(lambda request: results.get(str(request["execute"]), {}))
    head = words[:2] if words[0] in ("fs", "net", "os", "time") else words[:1]
    rest = words[len(head) :]
    ran = configured(
        policy + vouched(agent), "-c", template(agent), *head, "agent0", *rest,
        own='[aliases]\ntrim = "fs trim"\n',
    )  # fmt: skip
    if line is None:
        assert (ran.code, ran.err) == (0, "")
        return
    assert ran.code == 6
    assert f" is denied by this host's policy ({agent.path.parent}/etc.toml:{line})\n" in ran.err
    assert agent.requests == []


@pytest.mark.parametrize(
    ("denied", "words", "code"),
    [
        ("guest-exec-status", ("exec", "agent0", "--", "rm", "/f"), 125),
        ("guest-exec-status", ("rm", "agent0:/f"), 6),
        ("guest-exec-status", ("raw", "agent0", "guest-exec", "path=/bin/true"), 6),
        ("guest-file-close", ("cat", "agent0:/f"), 6),
        ("guest-file-close", ("file", "open", "agent0", "/f"), 6),
    ],
)
def test_nothing_is_begun_that_no_allowed_command_could_end(
    configured: Configured, fake: Make, denied: str, words: tuple[str, ...], code: int
) -> None:
    names = ("guest-exec", "guest-exec-status", "guest-file-open", "guest-file-read",
             "guest-file-close", "guest-file-write", "guest-file-seek",
             "guest-file-flush")  # fmt: skip
    known = [{"name": name, "enabled": True, "success-response": True} for name in names]
    results = {"guest-info": {"version": "7.2.22", "supported_commands": known},
               "guest-exec": {"pid": 7}, "guest-file-open": 1000}  # fmt: skip
    agent = fake(lambda request: results.get(str(request["execute"]), {}))
    ran = configured(
        f'[policy."*"]\ndeny = ["{denied}"]\n' + vouched(agent), "-c", template(agent), *words
    )
    assert (ran.code, f"{denied} is denied by this host's policy" in ran.err) == (code, True)
    assert "needs it, so it was not sent\n" in ran.err
    sent = {request["execute"] for request in agent.requests}
    assert sent.isdisjoint({"guest-exec", "guest-file-open"})


@pytest.mark.parametrize("way", ["the path", "a template", "a template that cuts elsewhere"])
def test_a_socket_that_nobody_vouches_for_may_be_any_guest(
    configured: Configured, fake: Make, way: str
) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    uri, name = {
        "the path": (agent.uri, "agent0"),
        "a template": (template(agent), "agent0"),
        "a template that cuts elsewhere": (f"unix:{agent.path.parent}/ag{{vm}}.sock", "ent0"),
    }[way]
    words = ("-c", uri, "os", "hostname", name)
    for pattern in ("agent*", "db*", "*"):
        ran = configured(f'[policy."{pattern}"]\nallow = []\n', *words)
        assert ran.code == 6
        assert ("nobody vouches" in ran.err) == (pattern != "*")
    own = f'connect = "{uri}"\n[hosts]\nmine = "{uri}"\n'
    assert configured('[policy."db*"]\nallow = []\n', *words, own=own).code == 6
    assert agent.requests == []


@pytest.mark.parametrize(
    ("pattern", "code"), [("agent0", 6), ("agent0.sock", 6), ("db1", 6), ("web*", 0)]
)
def test_a_socket_of_the_administrator_s_goes_by_its_names(
    configured: Configured, fake: Make, pattern: str, code: int
) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    policy = f'[policy."{pattern}"]\nallow = []\n[hosts]\ndb1 = "{agent.uri}"\n'
    for words in (("-c", agent.uri, "os", "hostname", "x"), ("os", "hostname", "db1/x")):
        ran = configured(policy, *words)
        assert ran.code == code, ran.err
    # What the caller says makes nothing of it.
    assert configured(policy, "-c", agent.uri, "os", "hostname", "web1").code == code


def test_a_template_leads_nowhere_else(configured: Configured, tmp_path: Path) -> None:
    for name in ("..", ".", "../x"):
        ran = configured("", "-c", f"unix:{tmp_path}/{{vm}}/qga.sock", "ping", name)
        assert (ran.code, "is no path" in ran.err) == (4, True)


def test_a_cid_is_a_number_however_it_is_written() -> None:
    for text in ("3", "003"):
        assert connect("vsock:{vm}:1").open(text).identity() == ("vsock:3:1", "3")
    for text in ("\u00b2", str(2**32 + 3), "9" * 5000):  # of the second Python would connect to 3
        with pytest.raises(NoGuest):
            connect("vsock:{vm}:1").open(text)
    with pytest.raises(UsageError):
        connect(f"vsock:3:{2**32 + 1}")


def test_a_duplicate_key_smuggles_nothing(configured: Configured, fake: Make) -> None:
    agent = fake(lambda request: {})
    request = '{"execute": "guest-exec", "execute": "guest-ping"}'
    ran = configured(DENY, "-c", agent.uri, "batch", "x", stdin=request.encode() + b"\n")
    assert ran.code == 0
    assert agent.requests == [{"execute": "guest-ping"}]
    swapped = b'{"execute": "guest-ping", "execut\\u0065": "guest-exec"}\n'
    ran = configured(DENY, "-c", agent.uri, "batch", "x", stdin=swapped)
    assert "denied by this host's policy" in ran.out
    assert len(agent.requests) == 1


def test_no_file_of_a_user_counts(configured: Configured, fake: Make) -> None:
    agent = fake(lambda request: {})
    for own in ('[policy."*"]\nallow = ["*"]\n', '[audit]\nfile = "/dev/null"\n'):
        ran = configured(DENY, "-c", agent.uri, "ping", "x", own=own)
        assert ran.code == 2
        assert "config.toml:2: [" in ran.err
        assert "] counts in " in ran.err
        assert agent.requests == []


@pytest.mark.parametrize(
    "text",
    [
        '[policy]\nallow = ["*"]\n',
        '[policy."*"]\nalow = ["*"]\n',
        '[policy."*"]\nallow = "x"\n',
        '[policy."*"]\nread-only = "yes"\n',
        '[policy."*".more]\nallow = ["*"]\n',
        '[policy."alpha/db*"]\nallow = ["*"]\n',
        '[policy."db1,db2"]\nallow = ["*"]\n',
        '[policy."@prod"]\nallow = ["*"]\n',
        "[audit]\nfile = 3\n",
        '[audit]\nfile = "qga.jsonl"\n',  # another one in each folder where somebody calls qga
        '[audit]\nfile = "~/qga.jsonl"\n',
        '[audit]\nfiles = "x"\n',
    ],
)
def test_a_mistake_stops_everything(configured: Configured, fake: Make, text: str) -> None:
    agent = fake(lambda request: {})
    ran = configured(text, "-c", agent.uri, "ping", "x")
    assert ran.code == 2
    assert "etc.toml:2: " in ran.err
    assert agent.requests == []


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("exec", "did you mean guest-exec?"),
        ("fs freeze", "did you mean guest-fsfreeze-freeze?"),
        ("cp", "guest-exec"),
        ("exec*", "guest-exec"),
        ("Guest-exec", "guest-exec"),
        ("", "guest-exec"),
    ],
)
@pytest.mark.parametrize("list", ["deny", "allow"])
def test_a_word_that_forbids_nothing_is_a_mistake(
    configured: Configured, fake: Make, list: str, word: str, hint: str
) -> None:
    """`deny = ["exec"]` let `exec` pass."""
    agent = fake(lambda request: {})
    ran = configured(f'[policy."*"]\n{list} = ["guest-ping", "{word}"]\n', "ping", "x")
    assert ran.code == 2
    assert f"etc.toml:2: {word!r} is no command of the agent's" in ran.err
    assert hint in ran.err
    known = '["*", "guest-*", "g*", "*-name", "guest-new", "channel", "connect*", "doctor --fix"]'
    assert configured(f'[policy."*"]\nallow = {known}\n', "-c", agent.uri, "ping", "x").code == 0


@pytest.mark.parametrize("program", [["guest-ping"], ["\ud800", ""], "guest-ping", [{}]])
def test_what_is_told_of_a_program_opens_no_policy(fake: Make, program: Any) -> None:
    """A guest-exec is judged as what is sent, whatever the audit file is told of it."""
    agent = fake(lambda request: {"pid": 1})
    deny: dict[tuple[str, ...], Setting] = {}
    deny["policy", "*", "deny"] = Setting(["guest-exec"], "etc.toml:2")
    guarded = Guard(Policy(Config(deny)), None).wrap(connect(agent.uri).open("x"), None, "x")
    guarded.program = program
    with pytest.raises(Forbidden):
        guarded.call('{"execute": "guest-exec", "arguments": {"path": "sh"}}', 5)
    assert agent.requests == []
