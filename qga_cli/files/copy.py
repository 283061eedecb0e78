"""`qga cp`: from anywhere to anywhere, by the rules of docker cp."""

import os
import stat

from qga_cli.errors import FileError, UsageError
from qga_cli.files import facts
from qga_cli.files.guests import Guests
from qga_cli.files.place import Place, parse
from qga_cli.files.source import UNPROMISED, GuestFile, HostFile, HostStream
from qga_cli.files.transfer import Wishes, transfer
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.source import Source
    from qga_cli.files.transfer import Target


def verb(job: Job) -> Finished:
    """Copy every place but the last to the last one."""
    *sources, target = (parse(text) for text in job.arguments["places"])
    if not sources:
        raise UsageError("cp needs a source and a destination", hint="qga cp web1:/etc/hosts .")
    with job.interrupt.shield(), Guests(job) as guests:
        copier = Copier(job, guests, _wishes(job))
        try:
            for source in sources:
                copier.copy(source, target, many=len(sources) > 1)
        except OSError as error:
            raise FileError(f"{error.filename or target}: {error.strerror}") from error
    return Finished()


class Copier:
    """One run of cp."""

    def __init__(self, job: Job, guests: Guests, wishes: Wishes) -> None:
        self._job = job
        self._guests = guests
        self._wishes = wishes

    def copy(self, source: Place, target: Place, *, many: bool = False) -> None:
        """Copy one source. With `many` the target must be a folder."""
        self._file(self._source(source), target, source)

    def _file(self, source: "Source", target: Place, place: Place) -> None:
        goal = self._target(target, source.name)
        self._job.say(1, f"{place} -> {target}")
        transfer(source, goal, self._wishes, self._guests.check, lambda count: None)

    def _source(self, place: Place) -> "Source":
        if place.is_stream:
            return HostStream(self._job.streams.stdin, self._job.interrupt)
        if not place.guest:
            found = facts.look(place.path, follow=True)
            if found.kind == "other":
                return HostStream(open(place.path, "rb"), self._job.interrupt)
            return HostFile(place.path)
        access = self._guests.access(place)
        if access.exec and not place.windows:
            found = facts.ask(access, place.path, follow=True)
        else:
            found = facts.measure(access, place.path)
        return GuestFile(access, place.path, place.name, found,
                         limit=self._wishes.limit or UNPROMISED,
                         verify=self._wishes.verify)  # fmt: skip

    def _target(self, place: Place, name: str) -> "Target":
        from qga_cli.files.landing import Landing, Outlet

        if place.is_stream:
            return Outlet(self._job.streams.stdout)
        if place.guest:
            from qga_cli.files.delivery import Delivery
            from qga_cli.files.direct import Direct

            access = self._guests.access(place)
            way = Delivery if access.exec and not place.windows else Direct
            return way(access, place, name, self._wishes)
        path = place.path
        if os.path.isdir(path):
            if not name:
                raise UsageError(f"{path} is a folder: give the name of the file too")
            path = os.path.join(path, name)
        elif place.is_folder:
            raise FileError(f"{path}: no such folder")
        if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
            if os.path.isdir(path):
                raise FileError(f"{path}: is a folder, and a file would replace it")
            return Outlet(open(path, "wb"))
        return Landing(path, self._wishes)


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
    )
