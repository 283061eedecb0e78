"""Answers for TAB: asked by a child that cannot prompt, remembered for some seconds."""

from __future__ import annotations

import os
import select
import signal
import time
import zlib

from qga_cli import private
from qga_cli.errors import QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from qga_cli.agent import Agent

_PATIENCE = 0.3  # seconds a TAB waits
_EFFORT = 5  # seconds the child goes on for the sake of the next TAB
# Seconds for which an answer is not asked for again.
_KEPT = {"guests": 5, "paths": 5, "programs": 300, "mountpoints": 30, "users": 60, "pids": 1}


def recall(what: str, connect: str, guest: str = "", *needle: str) -> list[str]:
    """What is known or can be learned in time: rows of a word and perhaps a tab and a remark."""
    question = "\0".join((what, connect, guest, *needle))
    age, rows = _read(question)
    if age < _KEPT[what]:
        return rows
    ours, theirs = os.pipe()
    if os.fork() == 0:
        _ask(question, lambda: _SOURCES[what](connect, guest, *needle), theirs)
    os.close(theirs)
    if not select.select([ours], [], [], _PATIENCE)[0]:
        return rows  # perhaps stale, better than none
    with os.fdopen(ours, encoding="utf-8", errors="surrogateescape") as pipe:
        return _rows(pipe.read())


def _ask(question: str, source: Callable[[], list[str]], pipe: int) -> NoReturn:
    """In the child: ask without a terminal, so that nothing can prompt; tell, remember, end."""
    try:
        os.setsid()
        os.environ["SSH_ASKPASS_REQUIRE"] = "never"
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_EFFORT)
        try:
            rows = source()
        except QgaError:
            rows = []  # the command itself will say what is wrong
        text = "\0".join(rows).encode("utf-8", "surrogateescape")
        _write(question, text)
        with os.fdopen(pipe, "wb") as out:
            out.write(text)
    finally:
        os._exit(0)


def _guests(connect: str, guest: str) -> list[str]:
    from qga_cli.transports import connect as open_host

    guests = open_host(connect or None).guests()
    guests.sort(key=lambda one: one.state not in ("running", ""))
    return [f"{name}\t{one.state}" for one in guests for name in _whole([one.name])]


def _mountpoints(connect: str, guest: str) -> list[str]:
    from qga_cli.commands.fs.list import COMMAND

    found = _agent(connect, guest).call(COMMAND).value
    return [f"{one['mountpoint']}\t{one['type']}" for one in found if _whole([one["mountpoint"]])]


def _whole(names: list[str]) -> list[str]:
    """Those without a tab, after which a remark begins: half a name may be another's."""
    return [name for name in names if "\t" not in name]


def _shell(name: str, connect: str, guest: str, *words: str) -> list[str]:
    """What a script of `inside/complete` lists."""
    from qga_cli.agent.program import capture
    from qga_cli.inside import script

    done = capture(_agent(connect, guest), ["sh", "-c", script(f"complete/{name}"), "sh", *words])
    return _rows(done.stdout.decode("utf-8", "surrogateescape"))


def _agent(connect: str, guest: str) -> Agent:
    from qga_cli import config
    from qga_cli.agent import Agent
    from qga_cli.guests.hosts import Hosts, guarding

    known = config.load()
    hosts = Hosts(
        connect or None, known.values("hosts"), known.values("groups"), guard=guarding(known)
    )
    target = hosts.resolve(guest)[0]
    agent = Agent(hosts.transport(target), target.label)
    agent.deadline = time.monotonic() + _EFFORT
    return agent


_SOURCES: dict[str, Callable[..., list[str]]] = {
    "guests": _guests,
    "paths": lambda *words: _whole(_shell("paths", *words)),
    "programs": lambda *words: sorted(set(_whole(_shell("programs", *words)))),
    "users": lambda *words: _whole(_shell("users", *words)),
    "pids": lambda *words: _shell("pids", *words),
    "mountpoints": _mountpoints,
}


def _name(question: str) -> str:
    return f"{zlib.crc32(question.encode('utf-8', 'replace')):08x}"


def _read(question: str) -> tuple[float, list[str]]:
    """How old the answer is, in seconds, and what it says."""
    said, age = private.recall(_name(question))
    text, begin = said.decode("utf-8", "surrogateescape"), question + "\n"
    if not text.startswith(begin) or not 0 <= age < private.HOUR:
        return private.HOUR, []
    return age, _rows(text.removeprefix(begin))


def _write(question: str, text: bytes) -> None:
    private.note(_name(question), question.encode("utf-8", "surrogateescape") + b"\n" + text)


def _rows(text: str) -> list[str]:
    return [row for row in text.split("\0") if row]
