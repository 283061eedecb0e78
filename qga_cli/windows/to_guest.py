"""A Windows guest's end of a copy: a part next to its final name, moved there at the end.

What is there already is replaced in one step, and by nothing else than the whole copy. The file
gets the access list that its folder hands down.
"""

from __future__ import annotations

import hashlib
import os

from qga_cli.errors import FileError, QgaError, Refused
from qga_cli.windows.paths import join, parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from qga_cli.windows.files import WindowsFiles

    class Facts(Protocol):
        """What counts of a source here."""

        @property
        def size(self) -> int | None:
            """In bytes; None where it is not known yet."""


_SUFFIX = ".qga-part"


class WindowsTarget:
    """One file; see CopyTarget for the steps. `replaces` is the digest that a file which is there
    must still have, "absent" if there must be none."""

    def __init__(
        self, files: WindowsFiles, path: str, name: str, *, folder: bool, replaces: str
    ) -> None:
        self.chunk = files.private.calls.agent.transport.write_chunk
        self._files = files
        self._private = files.private
        self._final = files.place(path, name, folder=folder)
        self._replaces = replaces
        self._target = files.target
        self._part = ""
        self._handle: int | None = None
        self._position = 0

    def begin(self, facts: Facts, prove: Callable[[int], str] | None) -> int:
        """Make a part, or go on with one that an interrupted copy has left."""
        self._must_be()
        start = self._adopt(facts.size or 0, prove) if prove else 0
        if not self._part:
            self._part = f"{self._beginning}{os.urandom(8).hex()}{_SUFFIX}"
            self._handle = self._open("w")
        self._position = start
        return start

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; zeros go where it skips some."""
        assert self._handle is not None
        while self._position < offset:
            self._put(bytes(min(offset - self._position, self.chunk)))
        self._put(data)

    def finish(self, facts: Facts, digest: str) -> None:
        """Compare what came with `digest`, then give it its name."""
        if facts.size is not None:
            self.write(facts.size, b"")
        self._close()
        if digest and self._digest(self._part) != digest:
            wrong = FileError(f"{self._final}: what arrived is not what was sent")
            raise wrong.of(self._target)
        self._must_be()
        self._files.move(self._part, self._final)
        self._part = ""

    def abandon(self, *, keep: bool) -> str:
        """Remove the part, or leave it for --resume."""
        if not self._part:
            return ""
        self._close()
        if keep and self._position:
            return self._part
        try:
            self._files.remove([self._part], recursive=False, force=True)
        except QgaError as error:
            self._private.calls.agent.trace(0, f"{self._part} could not be removed: {error.said()}")
        return ""

    @property
    def _beginning(self) -> str:
        return join(parent(self._final), f".{self._final.rpartition(chr(92))[2]}.")

    def _open(self, mode: str) -> int:
        try:
            return self._private.open(self._part, mode)
        except Refused as error:
            reason = error.desc.rpartition(": ")[2]
            told = type(error)(f"{self._final}: {reason}", desc=error.desc, hint=error.hint)
            raise told.of(self._target) from error

    def _put(self, data: bytes) -> None:
        assert self._handle is not None
        if data:
            self._private.write(self._handle, data)
            self._position += len(data)

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._private.close(handle)

    def _digest(self, path: str) -> str:
        """Of a private file, as the guest has it."""
        digest = hashlib.sha512()
        with self._private.closing(self._private.open(path, "r")) as handle:
            while piece := self._private.read(handle):
                digest.update(piece)
        return digest.hexdigest()

    def _must_be(self) -> None:
        """Raise FileError unless the file that is there is still the one to be replaced."""
        if not self._replaces:
            return
        found = "absent"
        if self._files.exists(self._final):
            self._files.forget(self._final)
            found = self._digest(self._files.copied(self._final))
        if found != self._replaces:
            changed = f"{self._final}: changed in the guest meanwhile, and is left alone"
            raise FileError(changed).of(self._target)

    def _adopt(self, size: int, prove: Callable[[int], str]) -> int:
        """Go on with the longest part that is equal to the source so far; remove the others."""
        start = 0
        found = self._files.parts(self._beginning, _SUFFIX)
        for path, length in sorted(found.items(), key=lambda item: -item[1]):
            if not start and 0 < length <= size and self._digest(path) == prove(length):
                self._part, start = path, length
            else:
                self._files.remove([path], recursive=False, force=True)
        if start:
            self._handle = self._open("r+")
            self._private.seek(self._handle, start, 0)
        return start
