"""`qga rm`, `qga mkdir`, `qga mv`: the guest's own programs, given the words as they are."""

from qga_cli.errors import UsageError
from qga_cli.files.guests import Guests
from qga_cli.files.place import guest_place
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.place import Place


def rm(job: Job) -> Finished:
    """Remove files, and folders with --recursive."""
    recursive, force = job.arguments.get("recursive"), job.arguments.get("force")
    return _each(job, ["rm", *["-r"] * bool(recursive), *["-f"] * bool(force)])


def mkdir(job: Job) -> Finished:
    """Make folders."""
    return _each(job, ["mkdir", *["-p"] * bool(job.arguments.get("parents"))])


def mv(job: Job) -> Finished:
    """Rename within one guest."""
    *sources, target = _places(job)
    if not sources:
        raise UsageError("mv needs a source and a destination")
    if {place.guest for place in sources} != {target.guest}:
        raise UsageError(
            "mv stays inside one guest", hint="from guest to guest, `qga cp`, then `qga rm`"
        )
    return _run(job, target.guest, ["mv", "-f"], [*sources, target])


def _each(job: Job, program: list[str]) -> Finished:
    places = _places(job)
    for guest in dict.fromkeys(place.guest for place in places):
        _run(job, guest, program, [place for place in places if place.guest == guest])
    return Finished()


def _run(job: Job, guest: str, program: list[str], places: "list[Place]") -> Finished:
    with job.interrupt.shield(), Guests(job) as guests:
        access = guests.access(places[0])
        access.needs_exec(program[0])
        # As a stream: one line for each file that cannot be removed is more than a reply carries.
        done = access.stream('exec "$@"', *program, "--", *(place.path for place in places),
                             stdout=lambda data: None)  # fmt: skip
        if done.code:
            raise access.failure(done)
    return Finished()


def _places(job: Job) -> "list[Place]":
    return [guest_place(text) for text in job.arguments["places"]]
