"""An open file of a guest: by the agent's file commands, or by dd where they may not be used."""

from __future__ import annotations

import os

from qga_cli.agent.file import AgentFile
from qga_cli.errors import BadReply, NotConnected, QgaError, Refused
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, Self

    from qga_cli.files.guest.access import Access
    from qga_cli.spec import Command

    class Handle(Protocol):
        """What both ways can do. A context manager; sequential unless told to seek."""

        def read(self, count: int) -> bytes:
            """At most `count` bytes from the position; b"" at the end."""

        def write(self, data: bytes) -> None:
            """All of `data` at the position."""

        def seek(self, offset: int) -> object:
            """Move the position, counted from the start."""

        def size(self) -> int:
            """Where the file ends now. The position is at that end afterwards."""

        def flush(self) -> None:
            """Hand what is buffered in the agent to the guest's kernel."""

        def close(self) -> None:
            """Let go of it. Raises what the agent says to that."""

        def __enter__(self) -> Self: ...

        def __exit__(self, kind: object, error: object, trace: object, /) -> None: ...


class FileHandle(AgentFile):
    """A Handle that is the agent's."""

    def __init__(self, access: Access, path: str, mode: str, told: str = "") -> None:
        self._access = access
        self._name = told or path  # as messages have it
        chunk = access.agent.transport.write_chunk
        super().__init__(self._ask, path, mode, shown=self._name, chunk=chunk)
        access.agent.patient = True  # from now on there is something to lose

    def read(self, count: int) -> bytes:
        """See Handle. Raises BadReply when the agent's numbers and its data disagree."""
        return super().read(min(count, self._access.agent.transport.read_chunk))

    def size(self) -> int:
        try:
            return self.seek(0, os.SEEK_END)
        except Refused:  # by tmpfs, for a folder: what is wrong is said by who reads it
            self.read(1)
            raise

    def close(self) -> None:
        """See Handle. There is always time for it: an agent keeps open files for ever."""
        self._access.grace()
        super().close()

    def _ask(self, command: Command, arguments: dict[str, object]) -> Any:
        """The result of one file command. The agent's errors rarely name the file: ours do."""
        try:
            return self._access.agent.call(command, arguments).value
        except Refused as error:
            guest = self._access.target
            if error.desc.startswith("handle ") and "has not been found" in error.desc:
                gone = NotConnected("the agent was restarted: its open files are gone")
                raise gone.of(guest) from error
            if type(error) is not Refused:
                raise
            reason = error.desc.rpartition(": ")[2]
            told = Refused(f"{self._name}: {reason}", desc=error.desc, hint=error.hint)
            raise told.of(guest) from error

    def _lie(self, what: str) -> BadReply:
        return super()._lie(what).of(self._access.target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except QgaError as failed:
            if error is None:
                raise
            self._access.agent.trace(1, f"the handle could not be closed: {failed.said()}")


class ExecHandle:
    """A Handle by one dd for each chunk: for policies without file commands, and for names that
    are no UTF-8, which the file commands cannot be told."""

    chunk = 2**20  # of output captured: far below the 3 MB that pass through libvirt

    def __init__(self, access: Access, path: str, mode: str) -> None:
        self._access = access
        self._path = path
        self._position = 0
        if mode == "w":
            access.run(script("files/empty"), path)

    def read(self, count: int) -> bytes:
        count = min(count, self.chunk)
        data = self._dd(f"if={self._path}", "bs=64k", "iflag=skip_bytes,count_bytes,fullblock",
                        f"skip={self._position}", f"count={count}")  # fmt: skip
        if len(data) > count:
            raise self._access.lie(f"dd was asked for {count} bytes and sent {len(data)}")
        self._position += len(data)
        return data

    def write(self, data: bytes) -> None:
        """See Handle. dd's own exit code tells of a short write."""
        for start in range(0, len(data), self._access.agent.transport.write_chunk):
            part = data[start : start + self._access.agent.transport.write_chunk]
            self._dd(f"of={self._path}", "bs=64k", "oflag=seek_bytes", "iflag=fullblock",
                     "conv=notrunc", f"seek={self._position}", stdin=part)  # fmt: skip
            self._position += len(part)

    def seek(self, offset: int) -> None:
        self._position = offset

    def size(self) -> int:
        text = self._access.run(script("files/size"), self._path).strip()
        if not text.isdigit() or len(text) > 19:
            raise self._access.lie(f"the guest says that {self._path} has {text[:40]!r} bytes")
        self._position = int(text)
        return self._position

    def flush(self) -> None:
        """See Handle. dd leaves nothing buffered."""

    def close(self) -> None:
        """See Handle. Nothing is open between two calls."""

    def _dd(self, *words: str, stdin: bytes = b"") -> bytes:
        return self._access.run(script("files/dd"), *words, stdin=stdin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


def open_handle(access: Access, path: str, mode: str, *, told: str = "") -> Handle:
    """`path` opened as by fopen (r, r+, w), the way that policy and name allow.

    Errors call it `told`, where it goes by another name.
    """
    if access.cmd and mode == "r":
        from qga_cli.windows.handle import CopyHandle

        return CopyHandle(access.cmd, path)
    if access.exec and not access.opens(path):
        return ExecHandle(access, path, mode)
    return FileHandle(access, path, mode, told)
