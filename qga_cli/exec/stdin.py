"""The input of a program in the guest: in the request if it is small, else streamed."""

from __future__ import annotations

import contextlib
import queue
import select
import threading
import time

from qga_cli.errors import FileError, Interrupted, QgaError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from qga_cli.agent import Agent
    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.keeper import Keeper
    from qga_cli.interrupt import Interrupt

    class InputSource(Protocol):
        """What a program's input is read from: any file, or less. With a method `read1`, this is
        called instead: it returns what is there. One whose `converses` is true ends when the
        program's output has: a program that starts only then is not run."""

        def read(self, count: int, /) -> bytes:
            """Up to `count` bytes; empty at the end."""


_INLINE = 48 * 1024  # bytes that go along in the request that starts the program
_MOMENT = 0.03  # seconds to see whether the input is as small as that
_BUSY = 1.0  # seconds for our thread to fetch what is there, on a machine with much to do
_SILENT = 1.0  # seconds of input that does not come, after which we say what we wait for
_PIECE = 64 * 1024
_AHEAD = 16  # pieces read ahead
_SPOOL = 2 * 2**20  # bytes in the keeper's spool file before dd carries them into the pipe


class InputFeed:
    """Reads `source` in a thread of its own, which a silent source may hold for ever."""

    def __init__(self, source: InputSource) -> None:
        self._source = source
        self.pids: list[int] = []  # the dd that carries input into the program's pipe
        self._pieces: queue.Queue[bytes | Exception] = queue.Queue(_AHEAD)
        self._over = False  # nobody takes pieces any more
        self._first = b""
        self._at_end = False
        self._told = False
        self._file = 0  # handle of the spool file while it is filled
        self._filled = 0
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def small(self) -> bytes | None:
        """All of the input if it is small and there by now; None if it must be streamed.

        Raises FileError when it cannot be read.
        """
        begun = time.monotonic()
        until, latest = begun + _MOMENT, begun + _BUSY
        while not (self.large or self._at_end):
            try:
                self._take(self._pieces.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                until = time.monotonic() + _MOMENT
                if until > latest or not self._is_there():
                    break
        return self._first if self._at_end and not self.large else None

    def _is_there(self) -> bool:
        """Whether there is more of it, or its end, that our thread has not come to yet."""
        if not hasattr(self._source, "fileno"):
            return False
        look = select.poll()
        try:
            look.register(self._source.fileno(), select.POLLIN)
        except (OSError, ValueError):  # it has no number, or is closed
            return False
        return bool(look.poll(0))

    @property
    def converses(self) -> bool:
        """Whether what is read next depends on what the program writes."""
        return getattr(self._source, "converses", False)

    @property
    def large(self) -> bool:
        """Whether more of it is there by now than goes along in the request."""
        return len(self._first) > _INLINE

    def whole(self, agent: Agent, interrupt: Interrupt) -> bytes:
        """All of it, waited for. Raises UsageError if it is more than goes along in a request."""
        wait = _Wait(agent)
        while (given := self.small()) is None:
            if self.large:
                raise UsageError(
                    f"a program started this way gets {_INLINE // 1024} KiB of input at most",
                    hint="-n gives it none",
                )
            if interrupt.count:
                raise Interrupted(interrupt.last)
            wait.look()
        return given

    def pieces(self, agent: Agent) -> Iterator[bytes]:
        """All of it, as it comes, for whoever takes it before the program starts; empty pieces
        while there is none."""
        wait = _Wait(agent)
        while self._first or not self._at_end:
            piece, self._first = self._first, b""
            yield piece
            if not piece:
                wait.look()
            with contextlib.suppress(queue.Empty):
                self._take(self._pieces.get_nowait())

    def more(self) -> bytes | None:
        """The next piece, empty at the end; None when there is none for a second. For a thread."""
        if not (self._first or self._at_end):
            try:
                self._take(self._pieces.get(timeout=1.0))
            except queue.Empty:
                return None
        piece, self._first = self._first, b""
        return piece

    def begin(self, calls: AgentCalls, keeper: Keeper) -> None:
        """Stream it from now on."""
        self._calls = calls
        self._keeper = keeper
        self._most = min(calls.agent.transport.write_chunk, 96 * 1024)

    def step(self) -> bool:
        """Carry a piece, if there is one. Returns whether something happened."""
        if self.pids:
            status = self._calls.status(self.pids[0])
            if not status["exited"]:
                return False
            self.pids = []
            if status.get("exitcode") != 0:
                raise QgaError(
                    "the program's input is lost: dd was ended in the guest, or this qga was "
                    "stopped for longer than 40 seconds"
                )
            return True
        while len(self._first) < self._most and not self._at_end:
            try:
                self._take(self._pieces.get_nowait())
            except queue.Empty:
                break
        piece, self._first = self._first[: self._most], self._first[self._most :]
        if self._file or (self._keeper.spools and len(piece) == self._most):
            self._spool(piece)
        elif piece:
            self._carry(piece)
        elif self._at_end and not self._told:
            self._told = True
            self._keeper.tell("eof")
        else:
            return False
        return True

    def _spool(self, piece: bytes) -> None:
        """Write to the spool file; when there is no more for now, or enough, dd carries it on."""
        path = self._keeper.path(3)
        if not self._file:
            self._file, self._filled = self._calls.open(path, "w"), 0
        if piece:
            self._calls.write(self._file, piece)
            self._filled += len(piece)
        if len(piece) < self._most or self._filled >= _SPOOL:
            self.close()
            self._carry(b"", f"if={path}")

    def _carry(self, piece: bytes, *source: str) -> None:
        words = (*source, f"of={self._keeper.path(8)}", "bs=64k")
        self.pids = [self._keeper.dd(*words, stdin=piece)]

    def close(self) -> None:
        """Let go of the spool file."""
        file, self._file = self._file, 0  # also where that fails: it is not tried again
        if file:
            self._calls.close(file)

    def stop(self) -> None:
        """The program takes no more of it. The thread ends, unless its source holds it."""
        self._over = True

    def _take(self, piece: bytes | Exception) -> None:
        if isinstance(piece, OSError):
            raise FileError(f"the input cannot be read: {piece.strerror or piece}") from piece
        if isinstance(piece, Exception):  # a library's user has made that source
            raise piece
        self._at_end = not piece
        self._first += piece

    def _read(self, source: InputSource) -> None:
        # read1 hands on what a slow writer has written; plain objects have read only.
        read = getattr(source, "read1", source.read)
        piece: bytes | Exception = b"."
        while piece and not (self._over or isinstance(piece, Exception)):
            try:
                piece = read(_PIECE)
            except ValueError:  # closed under us: the end, as for any reader
                piece = b""
            except OSError as error:
                # A terminal that has been closed is at its end too, and SIGHUP tells.
                piece = b"" if hasattr(source, "isatty") and source.isatty() else error
            except Exception as error:  # raised where it is taken
                piece = error
            while not self._over:
                with contextlib.suppress(queue.Full):
                    self._pieces.put(piece, timeout=_BUSY)
                    break


class _Wait:
    """Tells once, after a second, that a program is not started before its input has ended.

    `ssh HOST qga exec -d VM -- job` has an input that never does.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._until: float | None = time.monotonic() + _SILENT

    def look(self) -> None:
        """Called while nothing comes."""
        if self._until and time.monotonic() > self._until:
            self._until = None
            name = self._agent.name
            self._agent.trace(
                0, f"{name}: waiting for the end of the input; -n gives the program none"
            )
