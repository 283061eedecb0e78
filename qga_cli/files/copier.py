"""`qga cp`: from anywhere to anywhere, by the rules of docker cp."""

from __future__ import annotations

import os
import posixpath

from qga_cli.errors import FileError, UsageError
from qga_cli.files.copy_file import to_host, to_stream
from qga_cli.files.copy_file.sources import UNPROMISED, GuestFile, HostFile, HostStream, open_stream
from qga_cli.files.copy_file.transfer import CopyOptions, transfer
from qga_cli.files.guest import facts
from qga_cli.files.on_host import physical
from qga_cli.files.same_names import check_names, distinct
from qga_cli.format import size
from qga_cli.guests.place import Place
from qga_cli.verbs.job import Meter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.files.copy_file.sources import FileSource
    from qga_cli.files.copy_file.transfer import CopyTarget
    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.facts import FileFacts
    from qga_cli.files.guest.guests import Guests
    from qga_cli.verbs.job import Job

_SMALL = 2**20  # bytes on average: so small, files travel together faster than one by one


class Copier:
    """One run of cp."""

    def __init__(self, job: Job, guests: Guests, options: CopyOptions) -> None:
        self._job = job
        # Of many guests, each has a bar with its name.
        self._whose = f"{job.target.label}: " if job.target else ""
        self._guests = guests
        self._options = options

    def _meter(self, what: str, total: int | None) -> Meter:
        return self._job.progress(self._whose + what, total)

    def copy_all(self, sources: Sequence[Place], target: Place) -> None:
        """Copy every source; to a folder, if there are several."""
        sources = [one for source in sources for one in self._guests.expand(source)]
        target = target if target.guest else physical(target)
        if len(sources) > 1:
            if target.is_stream:
                raise UsageError(
                    "cp writes one file to -, not several", hint="`qga cat` writes all"
                )
            # What ends with a slash can only be a folder.
            target = Place(target.guest, target.path.rstrip("/") + "/")
            sources = distinct(sources)
            check_names(sources, target,
                        folds=lambda: bool(target.guest) and self._guests.access(target).windows,
                        merges=lambda place: self._facts(place).kind == "folder")  # fmt: skip
        if len(sources) > 1 and target.guest and self._together(sources, target):
            return
        for source in sources:
            self.copy(source, target)

    def copy(self, source: Place, target: Place) -> None:
        """Copy one file, link or folder."""
        if not source.guest and not target.guest:
            raise UsageError(
                f"neither {source} nor {target} is a place in a guest",
                hint=f"if {target} is a guest: {target}:/PATH"
                if "/" not in str(target)
                else "a place in a guest is VM:PATH",
            )
        found = self._facts(source)
        self._job.say(1, f"{source} -> {target}")
        dresses = self._options.dresses
        holes = source.guest and found.sparse and not to_stream.takes_bytes(target) and not dresses
        if dresses and (found.kind in ("folder", "link") or to_stream.takes_bytes(target)):
            what = found.kind if found.kind in ("folder", "link") else target
            raise UsageError(f"--mode and --owner are for files, not for {what}")
        if found.kind in ("folder", "link") or holes:
            self._tree(source, found, target)
        else:
            self._file(self._source(source, found), target)

    def copy_file(self, source: Place, target: Place, *, keep: bool = True) -> None:
        """Copy one file. Raises FileError for a folder, a device, or a link not followed.

        With `keep` what has come of it stays for --resume, should it be cut off.
        """
        found = self._facts(source)
        if found.kind != "file":
            what = found.kind if found.kind in ("folder", "link") else "device or FIFO"
            raise FileError(f"{source}: is a {what}, not a file")
        self._file(self._source(source, found), target, keep=keep)

    def _facts(self, place: Place) -> FileFacts:
        if place.is_stream:
            return facts.FileFacts()
        follow = self._options.follow or place.is_folder
        if not place.guest:  # a shell's <(...) is a link to a pipe
            return facts.look(place.path, follow=follow or place.path.startswith("/dev/"))
        access = self._guests.access(place)
        if self._options.preserve:
            access.needs_exec("--preserve")
        if not access.exec:
            return facts.measure(access, place.path)
        found = facts.ask(access, place.path, follow=follow)
        if not self._options.special:
            found.mode &= 0o1777
        return found

    def _file(self, source: FileSource, target: Place, *, keep: bool = True) -> None:
        goal = self._target(target, source.name)
        between = isinstance(source, GuestFile) and bool(target.guest)
        with self._meter(source.name or "-", source.facts.size) as meter:
            carry = None
            if self._options.compress != "none" or self._guests.channel != "never":
                from qga_cli.files.copy_file.packed import stream_of

                carry = stream_of(source, goal, self._options.compress, meter.advance)
            try:
                transfer(source, goal, self._options, self._guests.check, meter.advance, carry,
                         overlap=not between, keep=keep)  # fmt: skip
            except OSError as error:  # a read's or a write's names no file: it is this host's
                error.filename = error.filename or (source.name if target.guest else str(target))
                raise

    def _source(self, place: Place, found: FileFacts) -> FileSource:
        if place.is_stream:
            return HostStream(self._job.streams.stdin, self._job.interrupt)
        if place.guest:
            if found.kind == "FIFO":  # its bytes are lost where a read finds too few
                raise FileError(f"{place}: is a FIFO, which the agent cannot read to its end")
            if 0 < self._options.limit < (found.size or 0):
                raise FileError(
                    f"{place}: has {size(found.size or 0)}, more than --max-size allows"
                )
            return GuestFile(self._guests.access(place), place.path, place.name, found,
                             limit=self._options.limit or UNPROMISED,
                             verify=self._options.verify,
                             plain=not self._options.follow)  # fmt: skip
        if found.size is None:
            name = place.name if found.kind == "file" else ""
            return HostStream(open_stream(place.path), self._job.interrupt, name)
        follow = self._options.follow or place.is_folder or place.path.startswith("/dev/")
        return HostFile(place.path, follow=follow)

    def _target(self, place: Place, name: str) -> CopyTarget:
        if place.is_stream:
            return to_stream.StreamTarget(self._job.streams.stdout)
        if place.guest:
            from qga_cli.files.copy_file.to_guest import GuestTarget
            from qga_cli.files.copy_file.to_guest_without_exec import GuestTargetWithoutExec

            access = self._guests.access(place)
            if self._options.dresses:
                access.needs_exec("--mode and --owner")
            if access.cmd:
                return self._windows(access, place, name)
            way = GuestTarget if access.exec else GuestTargetWithoutExec
            return way(access, place, name, self._options)
        path = to_host.inside(place, name)
        if not os.path.islink(path) and os.path.isdir(path):
            raise FileError(f"{path}: is a folder, and a file would replace it")
        if path == place.path and to_stream.takes_bytes(place):
            check, interrupt = self._guests.check, self._job.interrupt
            return to_stream.StreamTarget(to_stream.open_special(path, check, interrupt))
        return to_host.HostTarget(path, self._options)

    def _windows(self, access: Access, place: Place, name: str) -> CopyTarget:
        from qga_cli.windows.to_guest import WindowsTarget

        assert access.cmd
        if self._options.compress not in ("", "none", "auto"):
            access.needs_exec("--compress")
        return WindowsTarget(access.cmd, place.path, name, folder=place.is_folder,
                               replaces=self._options.replaces)  # fmt: skip

    def _tree(self, source: Place, found: FileFacts, target: Place) -> None:
        if to_stream.takes_bytes(target):
            where = "standard output" if target.is_stream else target
            raise UsageError(
                f"{source} is a {found.kind}: no bytes for {where}",
                hint="-L takes what it points to" if found.kind == "link" else "",
            )
        if self._options.resume and found.kind == "folder":
            self._note(f"{source}: a folder is copied anew, --resume only removes what was left")
        if not source.guest:
            self._push(source, found, target)
        elif not target.guest:
            self._pull(source, found, target)
        else:
            from qga_cli.files.aside import between_guests

            if self._options.preserve and os.geteuid() != 0:
                raise FileError(
                    "only root can keep the owners in a folder from guest to guest",
                    hint="copy without -p",
                )
            with between_guests(self._job.interrupt) as folder:
                between = Place("", os.path.join(folder, source.name or "root"))
                self._pull(source, found, between)
                tail = "/." if source.is_contents else ""
                self.copy(Place("", between.path + tail), target)

    def _pull(self, source: Place, found: FileFacts, target: Place) -> None:
        from qga_cli.files.copy_tree.pull import pull

        inside = "" if source.is_contents else source.name
        if found.kind == "folder":
            folder, name = source.path, "."
            final = to_host.inside(Place("", target.path.rstrip("/") or "/"), inside, needed=False)
        else:
            folder, name = posixpath.split(source.path)
            final = to_host.inside(target, inside)
        with self._meter(source.name or "/", found.size) as meter:
            pull(self._guests.access(source), folder, name, final, self._options, meter.advance,
                 self._note)  # fmt: skip

    def _push(self, source: Place, found: FileFacts, target: Place) -> None:
        access = self._guests.access(target)
        if found.kind == "link":
            from qga_cli.files.copy_file.link import push_link

            push_link(access, target.path, source.path, found, self._options)
            return
        name = "" if source.is_contents else source.name
        self._send({".": source.path}, target, name)

    def _send(self, paths: dict[str, str], target: Place, name: str, *, must: bool = False) -> None:
        from qga_cli.files.copy_tree.push import Push, WindowsPush
        from qga_cli.files.copy_tree.tar_writer import TarWriter

        access = self._guests.access(target)
        push: Push | WindowsPush
        if access.cmd:
            push = WindowsPush(access, target.path, name)
        else:
            push = Push(access, target.path, name, self._options, must=must)
        writer = TarWriter(paths, self._options, self._note)
        try:
            with self._meter(name or target.name, None) as meter:
                push.send(writer, meter.advance)
                for inner, path, first in writer.sparse:
                    folder = os.path.dirname(path)
                    if first:
                        push.link(first, inner)
                    else:
                        goal = Place(target.guest, push.inner(inner))
                        self.copy_file(Place("", path), goal, keep=False)  # it goes with the stage
                    if self._options.preserve:
                        push.touch(os.path.dirname(inner), os.stat(folder).st_mtime_ns)
                push.settle()
        except BaseException:
            push.abandon()
            raise

    def _together(self, sources: Sequence[Place], target: Place) -> bool:
        """Send several small files as one archive; False where that is not wise or possible."""
        if self._options.dresses or any(place.guest or place.is_stream for place in sources):
            return False
        if not self._guests.access(target).exec:
            return False
        found = [self._facts(place) for place in sources]
        sizes = [one.size for one in found if one.kind == "file" and one.size is not None]
        paths = {f"./{place.name}": place.path for place in sources}
        if len(sizes) < len(sources) or len(paths) < len(sources):
            return False
        if sum(sizes) > _SMALL * len(sizes):
            return False
        self._send(paths, target, "", must=True)
        return True

    def _note(self, text: str) -> None:
        self._job.say(0, text)
