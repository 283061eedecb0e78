"""`qga tail`: the last lines of a guest's file, and what comes after them.

By the file commands alone: a handle read past its end gives what is appended later, and sizes
tell the rest. A file that was cut is shorter than what has been read of it; one that was
rotated has, under its name, another size than the handle still sees.
"""

from __future__ import annotations

from contextlib import ExitStack

from qga_cli.errors import FileError, Interrupted, Refused, UsageError
from qga_cli.files.cat import stdout
from qga_cli.files.copy_file.sources import UNPROMISED
from qga_cli.files.guest.guests import Guests
from qga_cli.files.guest.handle import open_handle
from qga_cli.format import size as human
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from qga_cli.files.cat import Out
    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.handle import Handle
    from qga_cli.guests.place import Place
    from qga_cli.windows.files import WindowsFiles

_BLOCK = 64 * 1024
_SAMPLE = 4096  # bytes that tell two files of the same size apart
_FIRST, _CEILING = 0.05, 1.0  # seconds between two looks: short again after each find
_ROTATED, _RARELY = 1.0, 8.0  # seconds of silence before the name is looked at, too


def tail(job: Job, *, place: str, lines: int, follow: bool = False) -> Finished:
    """Print the last lines; with --follow, all that comes until a signal."""
    lines = abs(lines)  # as everywhere, -n -5 means -n 5
    out = stdout(job)
    with job.interrupt.shield(), Guests(job) as guests:
        found, *more = guests.expand(guests.place(place))
        if more:
            raise UsageError(f"{1 + len(more)} files match, and tail takes one")
        access = guests.access(found)
        handle = open_handle(access, found.path, "r")
        if not follow:
            with handle:
                _print_end(found, handle, out, lines, guests)
            return Finished()
        try:
            if access.cmd:
                _follow_windows(job, guests, access.cmd, found.path, (handle, lines, out))
            Follower(job, guests, access, found.path, out).follow(handle, lines)
        except Interrupted as error:  # the way it always ends: nothing to report
            return Finished(code=0 if job.fleet else error.exit_code)


def _follow_windows(
    job: Job, guests: Guests, files: WindowsFiles, path: str, start: tuple[Handle, int, Out]
) -> NoReturn:
    """The same in a Windows guest, where a file that is open is locked."""
    from qga_cli.windows.tail import WindowsFollower

    handle, lines, out = start
    with handle:
        position = _copy(handle, out, _begin(handle, lines, guests), guests)

    def write(data: bytes) -> None:
        out.write(data)
        out.flush()

    def pause(seconds: float) -> None:
        job.interrupt.sleep(seconds, job.interrupt.count)
        guests.check()
        job.check_reader()

    def say(text: str) -> None:
        job.say(0, f"{path}: {text}")

    WindowsFollower(files, path, write, pause, say).follow(position)


class Follower:
    """One file that is followed by its name."""

    def __init__(self, job: Job, guests: Guests, access: Access, path: str, out: Out) -> None:
        self._job = job
        self._guests = guests
        self._access = access
        self._path = path
        self._out = out

    def follow(self, handle: Handle, lines: int) -> NoReturn:
        """Copy what comes, from this file and from those that take its place. Ends by raising."""
        position: int | None = None
        while True:
            with handle:
                if position is None:
                    position = _begin(handle, lines, self._guests)
                fresh = self._until_rotated(handle, position)
            handle, position = fresh, 0

    def _until_rotated(self, handle: Handle, position: int) -> Handle:
        """Copy until another file has the name; that file, opened."""
        pause, silence, patience = _FIRST, 0.0, _ROTATED
        while True:
            end = _copy(handle, self._out, position, self._guests)
            if end > position:
                position, pause, silence, patience = end, _FIRST, 0.0, _ROTATED
            elif handle.size() < position:
                self._job.say(-1, f"{self._path}: file truncated")
                position = 0
            elif silence >= patience:
                # Not each second: the agent writes a file in the guest for each handle it gives.
                silence, patience = 0.0, min(patience * 2, _RARELY)
                if fresh := self._successor(handle):
                    return fresh
            self._job.interrupt.sleep(pause, self._job.interrupt.count)
            self._guests.check()
            self._job.check_reader()
            silence += pause
            pause = min(pause * 1.5, _CEILING)

    def _successor(self, handle: Handle) -> Handle | None:
        """The file that has the name now, if it is another one than `handle`."""
        try:
            named = open_handle(self._access, self._path, "r")
        except Refused:
            return None  # between two rotations there may be no file
        with ExitStack() as opened:
            opened.enter_context(named)
            # In this order, as a file that grows meanwhile is larger the later it is asked: the
            # same file can never be first larger, nor then smaller, than itself.
            first, ours, second = named.size(), handle.size(), named.size()
            if first <= ours <= second and _ending(named, first) == _ending(handle, first):
                return None
            opened.pop_all()
        self._job.say(0, f"{self._path}: file replaced, following the new one")
        return named


def _print_end(place: Place, handle: Handle, out: Out, lines: int, guests: Guests) -> None:
    """The last lines of a file that is not followed. Files of /proc have no size to count from."""
    start = _begin(handle, lines, guests)
    if handle.size():
        _copy(handle, out, start, guests)
        return
    handle.seek(0)
    text = b""
    while data := handle.read(2**20):
        text += data
        if len(text) > UNPROMISED:  # or its end would be one that it has not
            raise FileError(f"{place}: has no size, and more than {human(UNPROMISED)} in it")
        guests.check()
    if lines:
        parts = text.removesuffix(b"\n").split(b"\n")[-lines:]
        out.write(b"\n".join(parts) + (b"\n" if text.endswith(b"\n") else b""))
    out.flush()


def _begin(handle: Handle, lines: int, guests: Guests) -> int:
    """Where the last `lines` lines begin."""
    size = start = handle.size()
    if not lines:
        return size
    found = 0
    while start:
        length = min(_BLOCK, start)
        start -= length
        handle.seek(start)
        block = b""
        while len(block) < length and (data := handle.read(length - len(block))):
            block += data
            guests.check()
        if not block:  # shorter than it was said to be: just now, or a lie
            return start
        if start + length == size and block.endswith(b"\n"):
            block = block[:-1]  # the end of the last line begins no other
        if found + block.count(b"\n") >= lines:
            for _ in range(lines - found):
                block = block[: block.rfind(b"\n")]
            return start + len(block) + 1
        found += block.count(b"\n")
    return start


def _ending(handle: Handle, size: int) -> bytes:
    """The last bytes of the first `size`."""
    handle.seek(max(0, size - _SAMPLE))
    return handle.read(min(size, _SAMPLE))


def _copy(handle: Handle, out: Out, position: int, guests: Guests) -> int:
    """Write everything from `position` on; where it ended."""
    handle.seek(position)
    while data := handle.read(2**20):
        out.write(data)
        position += len(data)
        guests.check()
    out.flush()
    return position
