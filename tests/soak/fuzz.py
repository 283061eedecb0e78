"""Everything that reads a stranger's bytes, for long: `python -m tests.soak.fuzz --inputs 1000000`.

Inputs are mutations of what agents really answer (tests/kit/mutation.py), made from a seed; none
counts twice. Each is a result, or an error of ours, and harmless on a screen. tests/test_fuzz.py
says more of each function, and takes ten times as long. The first that fails is printed.
"""

import argparse
import json
import random
import re
import shlex
import socket
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qga_cli import catalog, wire
from qga_cli.agent import Agent, refusal
from qga_cli.agent.file import AgentFile
from qga_cli.errors import QgaError, Refused
from qga_cli.exec import context
from qga_cli.exec.outputs import Stream
from qga_cli.files import ls
from qga_cli.files.copy_tree.tar_reader import TarReader
from qga_cli.files.guest.gzip import Unpacker
from qga_cli.guests import place
from qga_cli.guests.fold import fold
from qga_cli.guests.targets import selectors
from qga_cli.render import View, error_text
from qga_cli.shape import check
from qga_cli.terminal.by_python import PythonCarrier
from qga_cli.transports.stream import StreamTransport
from tests.kit import mutation

Chance = random.Random
Input = tuple[Any, ...]
COMMANDS = {command.wire: command for command in catalog.walk() if command.wire}
REPLIES = [(name, case["reply"]) for name, case in mutation.CASES if case.get("reply")]
FORMS = ("table", *("tsv", "csv", "json", "jsonl", "raw") * 6, "yaml")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_OURS = re.compile(r"\x1b\[[0-9;]*m")


def some_reply(chance: Chance) -> Input:
    """A command, its reply, and how that is to be shown."""
    name, reply = chance.choice(REPLIES)
    return name, mutation.line(chance, reply), chance.choice(FORMS)


def try_reply(name: str, line: str, form: str) -> None:
    """It is shown, harmless, or refused."""
    command = COMMANDS[name]
    value = wire.decode(line)
    check(value, {} if command.result is None else command.result)
    shown = View(command, output=form, terminal=True).one(value, line)
    assert not _UNSAFE.search(_OURS.sub("", shown))
    shown.encode()
    if form in ("json", "raw") and shown:
        json.loads(shown, parse_constant=_no_json)
    elif form in ("tsv", "csv"):
        assert shown.count("\n") == len(shown.splitlines())


def some_stream(chance: Chance) -> Input:
    """A seed for the token, and what an agent sends: before, at and after its synchronisation."""
    seed = chance.getrandbits(31)
    token = Chance(seed).getrandbits(31)
    stale = b"".join(
        mutation.cut_up(chance, b'{"return": {}}\n') for _ in range(chance.randrange(3))
    )
    reply = mutation.line(chance, chance.choice(REPLIES)[1]).encode("utf-8", "surrogatepass")
    sync = b'\xff{"return": %d}\n' % token
    if chance.random() < 0.3:
        sync = mutation.cut_up(chance, sync)
    reply = reply[:60_000] + b"\n" * 2
    return seed, stale + sync + (mutation.cut_up(chance, reply) if chance.random() < 0.5 else reply)


def try_stream(seed: int, data: bytes) -> None:
    """The transport finds a line in it, or says what is wrong."""
    ours, theirs = socket.socketpair()
    with theirs, ours:
        transport = StreamTransport(lambda timeout: ours, "test")
        random.seed(seed)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        try:
            line = transport.call('{"execute":"guest-ping"}', 5)
            assert "\n" not in line
            wire.decode(line)
        finally:
            transport.close()


class Scripted:
    """A transport that answers each command with a line of its own."""

    read_chunk = write_chunk = 2**20

    def __init__(self, lines: dict[str, str]) -> None:
        self.lines = lines

    def call(self, text: str, timeout: float) -> str:
        """The line for it; else that it is not known."""
        return self.lines.get(wire.name_of(text), '{"error": {"desc": "not found"}}')

    def resync(self) -> None:
        """Nothing is in flight."""


def some_refusal(chance: Chance) -> Input:
    """A command, the agent's words, and its answers to what is asked to explain them."""
    _, case = chance.choice(mutation.CASES)
    asked = ("guest-info", "guest-get-osinfo", "guest-fsfreeze-status")
    also = {**dict(REPLIES), **case.get("also", {})}
    answers = tuple((name, mutation.line(chance, also.get(name, {"return": {}}))) for name in asked)
    desc = case.get("reply", {}).get("error", {}).get("desc", "Command x has been disabled")
    if chance.random() < 0.7:
        desc = mutation.cut_up(chance, desc.encode()).decode("utf-8", "surrogateescape")
    return chance.choice(list(COMMANDS)), desc + mutation.text(chance), answers


