"""Help that teaches: first screens, examples that can be typed, --explain, qga help."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.cli import help_screens, main, typer_parser
from qga_cli.cli.command_help import _first_sentences
from qga_cli.spec import Command
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler

COMMANDS = list(catalog.walk())


def typed(line: str) -> Iterator[list[str]]:
    """Every `qga ...` in a line of shell, without the word qga."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            if words[:1] == ["qga"]:
                yield words[1:]
            words = []
        else:
            words.append(word.removeprefix("$"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_an_example_that_parses(command: Command) -> None:
    found = []
    for example in command.examples:
        for words in typed(example.line):
            named, rest = main.find(words)
            assert named is not None, example.line
            found.append(named.words)
            typer_parser.parse(named, rest)
    assert command.words in found, "no example shows the command itself"


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_the_first_screen_shows_every_way_on(words: tuple[str, ...]) -> None:
    ran = qga(*words)
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split()[0] for line in ran.out.splitlines() if line.strip()]
    assert set(lines) >= {*catalog.leaves(()), *catalog.groups()}
    assert max(map(len, ran.out.splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("group", catalog.groups())
def test_a_group_lists_its_commands(group: str) -> None:
    for words in ((group,), (group, "--help")):
        ran = qga(*words)
        assert ran.code == 0
        for leaf in catalog.leaves((group,)):
            assert f"  {group} {leaf} " in ran.out


@pytest.mark.parametrize(
    ("words", "said", "meant"),
    [
        (["fs", "lits"], "fs lits", "`qga fs list`"),
        (["pign"], "pign", "`qga ping`"),
        (["shutdown"], "shutdown", "`qga power shutdown web1`"),
        (["freeze"], "freeze", "`qga fs freeze` or `qga fs freeze-list`"),
        (["guest-get-hostname"], "guest-get-hostname", "`qga guest-get-host-name`"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(words: list[str], said: str, meant: str) -> None:
    ran = qga(*words, "web1")
    assert ran.code == 2
    assert ran.err == f"qga: no command '{said}'\nhint: did you mean {meant}?\n"


def test_explain_prints_what_would_be_sent_and_sends_nothing(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    agent = fake(lambda request: {"exited": True, "exitcode": 0})
    words = ("-c", agent.uri, "exec-status", "x", "4711")
    explained = qga(*words, "--explain")
    assert (explained.code, explained.err) == (0, "")
    assert agent.requests == []
    assert qga(*words).code == 0
    assert json.loads(explained.out.splitlines()[0]) == agent.requests[0]


def test_explain_of_a_program_is_the_first_call(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: {})
    explained = qga("-c", agent.uri, "exec", "--explain", "x", "--", "echo", "it's $HOME")
    request = json.loads(explained.out.splitlines()[0])
    assert request["execute"] == "guest-exec"
    assert "it's $HOME" in json.dumps(request)
    assert agent.requests == []


@pytest.mark.parametrize(("uri", "program"), [("qemu:///system", "virsh"), ("unix:a b", "socat")])
def test_the_line_for_the_shell_does_the_same(tmp_path: Path, uri: str, program: str) -> None:
    """Run by sh, with a stand-in for the program that notes its words and input."""
    stand_in = tmp_path / program
    stand_in.write_text('#!/bin/sh\nfor word; do echo "word: $word"; done\ncat\n')
    stand_in.chmod(0o755)
    request, line = qga("-c", uri, "file", "flush", "--explain", "it's 1", "7").out.splitlines()
    ran = subprocess.run(
        ["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert request in ran.stdout
    assert ("word: it's 1" if program == "virsh" else "word: UNIX-CONNECT:a b") in ran.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("completion", "bash"), "It asks no agent."),
        (
            ("cp", "a", "web1:/b"),
            "Would copy files between this host and guests: a to web1:/b\nCalls: guest-info",
        ),
        (
            ("fs", "with-frozen", "web1", "--", "false"),
            "guest-fsfreeze-freeze, guest-fsfreeze-thaw; -vv tells each",
        ),
        (("connect", "web1", "80"), "\nCalls: guest-exec, "),
        (("forward", "web1", "0:80"), "\nCalls: guest-exec, "),
        (("rsh", "web1", "id"), "\nCalls: guest-exec, "),
        (("edit", "web1:/etc/hosts"), "\nCalls: guest-info, guest-get-osinfo, guest-exec, "),
        (("top",), "\nCalls: those that only read; "),
        (("ssh", "config"), "\nIt asks no agent."),
    ],
)
def test_explain_of_a_verb_without_a_wire_name_says_so(words: tuple[str, ...], says: str) -> None:
    ran = qga("--explain", *words)
    assert ran.code == 0
    assert says in ran.out


def test_explain_names_secrets_and_input_only() -> None:
    for words in (("user", "set-password", "x", "root"), ("file", "write", "x", "1000")):
        ran = qga(*words, "--explain", stdin=b"canary")
        assert "canary" not in ran.out
        assert "<password>" in ran.out or "<data>" in ran.out


def test_explain_does_nothing_of_a_freeze(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: 0)
    ran = qga("-c", agent.uri, "fs", "freeze", "x", "--for", "1s", "--explain")
    assert ran.out.startswith('{"execute":"guest-fsfreeze-freeze"}\n')
    assert agent.requests == []


def test_explain_of_a_proxmox_guest_names_its_socket() -> None:
    for vm, socket in (("100", "100"), ("web1", "VMID")):
        line = qga("-c", "pve", "ping", vm, "--explain").out.splitlines()[1]
        assert line.endswith(f"socat -t5 - UNIX-CONNECT:/var/run/qemu-server/{socket}.qga")


def test_explain_of_a_synchronisation_can_be_typed() -> None:
    """The agent refuses one without a number; through libvirt the other would end the link."""
    request, line = qga("-c", "qemu:///system", "sync", "x", "--explain").out.splitlines()[:2]
    assert json.loads(request)["arguments"]["id"] >= 0
    assert line.startswith("virsh ")
    ran = qga("-c", "qemu:///system", "sync-delimited", "x", "--explain")
    assert (ran.code, "virsh" in ran.out) == (0, False)
    assert "qga sync" in ran.out


def test_explain_of_several_guests_asks_no_host() -> None:
    ran = qga("-c", "qemu+ssh://nowhere.invalid/system", "ping", "a,b", "--explain")
    assert [line.split()[4] for line in ran.out.splitlines()[1:]] == ["a", "b"]


def test_help_opens_the_manual_page() -> None:
    ran = qga("help", "exec", env={"MANWIDTH": "80"})
    assert ran.code == 0
    assert ran.out.startswith("QGA-EXEC(1)")
    assert qga("help", "fs", "list").out.startswith("QGA-FS-LIST(1)")
    assert qga("help", "targets").out.startswith("QGA-TARGETS(7)")
    assert qga("help").out.startswith("QGA(1)")


def test_help_without_man_prints_what_help_says(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path)}
    assert shutil.which("man", path=env["PATH"]) is None
    assert qga("help", "ping", env=env).out == qga("ping", "--help").out
    assert qga("help", "fs", env=env).out == qga("fs").out


def test_help_minds_the_pager(tmp_path: Path) -> None:
    from tests.kit.command import qga_tty

    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho seen by my pager\ncat >/dev/null\n")
    pager.chmod(0o755)
    assert "seen by my pager" in qga_tty("help", "exec", env={"PAGER": str(pager)}).out


def test_help_for_nothing_known_says_so() -> None:
    ran = qga("help", "nosuch")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("qga: no manual page for 'nosuch'\n")


@pytest.mark.parametrize("words", [("fs", "nosuch"), ("fs", "list", "nosuch"), ("targets", "x")])
def test_help_for_too_many_words_says_so(words: tuple[str, ...]) -> None:
    ran = qga("help", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"qga: no manual page for '{' '.join(words)}'\n")


@pytest.mark.parametrize("words", [("--frobnicate",), ("-x", "fs"), ("-c",)])
def test_a_wrong_option_before_no_command_is_told(words: tuple[str, ...]) -> None:
    ran = qga(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"qga: no option {words[0]!r} before a command\n")


def test_an_option_alone_is_answered_with_the_first_screen() -> None:
    assert qga("-c", "qemu:///system").out == qga().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "word", ["..", ".", "../catalog", "__init__", "fs/list", "fs/__init__", "sync_delimited"]
)
def test_a_word_is_no_path_of_a_file(word: str) -> None:
    for words in ((word, "web1"), ("fs", word), ("help", word)):
        ran = qga(*words)
        assert (ran.code, ran.out, "bug in qga" in ran.err) == (2, "", False)
    assert qga("fs", "freeze_list", "web1").err.startswith("qga: no command 'fs freeze_list'\n")


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_first_screens_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider, but for an example or a name that stands alone in its line."""
    monkeypatch.setattr(help_screens, "_width", lambda: columns)
    for screen in (help_screens.root(), *map(help_screens.group, catalog.groups())):
        for line in screen.splitlines():
            alone = line.startswith(("  qga ", "  source ")) and "   " not in line.strip()
            assert len(line) <= columns or alone, line


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_screen_shows_whole_sentences(command: Command) -> None:
    """That of `wait` ended with "port:N.", that of `batch` in the middle of a piece of JSON."""
    whole = " ".join(command.notes.split("\n\n")[0].split())
    shown = _first_sentences(command.notes)
    assert f"{whole} ".startswith((f"{shown} ", f"{shown[:-1]}; "))
