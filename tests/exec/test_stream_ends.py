"""The end of a program's stream over ports, in orders that a real guest shows once in a while."""

import subprocess
import threading
import time

import pytest

from qga_cli.exec import outputs
from qga_cli.exec.stream import ProgramStream
from tests.kit.running import GUARD, Started, eventually, readable

END = b"qga.0123456789abcdef "


class Port:
    """Gives what is put into it."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read(self, seconds: float) -> bytes:
        """See InPort."""
        if self._pieces:
            return self._pieces.pop(0)
        time.sleep(min(seconds, 5))
        return b""

    def add(self, piece: bytes) -> None:
        """Something comes."""
        self._pieces.append(piece)


class Channel:
    """Gives ports back slowly, each once."""

    def __init__(self) -> None:
        self.taken = ["in", "out"]

    def give_back(self, port: str, *, clean: bool = True) -> None:
        """See Channel."""
        there = port in self.taken
        time.sleep(0.2)
        assert there
        self.taken.remove(port)

    def close(self) -> None:
        """See Channel."""
        for port in list(self.taken):
            self.give_back(port, clean=False)


class Calls:
    """Nothing is to be reaped."""

    def reap(self, pids: list[int]) -> None:
        """See AgentCalls."""


def stream_of(*pieces: bytes, seconds: float = 0.2) -> tuple[ProgramStream, Channel, Port]:
    stream = ProgramStream.__new__(ProgramStream)
    channel, port = Channel(), Port(*pieces)
    stream.code, stream._open, stream._bare = None, True, False
    stream._held, stream._pieces = seconds, []
    stream._output = outputs.Stream(stream._pieces.append, END.strip(), seconds)
    stream._giving, stream._sent, stream._pid = threading.Lock(), 0, 1
    given = {"_channel": channel, "_out": port, "_in": "in", "_calls": Calls()}
    for name, value in given.items():
        setattr(stream, name, value)
    stream._given = lambda: 0  # type: ignore[method-assign]
    return stream, channel, port


def passed(output: outputs.Stream) -> bool:
    output.rest()
    return not output.waits


def test_an_output_that_ends_as_the_end_begins_is_not_kept_for_ever() -> None:
    stream, _, port = stream_of(b"yes q")
    assert stream.read(3) == b"yes "
    assert stream.read(3) == b"q"
    port.add(b"uit" + END[:7])
    assert stream.read(3) == b"uit"
    port.add(END[7:] + b"3\n")
    assert stream.read(3) == b""
    assert stream.code == 3


def test_who_reads_lets_go_while_who_writes_ends_the_input() -> None:
    """Each gave the same port back: a ValueError on the screen."""
    stream, channel, _ = stream_of()
    channel.taken.remove("out")
    failed: list[BaseException] = []

    def end() -> None:
        try:
            stream.end_input()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=end)
    thread.start()
    time.sleep(0.05)
    stream.close()
    thread.join()
    assert (failed, channel.taken) == ([], [])


def test_where_no_byte_waits_all_is_there_in_order() -> None:
    stream, _, port = stream_of(b"yes q", seconds=0.0)
    assert stream.read(0) == b"yes q"
    port.add(b"uit q" + END[1:7])
    assert stream.read(0) == b"uit q" + END[1:7]
    port.add(END[7:] + b"130\n")
    assert (stream.read(0), stream.code) == (b"", 130)


def test_what_begins_as_the_end_is_passed_on_once() -> None:
    given: list[bytes] = []
    stream = outputs.Stream(given.append, END.strip(), 0.3)
    stream.feed(b"or q")
    stream.rest()
    assert (given, stream.waits) == ([b"or "], True)
    assert eventually(lambda: passed(stream))
    stream.rest()
    assert given == [b"or ", b"q"]
    stream.feed(b"ga!q")
    assert (b"".join(given), stream.ended) == (b"or qga!", False)
    assert eventually(lambda: passed(stream))
    stream.feed(END[1:] + b"7\n")  # it was the end: it is found all the same
    assert (b"".join(given), stream.ended, stream.last) == (b"or qga!q", True, " 7")


@pytest.mark.slow
def test_a_program_that_waits_after_a_q_is_answered(local_agent: str) -> None:
    """Over a tunnel every frame may end with any byte."""
    program = "printf q; read -r line; echo $line; exit 3"
    started = Started(
        "-c", local_agent, "exec", "x", "--", "sh", "-c", program, stdin=subprocess.PIPE
    )
    try:
        assert readable(started.stdout.fileno(), 30), "held"
        assert started.stdout.read(1) == b"q"
        assert started.process.communicate(b"ready\n", timeout=GUARD) == (b"ready\n", b"")
        assert started.process.returncode == 3
    finally:
        started.process.kill()
        started.process.wait()
