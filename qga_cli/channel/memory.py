"""What one run tells the next ones of a guest's ports, in small files in our private folder:
nothing is lost with them.

Guests that had no use for a port, by their start, so that not each run tries in vain. And ports
that a guest has just closed: QEMU tells of a port's opening and closing once a second at most
(VSERPORT_CHANGE in monitor_qapi_event_conf, monitor/monitor.c), so for a moment libvirt calls
them open, as those of a dead owner are.
"""

from __future__ import annotations

import contextlib
import os
import time

from qga_cli import private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LASTS = 3600.0  # seconds; an administrator may have changed the guest's policy since
_LATE = 1.5  # seconds until libvirt has heard that a port is closed
_MOST = 16 * 1024  # bytes of a file of ours
_CLOSED = "closed-ports"


def forbids(boot: str) -> str:
    """Why ports were of no use to this start of a guest; "" when nothing is known."""
    text, age = _read(_name(boot))
    return text if 0 <= age < _LASTS else ""


def note(boot: str, reason: str) -> None:
    """Write it down, if this user has a state folder."""
    with contextlib.suppress(OSError):  # a full disk, another's home: then it is tried again
        folder = _folder(make=True)
        try:
            _tidy(folder)
            draft = f"{_name(boot)}.{os.getpid()}"
            number = private.open_file(folder, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with open(number, "w", encoding="utf-8") as file:
                file.write(reason[:1000])
            os.rename(draft, _name(boot), src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)


def note_closed(names: Iterable[str]) -> None:
    """Write down that the guest has closed these ports just now."""
    now = time.monotonic()
    text = "".join(f"{name} {now}\n" for name in names)
    with contextlib.suppress(OSError):  # as above: then others are plugged
        folder = _folder(make=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(private.open_file(folder, _CLOSED, flags), "w", encoding="ascii") as file:
                if os.fstat(file.fileno()).st_size > _MOST:
                    file.truncate(0)
                file.write(text)
        finally:
            os.close(folder)


def closed_lately() -> set[str]:
    """The ports that may be open by libvirt's word alone."""
    now, found = time.monotonic(), set()
    for line in _read(_CLOSED)[0].splitlines():
        name, _, moment = line.partition(" ")
        with contextlib.suppress(ValueError):  # a line of a later release
            if 0 <= now - float(moment) < _LATE:
                found.add(name)
    return found


def _read(name: str) -> tuple[str, float]:
    """A file's text and its age in seconds; "" where there is none."""
    try:
        folder = _folder()
        try:
            number = private.open_file(folder, name)
        finally:
            os.close(folder)
        with open(number, encoding="utf-8") as file:
            return file.read(2 * _MOST), time.time() - os.fstat(number).st_mtime
    except (OSError, UnicodeDecodeError):
        return "", 0.0


def _tidy(folder: int) -> None:
    """Remove what counts no more, of starts that may have been a guest's last."""
    for name in os.listdir(folder):
        if name.startswith(_name("")):
            with contextlib.suppress(OSError):  # another qga was faster
                if not 0 <= time.time() - os.lstat(name, dir_fd=folder).st_mtime < _LASTS:
                    os.unlink(name, dir_fd=folder)


def _folder(*, make: bool = False) -> int:
    return private.open_folder(private.base("XDG_CACHE_HOME", ".cache"), "qga", make=make)


def _name(boot: str) -> str:
    return f"no-channel.{boot.replace(os.sep, '_')}"