def try_refusal(name: str, desc: str, answers: tuple[tuple[str, str], ...]) -> None:
    """The error is one line, and perhaps a hint."""
    agent = Agent(Scripted(dict(answers)), "web1", lambda level, text: None)  # type: ignore[arg-type]
    error = refusal.explain(agent.ask, COMMANDS[name], desc)
    assert isinstance(error, Refused)
    text = error_text(error, desc)
    assert not _UNSAFE.search(text.replace("\n", ""))
    assert text.count("\n") == 1 + bool(error.hint)
    assert len(text) < 20 * (len(desc) + 200)
    json.loads(error_text(error, desc, as_json=True).encode())


def try_words(text: str) -> None:
    """What a user may type, or a name that a hypervisor may have."""
    with suppress(QgaError):
        spot = place.parse(text)
        assert place.parse(str(spot)).path == spot.path
        assert not {"/", *("\\" if spot.windows else "")} & set(spot.name)
    with suppress(QgaError):
        assert selectors(text, None, {"a": "test:///a"}, {"g": ["web*"]})
    fold([text, text + "1", text + "2"])
    with suppress(QgaError):
        quoted = context.quote(text)
        assert "\n" not in quoted
        assert shlex.split(quoted) == [text.replace("\n", "$nl")]
    secret = wire.traced(wire.encode("guest-exec", {"arg": [text], "env": [f"{text}=canary"]}))
    assert "canary" not in secret


class Ignored:
    """A receiver that only counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def entry(self, info: tarfile.TarInfo) -> None: ...

    def data(self, offset: int, data: bytes) -> None:
        self.bytes += len(data)

    def end(self) -> None: ...


def try_archive(data: bytes, step: int) -> None:
    """It is read, or refused; nothing comes out that was not in it."""
    receiver = Ignored()
    with suppress(QgaError):
        reader = TarReader(receiver)
        for at in range(0, len(data), step):
            reader.write(data[at : at + step])
    assert receiver.bytes <= len(data)
    with suppress(QgaError):
        Unpacker(lambda part: None).write(b"\x1f\x8b\x08" + data)


def try_output(data: bytes, step: int) -> None:
    """Frames, rows and the mark of the end, however they are cut."""
    out: list[bytes] = []
    stream, carrier = Stream(out.append, b"MARK"), object.__new__(PythonCarrier)
    carrier._inbox, carrier._sent, carrier._done = bytearray(), 9, 0
    carrier._reader = reader = object.__new__(AgentFile)
    carrier.code = None
    with suppress(QgaError):
        for at in range(0, len(data), step):
            stream.feed(data[at : at + step])
            part = data[at : at + step]
            reader.read = lambda count, part=part: part  # type: ignore[misc, method-assign]
            carrier.pull()
    assert b"".join(out) == data.partition(b"MARK")[0][: len(b"".join(out))]
    for record in data.split(b"\0"):
        with suppress(QgaError):
            ls._row(record)


def _no_json(name: str) -> object:
    raise AssertionError(f"{name} in JSON")


TARGETS: tuple[tuple[Callable[[Chance], Input], Callable[..., None]], ...] = (
    (some_reply, try_reply),
    (some_reply, try_reply),
    (some_stream, try_stream),
    (some_refusal, try_refusal),
    (mutation.words, try_words),
    (mutation.archive, try_archive),
    (mutation.output, try_output),
)


def run(inputs: int, seed: int) -> None:
    """Try so many different inputs; raises at the first that fails."""
    chance, seen, counts = Chance(seed), set[int](), Counter[str]()
    while len(seen) < inputs:
        make, attempt = TARGETS[len(seen) % len(TARGETS)]
        given = make(chance)
        mark = hash((attempt, given))
        if mark in seen:
            continue
        seen.add(mark)
        try:
            attempt(*given)
            counts[f"{attempt.__name__}: a result"] += 1
        except QgaError:
            counts[f"{attempt.__name__}: an error of ours"] += 1
        except BaseException:
            sys.stderr.write(f"{attempt.__name__}{given!r}\n")
            raise
    for name, count in sorted(counts.items()):
        sys.stdout.write(f"{count:9,} {name}\n")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    run(options.inputs, options.seed)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{options.inputs:9,} different inputs in {seconds:.0f} s, none failed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
