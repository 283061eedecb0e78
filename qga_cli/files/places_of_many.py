"""Files of many guests: of which ones, and what each of them gives, gets or does."""

from __future__ import annotations

import contextlib
import os

from qga_cli import hostpath
from qga_cli.errors import FileError, UsageError
from qga_cli.guests.place import Place, guest_place, parse
from qga_cli.guests.targets import is_fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def fleet_of(texts: Sequence[str]) -> str:
    """The pattern, list or group of guests before a colon; "" if there is none.

    Raises UsageError for what cannot be done with many, before any of them is asked.
    """
    places = [parse(text) for text in texts]
    fleets = {place.guest for place in places if is_fleet(place.guest)}
    if not fleets or len(places) == 1:  # one alone is nothing to copy: the verb says so
        return ""
    if len(fleets) > 1:
        names = ", ".join(sorted(fleets))
        raise UsageError(f"cp copies from or to one group of guests at a time; these are {names}")
    if any(place.is_stream for place in places):
        raise UsageError("- is one stream: it cannot be copied from or to several guests")
    target = places[-1]
    if not is_fleet(target.guest) and (target.guest or not os.path.isdir(target.path)):
        raise UsageError("from many guests, copy into a folder: each gets one of its name there")
    return fleets.pop()


def check_sources(texts: Sequence[str]) -> None:
    """Raise FileError for a source on this host that is not there, before any guest is asked."""
    for place in map(parse, texts[:-1]):
        if not (place.guest or place.is_stream or os.path.lexists(place.path)):
            raise FileError(f"{place}: no such file on this host")


def same_fleet_of(texts: Sequence[str]) -> str:
    """The pattern, list or group of guests that every place is in; "" where all name single ones.

    Raises UsageError for a mixture.
    """
    guests = {guest_place(text).guest for text in texts}
    if not any(map(is_fleet, guests)):
        return ""
    if len(guests) > 1:
        raise UsageError(
            f"all places must name the same guests; these name {', '.join(sorted(guests))}"
        )
    return guests.pop()


def share_of(guest: str, sources: Sequence[Place], target: Place) -> tuple[Sequence[Place], Place]:
    """What one guest of the group copies, and where to: its name takes the group's place.

    From many, it is given a folder of its name. Raises FileError, OSError when that cannot be.
    """
    own = [_of(guest, place) for place in sources]
    if target.guest:
        return own, _of(guest, target)
    if not {".", ".."}.isdisjoint(guest.split("/")):
        raise FileError(f"a folder cannot be named {guest!r}")
    folder = os.path.join(target.path, guest)
    _make(target.path, guest.split("/"))  # HOST/VM is two folders
    return own, Place("", folder)


def _make(path: str, names: Sequence[str]) -> None:
    """Folders in each other below `path`; links there, which may be another user's, end it."""
    at = hostpath.open_folder(path)
    try:
        for name in names:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=at)
            at, above = hostpath.enter(name, at), at
            os.close(above)
    finally:
        os.close(at)


def _of(guest: str, place: Place) -> Place:
    return Place(guest, place.path) if is_fleet(place.guest) else place
