"""A tree of this host brought into a guest, as one tar stream."""

from __future__ import annotations

import hashlib

from qga_cli.errors import FileError, QgaError, Refused
from qga_cli.files.copy_file.packed import SAMPLE, should_compress, worth_it_here
from qga_cli.files.copy_tree.tar_reader import TarReader
from qga_cli.files.copy_tree.tar_writer import TarWriter
from qga_cli.files.guest.access import Access
from qga_cli.files.guest.facts import seconds
from qga_cli.files.guest.gzip import UNPACK, Outgoing
from qga_cli.files.guest.holder import Holder, text
from qga_cli.files.guest.partial import partial_suffix
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qga_cli.agent.program import Completed
    from qga_cli.files.copy_file.transfer import CopyOptions

_PIECE = 2**18
_CUT = b"Wrote only"
_NO_ROOM = (b"No space left on device", b"Disk quota exceeded", b"File too large")


class WindowsPush:
    """As Push, into a Windows guest."""

    def __init__(self, access: Access, target: str, name: str) -> None:
        from qga_cli.windows import file_by_file, tree

        assert access.cmd
        self._access = access
        self._goal = access.cmd.place_of_folder(target, name)
        self._filling: file_by_file.Filling | None = None
        if not tree.has_tar(access.cmd):
            self._filling = file_by_file.Filling(access.cmd, self._goal)

    def send(self, writer: TarWriter, advance: Callable[[int], None]) -> None:
        """Fill the folder from `writer`."""
        from qga_cli.windows.tree import unpack

        if self._filling:
            reader = TarReader(self._filling)
            while data := writer.read(_PIECE):
                reader.write(data)
                advance(len(data))
            return

        def pieces() -> Iterator[bytes]:
            while data := writer.read(_PIECE):
                advance(len(data))
                yield data

        stream = Outgoing(pieces(), pack=False)
        unpack(self._access.agent, self._access.interrupt, self._goal, stream.file())
        if stream.error:
            raise stream.error

    def inner(self, name: str) -> str:
        """The path of a file of the tree."""
        from qga_cli.windows.file_by_file import inside

        return inside(self._goal, name)

    def link(self, first: str, inner: str) -> None:
        """Never: files with holes have one name on Windows."""
        raise FileError(f"{inner}: a file with holes and several names is not copied to Windows")

    def touch(self, inner: str, mtime: int) -> None:
        """Times of folders are not kept."""

    def settle(self) -> None:
        """It is there already."""

    def abandon(self) -> None:
        """What has come stays: it may have been there before."""
        if self._filling:
            self._filling.abandon()


class Push:
    """One tree on its way into a guest. `name` is what it is called in a folder that is there.

    It is filled into a stage, a folder that only root can enter. Others may own the folder around
    that and rename what is in it, so a process in the guest holds both open.
    """

    def __init__(
        self, access: Access, target: str, name: str, options: CopyOptions, *, must: bool = False
    ) -> None:
        access.needs_exec("copying a folder")
        self._access = access
        self._options = options
        self._keeps = must and not options.preserve
        words = (target, name, "1" if must else "", "1" if options.resume else "")
        suffix = f"{partial_suffix()}\n".encode()
        self._holder: Holder | None = Holder(access)
        said = self._holder.make(text("remove", "idle", "stage"), *words, stdin=suffix)
        fields = said.decode("utf-8", "surrogateescape").split("\0")
        if len(fields) != 5 or fields[4]:
            asked = "the guest was asked for a folder's name"
            raise access.lie(f"{asked} and says {said[:80]!r}")
        self._folder, self._stage, self._final, holder = fields[:4]
        self._holder.begin(holder)
        self._inside = self._holder.path(7)

    def send(self, writer: TarWriter, advance: Callable[[int], None]) -> None:
        """Fill the stage from `writer`. Raises FileError unless the guest has read the same."""
        digest = hashlib.sha512()

        full = False

        def pieces() -> Iterator[bytes]:
            while not full and (data := writer.read(_PIECE)):
                digest.update(data)
                advance(len(data))
                yield data

        def notice(data: bytes) -> None:  # tar itself goes on to the end, which may be hours away
            nonlocal full
            full = full or any(word in data for word in (_CUT, *_NO_ROOM))

        wish = self._options.compress or "auto"
        if wish == "auto" and self._access.ported(SAMPLE):
            wish = "none"
        packed = should_compress(self._access, wish, lambda: worth_it_here(writer.peek(SAMPLE)))
        unpack = text("needs", "staged", "untar")
        stream = Outgoing(pieces(), pack=packed)
        tar_options = "" if self._options.preserve else "-o -m"
        said = bytearray()
        words = (*self._words(), tar_options, UNPACK if packed else "")
        done = self._access.stream(unpack, *words, stdin=stream.file(),
                                   stdout=said.extend, on_stderr=notice, large=True)  # fmt: skip
        if stream.error:
            raise stream.error
        if done.code:
            raise self._failure(done)
        if said.decode("ascii", "replace").partition(" ")[0] != digest.hexdigest():
            raise FileError("what arrived is not what was sent").of(self._access.target)

    def inner(self, name: str) -> str:
        """The way to a file of the tree, as long as it is not settled, that nobody can turn."""
        return f"{self._inside}/tree/{name}"

    def link(self, first: str, inner: str) -> None:
        """Make a hard link to what has come as `first`."""
        self._access.run(script("files/link"), self.inner(first), self.inner(inner))

    def touch(self, inner: str, mtime: int) -> None:
        """Give a folder of the tree its time again, after something was put into it."""
        self._access.run(script("files/touch"), self.inner(inner), seconds(mtime))

    def _failure(self, done: Completed) -> Refused:
        """The error for a tar that failed. GNU tar says of a file's last bytes how many there was
        room for, and not that there was no more (write_error_details in paxutils)."""
        error = self._access.failure(done)
        if _CUT.decode() in error.message:
            ends = [line.rpartition(b": ")[2] for line in done.stderr.splitlines()]
            why = next((end.decode() for end in ends if end in _NO_ROOM), "")
            hint = "" if why else "its filesystem may be full: `qga fs list VM`"
            error.add(after=f": {why}" if why else "", hint=hint)
        return error

    def settle(self) -> None:
        """Put the tree in its place."""
        keeps = "1" if self._keeps else ""
        self._rest()
        self._access.run(text("remove", "staged", "settle"), *self._words(), self._final, keeps,
                         effect="the folder may have its new content")  # fmt: skip
        self._holder = None

    def abandon(self) -> None:
        """Remove what has come."""
        self._access.grace()
        self._rest()
        try:
            if self._holder:
                self._access.run(text("remove", "staged", "unstage"), *self._words())
        except QgaError as error:
            where = f"{self._folder.rstrip('/')}/{self._stage}"
            self._access.agent.trace(0, f"{where} could not be removed: {error.said()}")

    def _rest(self) -> None:
        if self._holder:
            self._holder.rest()

    def _words(self) -> tuple[str, str]:
        assert self._holder
        return self._holder.word, self._stage
