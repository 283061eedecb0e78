"""`qga rm`, `qga mkdir`, `qga mv`: the guest's own programs, given the words as they are."""

from qga_cli.errors import Refused, UsageError
from qga_cli.files.guests import Guests
from qga_cli.files.place import Place, guest_place
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.access import Access


def rm(job: Job) -> Finished:
    """Remove files, and folders with --recursive."""
    recursive, force = job.arguments.get("recursive"), job.arguments.get("force")
    if recursive and any(guest_place(text).is_contents for text in job.arguments["places"]):
        # GNU's rm would refuse, busybox's would not.
        raise UsageError("rm -r takes no root folder, and no path that ends in . or ..")
    return _each(job, ["rm", *["-r"] * bool(recursive), *["-f"] * bool(force)])


def mkdir(job: Job) -> Finished:
    """Make folders."""
    return _each(job, ["mkdir", *["-p"] * bool(job.arguments.get("parents"))])


def mv(job: Job) -> Finished:
    """Rename within one guest."""
    places = [guest_place(text) for text in job.arguments["places"]]
    if len(places) < 2:
        raise UsageError("mv needs a source and a destination")
    if len({place.guest for place in places}) > 1:
        raise UsageError(
            "mv stays inside one guest", hint="from guest to guest, `qga cp`, then `qga rm`"
        )
    return _each(job, ["mv", "-f"])


def _each(job: Job, program: list[str]) -> Finished:
    """Run it once in each guest that is named, with the paths there."""
    with job.interrupt.shield(), Guests(job) as guests:
        places = _expanded(
            guests, [guests.place(text) for text in job.arguments["places"]], program
        )
        for guest in dict.fromkeys(place.guest for place in places):
            paths = [place.path for place in places if place.guest == guest]
            _run(guests.access(Place(guest, paths[0])), [*program, "--", *paths])
    return Finished()


def _expanded(guests: Guests, places: list[Place], program: list[str]) -> list[Place]:
    """What they stand for: a pattern names files that are there, so none that is to be made."""
    count = {"mv": len(places) - 1, "mkdir": 0}.get(program[0], len(places))
    found = []
    for place in places[:count]:
        try:
            found += guests.expand(place)
        except Refused:
            if "-f" not in program or program[0] != "rm":
                raise
    return found + places[count:]


def _run(access: "Access", command: list[str]) -> None:
    access.needs_exec(command[0])
    # As a stream: one line for each file that cannot be removed is more than a reply carries.
    done = access.stream('exec "$@"', *command, stdout=lambda data: None)
    if done.code:
        error = access.failure(done)
        if more := len(done.stderr.splitlines()) - 1:
            error.message += f" (and {more} more)"
        raise error
