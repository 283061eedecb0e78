"""The verb `cp`."""

import os

from qga_cli.errors import FileError, FleetFailed, QgaError, UsageError
from qga_cli.files.copy import Copier
from qga_cli.files.guests import Guests
from qga_cli.files.named import named
from qga_cli.files.place import Place, parse
from qga_cli.files.transfer import Wishes
from qga_cli.format import printable
from qga_cli.guests.targets import Target, is_fleet
from qga_cli.job import Finished, Job

_PARALLEL = 16


def verb(job: Job) -> Finished:
    """Copy every place but the last to the last one."""
    *sources, target = (parse(text) for text in job.arguments["places"])
    if not sources:
        raise UsageError("cp needs a source and a destination", hint="qga cp web1:/etc/hosts .")
    wishes = _wishes(job)
    if any(is_fleet(place.guest) for place in (*sources, target)):
        return _many(job, wishes, sources, target)
    with job.interrupt.shield(), Guests(job) as guests:
        _copy(Copier(job, guests, wishes), sources, target)
    return Finished()


def _many(job: Job, wishes: Wishes, sources: list[Place], target: Place) -> Finished:
    """To many guests, the same; from many, each into a folder of its name."""
    from qga_cli.guests.fleet import Fleet

    outward = is_fleet(target.guest)
    fleets = {place.guest for place in (*sources, target) if is_fleet(place.guest)}
    if len(fleets) > 1 or any(place.is_stream for place in (*sources, target)):
        raise UsageError("one group of guests at a time, and no standard streams with it")
    if not outward and (target.guest or not os.path.isdir(target.path)):
        raise UsageError("from many guests, copy into a folder: each gets one of its name there")
    guests = job.hosts.resolve(fleets.pop())

    def work(index: int, guest: Target) -> None:
        here, there = sources, target
        if outward:
            there = Place(guest.label, target.path)
        else:
            here = [Place(guest.label, place.path) for place in sources]
            if not {".", ".."}.isdisjoint(guest.label.split("/")):
                raise FileError(f"a folder cannot be named {guest.label!r}")
            there = Place("", os.path.join(target.path, guest.label))
            os.makedirs(there.path, exist_ok=True)
        with job.interrupt.shield(), Guests(job, [guest]) as one:
            _copy(Copier(job, one, wishes, alone=False), here, there)

    failed = 0
    for _, outcome in Fleet(guests, work, job.interrupt, parallel=_PARALLEL).outcomes():
        if isinstance(outcome.error, QgaError):
            failed += 1
            job.say(0, named(outcome.error, outcome.target.label).message)
            if outcome.error.hint:
                job.streams.stderr.write(f"hint: {printable(outcome.error.hint)}\n".encode())
                job.streams.stderr.flush()
        elif outcome.error:
            raise outcome.error
    if failed:
        raise FleetFailed(f"{len(guests) - failed} ok, {failed} failed")
    return Finished()


def _copy(copier: Copier, sources: list[Place], target: Place) -> None:
    try:
        copier.copy_all(sources, target)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise FileError(f"{where}{error.strerror}") from error


def _wishes(job: Job) -> Wishes:
    given = job.arguments
    umask = os.umask(0o077)
    os.umask(umask)
    return Wishes(
        follow=given.get("dereference", False),
        preserve=given.get("preserve", False),
        special=given.get("special", False),
        verify=not given.get("no-verify"),
        resume=given.get("resume", False),
        limit=given.get("max-size", 0),
        umask=umask,
        compress=given.get("compress", "none"),
    )
