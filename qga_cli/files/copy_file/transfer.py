"""Copies one file: complete and verified, or not at all."""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack, closing

from qga_cli.errors import Interrupted, NotDelivered, OutcomeUnknown, QgaError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from qga_cli.files.copy_file.sources import FileSource
    from qga_cli.files.guest.facts import FileFacts

    class CopyTarget(Protocol):
        """What a file is copied to."""

        chunk: int  # bytes that one write carries best

        def begin(self, facts: FileFacts, prove: Callable[[int], str] | None) -> int:
            """Make ready; returns the offset to begin at, above 0 when a copy is resumed."""

        def write(self, offset: int, data: bytes) -> None:
            """Put `data` at `offset`, which never goes back."""

        def finish(self, facts: FileFacts, digest: str) -> None:
            """Compare with `digest` unless it is "", then put it in its place."""

        def abandon(self, *, keep: bool) -> str:
            """End without a result; the name of what stays for --resume, "" for nothing."""


ABSENT = "absent"  # for CopyOptions.replaces: there must be no file yet
_CUT_OFF = (Interrupted, NotDelivered, OutcomeUnknown, TimedOut)  # not the copy's own fault


class CopyOptions:
    """The options of a copy.

    `mode` and `owner` are those of files, None and "" where they come from elsewhere: an owner is
    USER[:GROUP] in the words of whoever gets the file.

    `special` lets a guest's files keep their set-user-ID bits; `limit` is --max-size, 0 without;
    `compress` is as on the command line, "" if it says nothing;
    `replaces` is the digest that a guest's file must still have to be replaced.
    """

    def __init__(
        self,
        *,
        follow: bool = False,
        preserve: bool = False,
        special: bool = False,
        verify: bool = True,
        resume: bool = False,
        limit: int = 0,
        replaces: str = "",
        umask: int = 0o022,
        compress: str = "",
        mode: int | None = None,
        owner: str = "",
    ) -> None:
        self.follow = follow
        self.preserve = preserve
        self.special = special
        self.verify = verify
        self.resume = resume
        self.limit = limit
        self.mode = mode
        self.owner = owner
        self.replaces = replaces
        self.umask = umask
        self.compress = compress

    @property
    def dresses(self) -> bool:
        """Whether a mode or an owner was named."""
        return self.mode is not None or bool(self.owner)


def transfer(
    source: FileSource,
    target: CopyTarget,
    options: CopyOptions,
    check: Callable[[], None],
    advance: Callable[[int], None],
    carry: Callable[[int], bool] | None = None,
    *,
    overlap: bool = True,
    keep: bool = True,
) -> None:
    """Copy one file. `check` raises when it is time to stop, `advance` is told of progress.

    `carry` moves the bytes from an offset on, where that need not be done piece by piece; False if
    it has done nothing. One piece is written while the next is read, unless `overlap` is false: an
    agent does not serve two threads. Without `keep` nothing of it stays when it is cut off.
    """
    try:
        position = target.begin(source.facts, source.prefix if options.resume else None)
        advance(position)
        if not carry or not carry(position):
            _carry(source, target, position, check, advance, overlap=overlap)
        check()
        target.finish(source.facts, source.digest() if options.verify else "")
    except BaseException as error:
        try:
            _leave(target, error, keep=keep and isinstance(error, _CUT_OFF))
        finally:
            source.abandon()
        raise


def _carry(
    source: FileSource,
    target: CopyTarget,
    position: int,
    check: Callable[[], None],
    advance: Callable[[int], None],
    *,
    overlap: bool,
) -> None:
    with ExitStack() as stack:
        pieces = stack.enter_context(closing(source.pieces(position, target.chunk)))
        write = target.write
        if overlap:
            write = stack.enter_context(closing(_WritingThread(write))).put
        for offset, data in pieces:
            check()
            write(offset, data)
            advance(offset + len(data) - position)
            position = offset + len(data)


class _WritingThread:
    """Writes a piece in a thread of its own while the next one is read."""

    def __init__(self, write: Callable[[int, bytes], None]) -> None:
        self._write = write
        self._error: BaseException | None = None
        self._pieces: queue.Queue[tuple[int, bytes] | None] = queue.Queue(1)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, offset: int, data: bytes) -> None:
        """Have a piece written. Raises what an earlier one has met."""
        if self._error:
            raise self._error
        self._pieces.put((offset, data))

    def close(self) -> None:
        """Return when all is written. Raises as `put`."""
        self._pieces.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def _work(self) -> None:
        while piece := self._pieces.get():
            if self._error is None:
                try:
                    self._write(*piece)
                except BaseException as error:  # raised in the other thread
                    self._error = error


def _leave(target: CopyTarget, error: BaseException, *, keep: bool) -> None:
    """Clean up, and tell how the copy can be completed."""
    try:
        left = target.abandon(keep=keep)
    except (QgaError, OSError) as second:
        if isinstance(error, QgaError):
            note = f"and cleaning up failed: {getattr(second, 'message', second)}"
            error.details = f"{error.details}; {note}".strip("; ")
        return
    if left and isinstance(error, QgaError):
        error.add(hint=f"what has come is kept in {left}: repeat with --resume to complete it")
