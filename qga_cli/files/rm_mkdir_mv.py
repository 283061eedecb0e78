"""`qga rm`, `qga mkdir`, `qga mv`: the guest's own programs, kept within the folders named."""

from __future__ import annotations

from qga_cli.errors import Refused, UsageError
from qga_cli.exec.sinks import drop
from qga_cli.files.guest.guests import Guests
from qga_cli.files.guest.holder import text
from qga_cli.files.same_names import check_names, distinct
from qga_cli.guests.place import Place, guest_place
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.guest.access import Access
    from qga_cli.windows.files import WindowsFiles


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
            _run(access, script, *words, *paths, effect=f"{what} may have run in {guest}")
    return Finished()


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
