"""The verb `cp`."""

from __future__ import annotations

import os
import re

from qga_cli.errors import UsageError
from qga_cli.files.copier import Copier
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.guest.guests import Guests
from qga_cli.files.on_host import host_errors
from qga_cli.guests.place import parse
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.guests.place import Place

_NOBODY, _DIGITS = 2**32 - 1, 10  # no user's number: -1, which chown(2) takes for none; its length


def cp(
    job: Job,
    *,
    places: list[str],
    channel: str,
    dereference: bool = False,
    preserve: bool = False,
    special: bool = False,
    no_verify: bool = False,
    resume: bool = False,
    max_size: int | None = None,
    compress: str = "",
    mode: str | None = None,
    owner: str | None = None,
) -> Finished:
    """Copy every place but the last to the last one; of many guests, the part of one."""
    sources: Sequence[Place]
    *sources, target = (parse(text) for text in places)
    if not sources:
        where = "." if target.guest else "VM:/PATH"
        raise UsageError("cp needs a source and a destination", hint=f"`qga cp {target} {where}`")
    if max_size == 0:  # as of a disk that is full; below, 0 is no limit
        raise UsageError("--max-size 0 lets nothing come")
    options = CopyOptions(
        follow=dereference, preserve=preserve, special=special, verify=not no_verify, resume=resume,
        limit=max_size or 0, umask=_umask(), compress=compress, mode=_mode(mode),
        owner=_owner(owner),
    )  # fmt: skip
    with host_errors():
        if job.target:
            from qga_cli.files.places_of_many import share_of

            sources, target = share_of(job.target.label, sources, target)
        with job.interrupt.shield(), job.interrupt.leaves(_left), Guests(job, channel) as guests:
            Copier(job, guests, options).copy_all(sources, target)
    return Finished()


def _left() -> str:
    return "a part may be left beside the copy, as .NAME.*.qga-part; --resume uses or removes it"


def copy_one(job: Job, source: Place, target: Place, channel: str, owner: str = "") -> None:
    """Copy one file, for the library."""
    options = CopyOptions(follow=True, umask=_umask(), owner=_owner(owner or None))
    with (
        host_errors(),
        job.interrupt.shield(),
        job.interrupt.leaves(_left),
        Guests(job, channel) as guests,
    ):
        Copier(job, guests, options).copy_file(source, target)


def _mode(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-7]{3,5}", text) or int(text, 8) > 0o7777:
        raise UsageError(f"--mode: {text!r} is no octal mode such as 644")
    return int(text, 8)


def _owner(text: str | None) -> str:
    if text is None:
        return ""
    if not re.fullmatch(r"[^\s:-][^\s:]*(:[^\s:]+)?", text):
        raise UsageError(f"--owner: {text!r} is not USER or USER:GROUP")
    for part in text.split(":"):
        if part.isdecimal() and (len(part) > _DIGITS or int(part) >= _NOBODY):
            raise UsageError(f"--owner: no user and no group has the number {part[:20]}")
    return text


def _umask() -> int:
    """This process's, read without setting it where that can be: other threads make files."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line[6:], 8) for line in status if line.startswith("Umask:"))
    except (OSError, StopIteration):  # no Linux, or one before 4.7
        umask = os.umask(0o077)
        os.umask(umask)
        return umask
