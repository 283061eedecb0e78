"""The output of a program in the guest, carried to us from the pipes that its keeper holds.

Either in files (`Spooled`): dd fills one of bounded size while another is read, so a program
faster than the agent waits as at any pipe. Or, where file commands are blocked, in the captured
output of one dd after another (`Polled`), a pipe's worth each.
"""

from __future__ import annotations

import time

from qga_cli.agent.program import captured
from qga_cli.errors import BadReply, QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.exec.calls import AgentCalls

_BLOCKS = 128  # of 64 KiB: 8 MiB in a spool file, one dd for each
_HALF = 4 * 2**20  # bytes of a spool file after which the next one is prepared
_LAST = 64 * 1024  # bytes from the end mark to the end of its line, which are a few
HELD = 1.0  # seconds that what may be the beginning of the mark waits for the rest of it
_SMALL = 64 * 1024  # bytes to ask for while little comes: the agent clears as many each time


class Stream:
    """One stream of the program: passes its bytes on, and knows where it ends.

    The wrapper writes the end mark into the pipe, after the program's last byte; what background
    children write later comes after it. Output that ends as the mark begins, with a `q`, waits
    `seconds` for the rest of it, no longer: the program may wait for an answer.
    """

    def __init__(self, sink: Callable[[bytes], object], mark: bytes, seconds: float = HELD) -> None:
        self._sink = sink
        self._mark = mark
        self._seconds = seconds
        self._held = b""  # may be the beginning of the mark
        self._passed = 0  # bytes of it that were passed on already
        self._since = 0.0  # when the last of it came
        self.last = ""  # what follows the mark: exit code and words
        self.ended = False
        self.begun = False

    def feed(self, data: bytes) -> None:
        """The next bytes of the pipe."""
        if self.ended or not data:
            return
        if self._held:
            data = self._held + data
        at = data.find(self._mark)
        if at < 0:
            at = len(data) - self._overlap(data)
        else:
            line, newline, _ = data[at + len(self._mark) :].partition(b"\n")
            self.ended = bool(newline)
            self.last = line.decode("ascii", "replace")
        given = data[self._passed : at]
        self._passed = max(0, self._passed - at)
        self._held = data[at:]
        self._since = time.monotonic()
        if len(self._held) > _LAST:
            raise BadReply("what the guest says of the program's end has no end itself")
        self._give(given)

    @property
    def waits(self) -> bool:
        """Whether there is what may be the beginning of the mark, and was not passed on."""
        return self._passed < len(self._held) < len(self._mark)

    def rest(self) -> None:
        """Nothing comes: what may be the beginning of the mark, and has waited, is passed on.

        The wrapper writes the mark at once, so the rest of it would be here.
        """
        if self.waits and time.monotonic() >= self._since + self._seconds:
            given, self._passed = self._held[self._passed :], len(self._held)
            self._give(given)

    def _give(self, data: bytes) -> None:
        if data:
            self.begun = True
            self._sink(data)

    def _overlap(self, data: bytes) -> int:
        """How many of the last bytes the mark may begin with."""
        for length in range(min(len(self._mark) - 1, len(data)), 0, -1):
            if data.endswith(self._mark[:length]):
                return length
        return 0


class Spooled:
    """A stream through spool files of the keeper, one after the other."""

    def __init__(
        self,
        calls: AgentCalls,
        stream: Stream,
        pipe: str,
        files: list[str],
        dd: Callable[..., int],
    ) -> None:
        self.stream = stream
        self._dd = dd
        self._calls = calls
        self._pipe = pipe
        self._free = [_File(path, calls.open(path, "r+")) for path in files]
        self._all = tuple(self._free)
        self._filled: list[_File] = []  # in order; the first is read, the last may still grow

    @property
    def pids(self) -> list[int]:
        """The dd that still runs, if one does."""
        return [file.pid for file in self._filled if file.pid]

    def step(self) -> bool:
        """Carry a piece, if there is one. Returns whether there was."""
        if self._free and not self.pids:
            self._fill(self._free.pop(0))
        first = self._filled[0]
        complete = not first.pid
        data = self._calls.read(first.handle, first.count)
        if data:
            # A megabyte a call is fastest; a quiet stream must not cost the agent that much.
            full = len(data) == first.count
            first.count = self._calls.agent.transport.read_chunk if full else _SMALL
            self.stream.feed(data)
        elif complete:
            self._empty(self._filled.pop(0))
            return True
        first.read += len(data)
        if self.pids and not self.stream.ended and (not data or first.read > _HALF):
            self._look(self._filled[-1])
            if not data and self.pids:
                self.stream.rest()
        return bool(data)

    def close(self) -> None:
        """Close the handles."""
        for file in self._all:
            self._calls.close(file.handle)

    def _fill(self, file: _File) -> None:
        file.pid = self._dd(f"if={self._pipe}", f"of={file.path}", "bs=64k", f"count={_BLOCKS}")
        self._filled.append(file)

    def _look(self, file: _File) -> None:
        status = self._calls.status(file.pid)
        if status["exited"]:
            file.pid = 0
            if "signal" in status:
                raise QgaError(
                    "the program's output is lost: dd was ended in the guest, or the guest did not "
                    "hear of this qga for 40 seconds (it was stopped, or the agent busy)"
                )
            if status.get("exitcode") != 0:
                raise QgaError(
                    "the program's output is lost: the guest has no room for it any more"
                )

    def _empty(self, file: _File) -> None:
        """Make room before dd does: what dd has not truncated yet would be read again."""
        self._calls.close(self._calls.open(file.path, "w"))
        self._calls.seek(file.handle, 0)
        file.read = 0
        self._free.append(file)


class _File:
    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self.handle = handle
        self.pid = 0  # of the dd that writes it
        self.count = _SMALL  # bytes to ask for
        self.read = 0


class Polled:
    """A stream through captured output: needs no file commands and no room in the guest."""

    def __init__(
        self, calls: AgentCalls, stream: Stream, pipe: str, dd: Callable[..., int]
    ) -> None:
        self.stream = stream
        self.pids: list[int] = []
        self._calls = calls
        self._pipe = pipe
        self._dd = dd

    def step(self) -> bool:
        """Carry a piece, if there is one. Returns whether there was."""
        if not self.pids:
            # It returns what there is, not more.
            self.pids = [self._dd(f"if={self._pipe}", "bs=64k", "count=1", capture=True)]
        status = self._calls.status(self.pids[0])
        if status["exited"]:
            self.pids = []
            if status.get("exitcode") != 0:
                raise QgaError("the program's output is lost: dd failed in the guest")
            self.stream.feed(captured(status)[0])
        else:
            self.stream.rest()
        return bool(status["exited"])

    def close(self) -> None:
        """Nothing is open."""
