"""`qga cat`: files of guests on standard output."""

from __future__ import annotations

import codecs
import re
import sys

from qga_cli.files.guest.guests import Guests
from qga_cli.files.guest.handle import open_handle
from qga_cli.format import printable
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, Protocol

    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.handle import Handle
    from qga_cli.guests.place import Place

    class Out(Protocol):
        """What text is written to."""

        def write(self, data: bytes) -> object: ...

        def flush(self) -> None: ...


_RUN = re.compile(r"[^\n\t]+")
_LINE_END = re.compile(r"\r(?=\n)")  # of Windows


def cat(job: Job, *, places: list[str], channel: str) -> Finished:
    """Write the files one after the other, of any size, as they come."""
    out = stdout(job)
    with job.interrupt.shield(), Guests(job, channel) as guests:
        named = map(guests.place, places)
        for place in [one for each in named for one in guests.expand(each)]:
            access = guests.access(place)
            with open_handle(access, place.path, "r") as handle:
                _print(access, place, handle, out, guests.check)
        out.flush()
    return Finished()


def _print(
    access: Access, place: Place, handle: Handle, out: Out, check: Callable[[], None]
) -> None:
    """All of the file; through ports, if it has a size and that is large."""
    chunk = access.agent.transport.read_chunk
    data = handle.read(chunk)
    if len(data) == chunk and access.ported(chunk):
        size = handle.size()
        if size:  # a device has none, and no places in it
            handle.seek(chunk)
        done = size > chunk and access.flow('exec cat <"$1"', place.path, take=out.write)
        if done and done.code:
            raise access.failure(done)
        if done:
            return
    while data:
        out.write(data)
        check()
        data = handle.read(chunk)


def stdout(job: Job) -> Out:
    """Standard output; a terminal gets no control characters of a stranger, unless by -o raw."""
    stream = job.streams.stdout
    terminal = sys.stdout.isatty() if job.fleet else stream.isatty()
    return Screen(stream) if terminal and job.output != "raw" else stream


class Screen:
    """A terminal. What would move, colour or reorder its text is spelled out, as by `cat -v`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._held = ""

    def write(self, data: bytes) -> None:
        """Write `data`, which may end inside a character."""
        text = self._held + self._decoder.decode(data)
        # What may be half an end of a line waits for the other half.
        self._held = "\r" if text.endswith("\r") else ""
        text = _LINE_END.sub("", text[: len(text) - len(self._held)])
        shown = _RUN.sub(lambda found: printable(found[0]), text)
        self._stream.write(shown.encode("utf-8", "backslashreplace"))
        self._stream.flush()

    def flush(self) -> None:
        """Everything is out."""
        held, self._held = self._held, ""
        self._stream.write(printable(held).encode())
