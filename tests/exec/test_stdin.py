"""Whether a program's input goes along with the request is told by the input, not by our haste."""

import os
import time

from qga_cli.exec.stdin import InputFeed


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
