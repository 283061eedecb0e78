"""A file of a Windows guest, opened to be read: a private copy of it, which locks nobody out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

    from qga_cli.windows.files import WindowsFiles


class CopyHandle:
    """A Handle to be read; see there."""

    def __init__(self, files: WindowsFiles, path: str) -> None:
        self._private = files.private
        self._number = self._private.open(files.copied(path), "r")

    def read(self, count: int) -> bytes:
        """At most `count` bytes from the position; b"" at the end."""
        return self._private.read(self._number, count)

    def write(self, data: bytes) -> NoReturn:
        """Never: a copy is written to a part instead."""
        raise NotImplementedError

    def seek(self, offset: int) -> None:
        """Move the position, counted from the start."""
        self._private.seek(self._number, offset, 0)

    def size(self) -> int:
        """Where the copy ends, and the position then."""
        return self._private.seek(self._number, 0, 2)

    def flush(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """Let go of it."""
        self._private.close(self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
