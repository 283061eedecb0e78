"""`qga ls`: what is in a folder of a guest, or what matches a pattern there."""

from __future__ import annotations

import os

from qga_cli.errors import BadReply, Refused
from qga_cli.files.guest.guests import Guests
from qga_cli.files.guest.pattern import is_pattern, matches
from qga_cli.format import printable, size
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST = 2**27  # bytes: a million names or so


def ls(
    job: Job,
    *,
    place: str,
    long: bool = False,
    human_readable: bool = False,
    all: bool = False,
    columns: str = "",
    sort: str = "",
) -> Finished:
    """Print the names; with --long or -o, what is known of each."""
    lacks: list[Refused] = []
    rows = _rows(job, place, lacks.append, hidden=all)
    for lack in lacks:  # what nobody may see is no reason to hide the rest
        job.say(0, lack.said())
    code = 1 if lacks else 0
    if human_readable and not sort and job.output not in ("json", "jsonl", "yaml"):
        for row in rows:  # not if they are sorted: as texts, these would sort as texts
            row["size"] = size(row["size"])
    if long or job.output or columns or sort:
        return Finished(rows, code)
    for row in rows:  # escaped as in every other list, so that a name is a line
        name = printable(row["name"].replace("\\", "\\\\"))
        job.streams.stdout.write(name.encode() + b"\n")
    return Finished(code=code)


def _rows(
    job: Job, named: str, lack: Callable[[Refused], object], *, hidden: bool
) -> list[dict[str, Any]]:
    with job.interrupt.shield(), Guests(job) as guests:
        place = guests.place(named)
        access = guests.access(place)
        if access.cmd:
            return access.cmd.list(place.path, hidden=hidden)
        access.needs_exec("ls")
        wide = "1" if is_pattern(place.path) else ""
        words = (place.path, "1" if hidden else "", wide)
        said = access.collect(script("files/list"), *words, most=_MOST, lack=lack)
        records = said.split(b"\0")[:-1]
    rows = _matching(records, place.path) if wide else [_row(record) for record in records]
    rows.sort(key=lambda row: str(row["name"]))
    return rows


def _matching(records: list[bytes], path: str) -> list[dict[str, Any]]:
    """What matches a pattern, by its path; a file or folder of just that name, as without."""
    if len(records) % 2 or not all(record.startswith(b"/") for record in records[1::2]):
        return [_row(record) for record in records]
    rows = []
    for record, told in zip(records[::2], records[1::2], strict=True):
        name = os.fsdecode(told)
        if not matches(name, path):
            raise BadReply(f"the guest was asked what matches {path}, and says {name!r}")
        rows.append(_row(record) | {"name": name})
    return rows


def _row(record: bytes) -> dict[str, Any]:
    """One file. Raises BadReply for what the script does not print."""
    known, slashes, target = record.decode("utf-8", "surrogateescape").partition("//")
    try:
        mode, owner, group, length, modified, name = known.split("/")
        moment = float(modified)
        row = {
            "mode": mode,
            "owner": owner,
            "group": group,
            "size": int(length),
            "modified": moment,
            "name": name,
        }
    except ValueError:
        raise BadReply(f"the guest's list makes no sense: {record[:100]!r}") from None
    if not slashes or not abs(moment) < 2**63:  # "nan" and "inf" are floats too
        raise BadReply(f"the guest's list makes no sense: {record[:100]!r}")
    return row | ({"target": target} if target else {})
