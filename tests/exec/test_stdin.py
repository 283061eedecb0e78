"""Whether a program's input goes along with the request is told by the input, not by our haste."""

import io
import os
import threading
import time

import pytest

from qga_cli.agent import Agent
from qga_cli.exec.run import run
from qga_cli.exec.stdin import InputFeed
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.kit.running import eventually, execute


class SlowPipe:
    """A pipe from which our thread reads late, as on a machine with much to do."""

    def __init__(self, data: bytes, *, ended: bool) -> None:
        self.reader, self.writer = os.pipe()
        os.write(self.writer, data)
        if ended:
            os.close(self.writer)

    def fileno(self) -> int:
        return self.reader

    def read(self, count: int, /) -> bytes:
        time.sleep(0.1)
        return os.read(self.reader, count)


def test_what_is_there_is_waited_for() -> None:
    """An empty pipe was taken for one that is silent, and ports were plugged for it."""
    assert InputFeed(SlowPipe(b"", ended=True)).small() == b""
    assert InputFeed(SlowPipe(b"few", ended=True)).small() == b"few"


def test_what_may_come_is_not() -> None:
    pipe = SlowPipe(b"few", ended=False)
    began = time.monotonic()
    assert InputFeed(pipe).small() is None
    assert time.monotonic() - began < 0.5
    os.close(pipe.writer)


@pytest.mark.slow
def test_no_thread_stays_for_input_that_nobody_takes(local_agent: str) -> None:
    """Each run of a library's user left one, with a megabyte, for as long as he lived."""
    before = threading.active_count()
    for _ in range(3):
        assert execute(local_agent, "head", "-c1", stdin=bytes(10_000_000)).out == b"\0"
    assert eventually(lambda: threading.active_count() <= before)


@pytest.mark.slow
def test_what_a_source_raises_reaches_who_has_made_it(local_agent: str) -> None:
    """The program waited for its input for ever."""

    class Broken(io.RawIOBase):
        def read(self, count: int = -1, /) -> bytes:
            raise ZeroDivisionError

    agent = Agent(connect(local_agent).open("x"), "x")
    with pytest.raises(ZeroDivisionError):
        run(agent, ["cat"], stdin=Broken(), stdout=bool, stderr=bool, interrupt=Interrupt())
    agent.transport.close()
