"""Places of this host: the way to them, and what goes wrong there."""

from __future__ import annotations

import os
from contextlib import contextmanager

from qga_cli import hostpath
from qga_cli.errors import FileError
from qga_cli.files.guest.partial import shown_path
from qga_cli.guests.place import Place
from qga_cli.threads import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def host_errors() -> Iterator[None]:
    """Turn the errors of this host's files into FileErrors, so that none looks like a bug."""
    try:
        yield
    except BrokenPipeError:  # whoever read our standard output has gone: no news
        raise
    except OSError as error:
        name = error.filename2 or error.filename or "this host"
        raise FileError(f"{shown_path(name)}: {error.strerror}") from error


def physical(place: Place) -> Place:
    """A place of this host, each `..` on its way resolved as the kernel does: links first, of which
    another's lead to what is his. Raises OSError, FileError."""
    head, tail = os.path.split(place.path)
    if tail == "..":
        head, tail = place.path, ""
    if ".." not in head.split("/"):
        return place
    with held(hostpath.open_folder(head)) as folder:
        return Place("", os.path.join(os.readlink(f"/proc/self/fd/{folder}"), tail))
