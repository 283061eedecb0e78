"""What was typed with other tools in the fingers: each leads to the line to type here."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from qga_cli import catalog
from qga_cli.cli import synonyms
from qga_cli.cli.options import for_command
from tests.kit.command import environment, qga
from tests.kit.fake import FakeAgent, Handler

HINTS = [
    ("reboot deb", "`qga power shutdown --mode reboot deb`"),
    ("power reboot deb", "`qga power shutdown --mode reboot deb`"),
    ("power off deb", "`qga power shutdown deb`"),
    ("passwd deb", "`qga user set-password deb root`"),
    ("df deb", "`qga fs list deb`"),
    ("ip deb", "`qga net interfaces deb`"),
    ("run deb -- echo VM", "`qga exec deb -- echo VM`"),
    ("scp deb:/etc/hosts .", "`qga cp deb:/etc/hosts .`"),
    ("upload x.img deb:/srv/", "`qga cp x.img deb:/srv/`"),
    ("ps deb", "`qga exec deb -- ps aux`"),
    ("logs deb", "`qga tail -f deb:/var/log/syslog`"),
    ("run deb ls -l", "`qga exec deb -- ls -l`"),
    ("run deb", "`qga exec deb -- PROGRAM`"),
    ("tail deb /var/log/dpkg.log", "hint: deb:/var/log/dpkg.log"),
    ("ping deb old", "`qga ping deb,old`"),
    ("doctor", "'*' is every one that runs"),
    ("console deb", "`qga shell deb`"),
    ("mount deb", "`qga exec deb -- mount DEVICE FOLDER`"),
    ("start deb", "`virsh start deb && qga wait deb`"),
    ("version", "`qga --version`"),
    ("exec --cwd /x deb true", "--workdir DIR"),
    ("list -q", "--columns vm --no-header"),
    ("list --all", "all of them are listed"),
    ("cp -a x deb:/x", "-rp"),
    ("cp -f x deb:/x", "replaced anyway"),
    ("tail -50 deb:/x", "-n 50"),
    ("ls -t deb:/x", "--sort -modified"),
    ("power shutdown --reboot deb", "--mode reboot"),
    ("exec --usr deb true", "did you mean --user?"),
    ("shell deb ls", "`qga exec deb -- ls`"),
    ("cat deb", "deb:/PATH"),
]


@pytest.mark.parametrize(("line", "hint"), HINTS)
def test_common_words_lead_somewhere(line: str, hint: str) -> None:
    ran = qga("-c", "unix:/nonexistent/{vm}", *line.split())
    assert ran.code in (2, 3, 4, 125), ran.err
    assert hint in ran.err
    assert "Possible" not in ran.err


@pytest.mark.parametrize(
    ("line", "hint"),
    [("tail deb /var/log/x", "deb:/var/log/x"), ("ping deb old", "`qga ping deb,old`")],
)
def test_a_guest_that_is_the_first_word_counts_too(line: str, hint: str) -> None:
    assert hint in qga(*line.split()).err


def test_what_is_proposed_exists() -> None:
    """Each line that begins with qga names a command, and options that it has."""
    for line in synonyms._COMMANDS.values():
        words = line.split()
        if words[0] != "qga" or words[1].startswith("-"):
            continue
        command = catalog.find(words[1:])
        assert command, line
        known = {f"--{arg.name}" for arg in for_command(command)}
        before = line.partition(" -- ")[0]
        assert set(re.findall(r"--[a-z-]+", before)) <= known, line


def test_no_synonym_hides_a_command() -> None:
    names = {command.name for command in catalog.walk()} | set(catalog.groups())
    assert names.isdisjoint(set(synonyms._COMMANDS) - {"ssh"})


@pytest.mark.parametrize("words", [["--format", "json"], ["--format=json"], ["-o", "json"]])
def test_format_is_output(words: list[str], local_agent: str) -> None:
    before = qga("-c", local_agent, "os", "hostname", "x", "-o", "json").out
    assert qga("-c", local_agent, "os", "hostname", "x", *words).out == before
    assert qga("-c", local_agent, *words, "os", "hostname", "x").out == before


def test_no_headers_is_no_header(local_agent: str) -> None:
    ran = qga("-c", local_agent, "fs", "list", "x", "--no-headers")
    assert "mountpoint" not in ran.out


def test_h_beside_sizes_is_no_call_for_help(local_agent: str) -> None:
    ran = qga("-c", local_agent, "ls", "-lh", "x:/etc/passwd")
    assert (ran.code, "Usage" in ran.out) == (0, False), ran.err
    assert re.search(r"\t[\d.]+[BK]\t", ran.out), ran.out


def test_a_missing_file_of_this_host_is_told_once() -> None:
    ran = qga("-c", "unix:/nonexistent/{vm}", "cp", "nosuch.conf", "a,b,c:/etc/")
    assert (ran.code, ran.err) == (1, "qga: nosuch.conf: no such file on this host\n")


def test_a_terminal_for_many_is_told_once(local_agent: str) -> None:
    ran = qga("-c", local_agent, "shell", "a,b")
    assert ran.code == 2
    assert ran.err.count("one guest") == 1
    assert "a, b" in ran.err


def test_a_forgotten_at_sign(tmp_path: object) -> None:
    key = f"{tmp_path}/k.pub"
    with open(key, "w") as file:
        file.write("ssh-ed25519 AAAA x\n")
    ran = qga("-c", "unix:/nonexistent/{vm}", "ssh", "add", "x", "root", key)
    assert f"did you mean @{key}?" in ran.err


def test_no_folder_to_work_in(local_agent: str) -> None:
    ran = qga("-c", local_agent, "exec", "-w", "/nope", "x", "--", "true")
    assert "no folder /nope to work in (--workdir)" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("file", "write", "x", "1000"),
        ("user", "set-password", "x", "root", "--password-stdin"),
        ("user", "set-password", "x", "root", "--password-file", "/dev/zero"),
        ("ssh", "add", "x", "root", "@-"),
        ("ssh", "add", "x", "root", "@/dev/zero"),
        ("exec", "--env-file", "/dev/zero", "x", "true"),
        ("script", "x", "/dev/zero"),
        ("script", "x", "-"),
        ("batch", "x"),
    ],
)
def test_input_without_an_end_is_not_read_for_ever(
    fake: Callable[[Handler], FakeAgent], words: tuple[str, ...]
) -> None:
    agent = fake(lambda request: {})
    with open("/dev/zero", "rb") as zero:
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "qga_cli", "-c", agent.uri, *words],
            stdin=zero, capture_output=True, text=True, check=False, env=environment({}),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
        )  # fmt: skip
    assert (ran.returncode, "is too long" in ran.stderr) == (2, True), ran.stderr
    assert agent.requests == []
