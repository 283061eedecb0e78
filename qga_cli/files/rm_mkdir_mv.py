"""`qga rm`, `qga mkdir`, `qga mv`: the guest's own programs, kept within the folders named."""

from __future__ import annotations

import os

from qga_cli.errors import Refused, UsageError
from qga_cli.exec.sinks import drop
from qga_cli.files.guest.guests import Guests
from qga_cli.files.guest.holder import text
from qga_cli.files.same_names import check_names, distinct
from qga_cli.guests.place import Place, guest_place
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.files.guest.access import Access
    from qga_cli.windows.files import WindowsFiles

_SHARE = 3  # of a request: base64 and quotes take some, the script the rest


def rm(job: Job, *, places: list[str], recursive: bool = False, force: bool = False) -> Finished:
    """Remove files, and folders with --recursive."""
    if recursive and any(guest_place(word).is_contents for word in places):
        # GNU's rm would refuse, busybox's would not.
        raise UsageError("rm -r takes no root folder, and no path that ends in . or ..")
    return _each(job, places, "rm", text("remove", "rm"), [recursive, force], silent=force)


def mkdir(job: Job, *, places: list[str], parents: bool = False) -> Finished:
    """Make folders."""
    return _each(job, places, "mkdir", text("mkdir"), [parents])


def mv(job: Job, *, places: list[str]) -> Finished:
    """Rename within one guest."""
    if len(places) < 2:
        raise UsageError("mv needs a source and a destination")
    if len({guest_place(word).guest for word in places}) > 1:
        raise UsageError(
            "mv stays inside one guest", hint="from guest to guest, `qga cp`, then `qga rm`"
        )
    return _each(job, places, "mv", text("mv"), [])


def _each(
    job: Job, named: list[str], what: str, script: str, flags: list[bool], *,
    silent: bool = False,
) -> Finished:  # fmt: skip
    """Run a script once in each guest that is named, with the paths there."""
    words = ["1" if flag else "" for flag in flags]
    with job.interrupt.shield(), Guests(job) as guests:
        places = _expanded(guests, [guests.place(word) for word in named], what, silent=silent)
        if what == "mv":
            *sources, target = places
            check_names(distinct(sources), target, folds=lambda: guests.access(target).windows)
        for guest in dict.fromkeys(place.guest for place in places):
            paths = [place.path for place in places if place.guest == guest]
            access = guests.access(Place(guest, paths[0]))
            if access.cmd:
                _by_cmd(access.cmd, what, flags, paths)
                continue
            access.needs_exec(what)
            effect = f"{what} may have run in {guest}"
            last = [paths.pop()] if what == "mv" else []
            failure: Refused | None = None
            for batch in batches(paths, access.agent.transport.write_chunk // _SHARE):
                try:
                    _run(access, script, *words, *batch, *last, effect=effect)
                except Refused as error:
                    if type(error) is not Refused:
                        raise
                    failure = failure or error  # the others are tried all the same, as in one batch
            if failure:
                raise failure
    return Finished()


def batches(paths: Sequence[str], most: int) -> list[list[str]]:
    """The paths in groups of so many bytes, as one request carries: a pattern may match more.

    Of several paths none is a group of its own: for mv that would mean another thing.
    """
    found: list[list[str]] = []
    room = 0
    for path in paths:
        size = len(os.fsencode(path)) + 2  # quotes; there is room for what must be quoted in it
        if size > room or not found:
            found.append([])
            room = most
        found[-1].append(path)
        room -= size
    if len(found) > 1 and len(found[-1]) == 1:
        found[-1].insert(0, found[-2].pop())
    return found


def _by_cmd(files: WindowsFiles, what: str, flags: list[bool], paths: list[str]) -> None:
    """The same in a Windows guest."""
    match what:
        case "rm":
            files.remove(paths, recursive=flags[0], force=flags[1])
        case "mkdir":
            files.make(paths, parents=flags[0])
        case _:
            files.rename(paths[:-1], paths[-1])


def _expanded(guests: Guests, places: list[Place], what: str, *, silent: bool) -> list[Place]:
    """The paths that the patterns match; what is to be made is no pattern."""
    count = {"mv": len(places) - 1, "mkdir": 0}.get(what, len(places))
    found = []
    for place in places[:count]:
        try:
            found += guests.expand(place)
        except Refused:
            if not silent:
                raise
    return found + places[count:]


def _run(access: Access, script: str, *words: str, effect: str) -> None:
    # As a stream: one line for each file that cannot be removed is more than a reply carries.
    done = access.stream(script, *words, stdout=drop, effect=effect)
    if done.code:
        more = len(done.stderr.splitlines()) - 1
        raise access.failure(done).add(after=f" (and {more} more)" if more > 0 else "")
