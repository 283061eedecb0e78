"""The host's end of a copy that is no file: standard output, a FIFO, a device."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import time

from qga_cli import hostpath
from qga_cli.errors import FileError
from qga_cli.files.guest.digest import ZEROS
from qga_cli.outlet import Outlet, may_wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from qga_cli.files.guest.facts import FileFacts
    from qga_cli.guests.place import Place
    from qga_cli.interrupt import Interrupt

_PAUSE = 0.1  # seconds between two looks for a FIFO's reader


class StreamTarget:
    """Standard output, a FIFO, a device: bytes as they come, nothing to take back."""

    chunk = 2**20

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha512()
        self._position = 0

    def begin(self, facts: FileFacts, prove: object) -> int:
        """Nothing to prepare."""
        return 0

    def write(self, offset: int, data: bytes) -> None:
        """Write zeros up to `offset`, then `data`."""
        while self._position < offset:
            self.write(self._position, ZEROS[: offset - self._position])
        self._stream.write(data)
        self._hash.update(data)
        self._position += len(data)

    def finish(self, facts: FileFacts, digest: str) -> None:
        """Raise FileError if it was not what the guest's file holds; it is written, though."""
        if facts.size is not None and facts.size > self._position:
            self.write(facts.size, b"")
        self._stream.flush()
        if digest and digest != self._hash.hexdigest():
            raise FileError("what came is not what the guest's file holds")

    def abandon(self, *, keep: bool) -> str:
        """Nothing can be taken back."""
        return ""


def takes_bytes(place: Place) -> bool:
    """Whether it takes bytes and is not to be replaced: standard output, a FIFO, a device, a link
    to one below /dev, and whatever /dev/stdout and /dev/fd/3 lead to. Links elsewhere may be a
    guest's, copied here earlier.
    """
    path = place.path
    if place.guest or place.is_stream:
        return place.is_stream
    if os.path.islink(path) and not os.path.abspath(path).startswith(("/dev/", "/proc/")):
        return False
    if not os.path.exists(path) or os.path.isdir(path):
        return False
    return not os.path.isfile(path) or hostpath.our_number(path) is not None


def open_special(path: str, check: Callable[[], None], interrupt: Interrupt) -> BinaryIO:
    """A FIFO, a device, or a stream of ours to write to. A FIFO's reader is waited for, with a
    `check` now and then."""
    stream = hostpath.our_number(path)
    if stream is not None and stat.S_ISREG(os.fstat(stream).st_mode):
        return open(os.dup(stream), "wb")  # opened anew it would begin at the file's first byte
    while True:
        try:
            number = hostpath.open_file(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
        else:
            if stat.S_ISREG(os.fstat(number).st_mode):
                os.close(number)
                raise FileError(f"{path}: was a FIFO or a device, and is a file now")
            if may_wait(number):
                return io.BufferedWriter(Outlet(number, interrupt, ours=True))
            os.set_blocking(number, True)
            return open(number, "wb")
        check()
        time.sleep(_PAUSE)
