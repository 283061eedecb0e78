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
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LATE = 1.5  # seconds until libvirt has heard that a port is closed
_MOST = 16 * 1024  # bytes of the file that tells of closed ports
_CLOSED = "closed-ports"


def forbids(boot: str) -> str:
    """Why ports were of no use to this start of a guest; "" when nothing is known."""
    reason, age = private.recall(_name(boot), 2 * _MOST)
    return reason.decode("utf-8", "replace") if 0 <= age < private.HOUR else ""


def note(boot: str, reason: str) -> None:
    """Write it down for an hour: an administrator may have changed the guest's policy since."""
    private.note(_name(boot), reason[:1000].encode("utf-8", "replace"))


def note_closed(names: Iterable[str]) -> None:
    """Write down that the guest has closed these ports just now."""
    now = time.monotonic()
    text = "".join(f"{name} {now}\n" for name in names)
    # A full disk, another's home: then others are plugged.
    with contextlib.suppress(OSError), held(private.cache(make=True)) as folder:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with open(private.open_file(folder, _CLOSED, flags), "w", encoding="ascii") as file:
            if os.fstat(file.fileno()).st_size > _MOST:
                file.truncate(0)
            file.write(text)


def closed_lately() -> set[str]:
    """The ports that may be open by libvirt's word alone."""
    now, found = time.monotonic(), set()
    for line in private.recall(_CLOSED, 2 * _MOST)[0].decode("ascii", "replace").splitlines():
        name, _, moment = line.partition(" ")
        with contextlib.suppress(ValueError):  # a line of a later release
            if 0 <= now - float(moment) < _LATE:
                found.add(name)
    return found


def _name(boot: str) -> str:
    return f"no-channel.{boot.replace(os.sep, '_')}"
