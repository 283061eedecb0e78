"""`tail -f` in a Windows guest: pieces of a file that others write, and which nobody is kept from.

curl.exe, which Windows has since 10 1803, reads a range of a file without locking it. Without it,
and for paths that are not ASCII, the file is copied anew for each look.
"""

from __future__ import annotations

from urllib.parse import quote

from qga_cli.agent.program import captured
from qga_cli.errors import FileError, Refused
from qga_cli.format import size as human
from qga_cli.windows.paths import full
from qga_cli.windows.private import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from qga_cli.windows.files import WindowsFiles

_PIECE = 512 * 1024  # bytes of a look: its reply stays below 1 MiB
_MOST = 64 * 2**20  # bytes of a file that is copied for each look
_PAST_THE_END = 33, 36, 37  # curl's exit codes for a file that is shorter, or is not there
_FIRST, _CEILING = 0.2, 2.0  # seconds between two looks: short again after each find


class WindowsFollower:
    """One file, followed by its name. `pause` waits so many seconds and may raise."""

    def __init__(
        self, files: WindowsFiles, path: str, write: Callable[[bytes], object],
        pause: Callable[[float], object], say: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._files = files
        self._private = files.private
        self._path = path
        self._write = write
        self._pause = pause
        self._say = say
        self._curl = full(path).isascii() and not full(path).startswith("\\\\")

    def follow(self, position: int) -> NoReturn:
        """Pass on all that comes after `position`. Ends by raising."""
        pause = _FIRST
        while True:
            data = self._look(position)
            if data is None:
                self._say("file truncated or replaced")
                position = 0
            elif data:
                self._write(data)
                position += len(data)
                pause = _FIRST
            else:
                self._pause(pause)
                pause = min(pause * 1.5, _CEILING)

    def _look(self, position: int) -> bytes | None:
        """What is there from `position` on; None if the file is shorter by now."""
        if self._curl:
            try:
                return self._range(position)
            except Refused as error:
                self._curl = False
                self._private.calls.agent.trace(1, f"no curl.exe: {error.said()}")
        return self._copy(position)

    def _range(self, position: int) -> bytes | None:
        url = "file:///" + quote(full(self._path).replace("\\", "/"), safe="/:")
        span = f"{position}-{position + _PIECE - 1}"
        status = self._private.finish(
            self._private.calls.start(["curl.exe", "-s", "-r", span, url], capture=True)
        )
        code = code_of(status)
        if code not in (0, *_PAST_THE_END):
            raise Refused(f"curl.exe's exit code is {code}")
        if code == 0:
            return captured(status)[0]
        # It gives the same code for a file that is gone and for one that is shorter.
        try:
            size = self._files.size(self._path)
        except Refused:
            return b""  # between two rotations there may be none
        return None if size is not None and size < position else b""

    def _copy(self, position: int) -> bytes | None:
        try:
            size = self._files.size(self._path) or 0
        except Refused:
            return b""
        if size > _MOST:
            raise FileError(
                f"{self._path}: has {human(size)}, and without curl.exe each look copies all of it"
            )
        self._files.forget(self._path)
        with self._private.closing(self._private.open(self._files.copied(self._path), "r")) as on:
            if self._private.seek(on, 0, 2) < position:
                return None
            self._private.seek(on, position, 0)
            return self._private.read(on)
