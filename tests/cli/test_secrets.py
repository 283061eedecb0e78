"""Passwords: the ways in."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli import wire
from tests.kit.command import environment, qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.running import GUARD, readable
from tests.kit.secret import CANARY, SET, SHOWN

Make = Callable[[Handler], FakeAgent]


def arguments(agent: FakeAgent) -> object:
    assert len(agent.requests) == 1
    return agent.requests[0]["arguments"]


@pytest.mark.parametrize("newline", ["", "\n", "\r\n"])
def test_from_standard_input(fake: Make, newline: str) -> None:
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, *SET, "--password-stdin", stdin=(CANARY + newline).encode())
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert arguments(agent) == {"username": "root", "password": SHOWN, "crypted": False}


def test_from_a_file_and_hashed(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {})
    (tmp_path / "secret").write_text("$6$salt$" + "x" * 86 + "\n")
    ran = qga("-c", agent.uri, *SET, "--crypted", "--password-file", str(tmp_path / "secret"))
    assert (ran.code, ran.err) == (0, "")
    hashed = wire.to_base64(b"$6$salt$" + b"x" * 86)
    assert arguments(agent) == {"username": "root", "password": hashed, "crypted": True}


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        ((), b"", "no password given, and standard input is no terminal to ask on"),
        (("--password-stdin",), b"\n", "the password is empty"),
        (("--password-file", "/nope"), b"", "--password-file: /nope: No such file or directory"),
        (("--password-file", "/x", "--password-stdin"), b"x", "exclude each other"),
    ],
)
def test_refused_before_anything_is_sent(
    fake: Make, words: tuple[str, ...], stdin: bytes, says: str
) -> None:
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, *SET, *words, stdin=stdin)
    assert ran.code == 2
    assert says in ran.err
    assert agent.requests == []


def typed(agent: FakeAgent, *answers: str) -> tuple[int, str]:
    """Run it on a terminal, typing each answer when it is asked for."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "-c", agent.uri, *SET],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment(None),
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # make it /dev/tty
    )  # fmt: skip
    os.close(slave)
    shown, waiting, key = b"", list(answers), b""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not readable(master, 1):
            if key == b"\x03":  # Python minds one that comes just before it reads with the next
                os.write(master, key)
            continue
        try:
            data = os.read(master, 4096)
        except OSError:  # EIO: the last writer has closed the terminal
            break
        shown += data
        if waiting and data.rstrip().endswith(b":"):
            key = waiting.pop(0).encode()
            os.write(master, key)
    os.close(master)
    return process.wait(timeout=GUARD), shown.decode()


def test_asked_twice_on_a_terminal_and_not_echoed(fake: Make) -> None:
    agent = fake(lambda request: {})
    code, shown = typed(agent, CANARY + "\n", CANARY + "\n")
    assert code == 0
    assert shown.split() == ["New", "password:", "Again:"]
    assert arguments(agent) == {"username": "root", "password": SHOWN, "crypted": False}


def test_two_different_answers(fake: Make) -> None:
    agent = fake(lambda request: {})
    code, shown = typed(agent, CANARY + "\n", "something else\n")
    assert code == 2
    assert "the two passwords differ" in shown
    assert agent.requests == []


@pytest.mark.parametrize(("key", "code"), [("\x04", 2), ("\x03", -signal.SIGINT)])
def test_no_answer(fake: Make, key: str, code: int) -> None:
    agent = fake(lambda request: {})
    ended, shown = typed(agent, key)
    assert ended == code
    assert "Traceback" not in shown
    assert agent.requests == []
