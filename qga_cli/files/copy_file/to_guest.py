"""The guest's end of a copy: a private file next to its final name, renamed once it is verified."""

from __future__ import annotations

from qga_cli.errors import BadReply, FileError, QgaError
from qga_cli.exec.sinks import drop
from qga_cli.files.copy_file.old_parts import fields, longest
from qga_cli.files.guest.digest import GuestDigest
from qga_cli.files.guest.facts import seconds
from qga_cli.files.guest.handle import open_handle
from qga_cli.files.guest.holder import Holder, is_count, text
from qga_cli.files.guest.marked import MarkedScript
from qga_cli.files.guest.partial import partial_suffix
from qga_cli.format import size as human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qga_cli.agent.program import Completed
    from qga_cli.files.copy_file.sources import FileSource
    from qga_cli.files.copy_file.transfer import CopyOptions
    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.facts import FileFacts
    from qga_cli.files.guest.handle import Handle
    from qga_cli.guests.place import Place

_ROOMY = 16 * 2**20  # bytes; smaller files are not worth asking for the free space first
_LARGE = 4 * 2**20  # bytes; a process more pays for files that the disk takes longer to write

_SMALL = 96 * 1024  # bytes: a file that goes along in the request which starts its script

_DIFFERS = "what arrived is not what was sent"
_SAYS = {
    66: _DIFFERS,
    67: "changed in the guest meanwhile, and is left alone",
    68: "somebody in the guest replaced it while it was put there",
}


def at_once() -> str:
    """The script that makes a small file in one step; it prints the digest that it has proved.

    Its words: path, name and folder as part.sh has them, then prove.sh's. Its input: `mark`,
    `compared`, the data.
    """
    return text("part", "told", "small", "prove")


def mark() -> bytes:
    """The line that the scripts after part.sh begin to read."""
    return f"{partial_suffix()}\n".encode()


def compared(digest: str, replaces: str = "") -> bytes:
    """The lines that told.sh reads; see CopyOptions for `replaces`."""
    return f"{digest}\n{replaces}\n".encode()


class GuestTarget:
    """A CopyTarget in a guest that runs programs. `place` may be a folder that `name` goes to.

    Others may own that folder, so no name in it is used twice: a process in the guest holds the
    folder and the part open, and all later steps come to them by that process's descriptors in
    /proc, which nobody but root can turn elsewhere. A small file needs one step only.
    """

    def __init__(self, access: Access, place: Place, name: str, options: CopyOptions) -> None:
        self.chunk = access.agent.transport.write_chunk
        self.access = access
        self._place = place
        self._name = name
        self._options = options
        self._folder = self._part = self._final = ""
        self._holder: Holder | None = None  # none without /proc
        self._kept = ""  # the folder in which old parts are looked at, as long as they are
        self._small: bytearray | None = None  # the file, kept for one request
        self._handle: Handle | None = None
        self._position = 0

    def begin(self, facts: FileFacts, prove: Callable[[int], str] | None) -> int:
        size = facts.size or 0
        if not prove and facts.size is not None and size <= min(_SMALL, self.chunk):
            self._small = bytearray(size)
            return 0
        start = self._adopt(size, prove) if prove else 0
        if not prove:
            self._prepare(size, facts)
        self._position = start
        return start

    def write(self, offset: int, data: bytes) -> None:
        if self._small is not None:
            self._small[offset : offset + len(data)] = data
        else:
            if self._handle is None:
                told = str(self._place.path)
                self._handle = open_handle(self.access, self._path(), "r+", told=told)
                self._handle.seek(offset)
            elif offset != self._position:
                self._handle.seek(offset)
            self._handle.write(data)
        self._position = offset + len(data)

    def fill(
        self, source: FileSource, advance: Callable[[int], None], start: int, *, pack: bool
    ) -> bool:
        """Send what `source` has from `start` on, packed or through ports. False if there are no
        ports, and nothing was sent."""
        from qga_cli.files.guest.gzip import UNPACK, Outgoing

        if self._small is not None:
            self._small = None
            self._prepare(source.facts.size or 0, source.facts)

        def pieces() -> Iterator[bytes]:
            for offset, data in source.pieces(start, 2**20):
                yield bytes(offset - self._position)
                yield data
                advance(offset + len(data) - self._position)
                self._position = offset + len(data)

        if not pack:
            count = str((source.facts.size or 0) - start)
            way = self.access.flow(text("held", "receive"), *self._hold(), count,
                                   take=drop, pieces=pieces())  # fmt: skip
            if way is None:
                return False
            done = way
        else:
            stream = Outgoing(filter(None, pieces()), pack=True)
            done = self.access.stream(text("held", "unpack"), *self._hold(), UNPACK,
                                      stdin=stream.file(), stdout=drop, large=True)  # fmt: skip
            if stream.error:
                raise stream.error
        if done.code:
            raise self.access.failure(done)
        return True

    def finish(self, facts: FileFacts, digest: str) -> None:
        """See CopyTarget.finish. The guest compares, and renames only what is equal."""
        mode = owner = moment = ""
        if self._options.preserve and facts.mtime is not None:
            mode, owner = f"{facts.mode:o}", f"{facts.uid}:{facts.gid}"
            moment = seconds(facts.mtime)
        mode = mode if self._options.mode is None else f"{self._options.mode:o}"
        owner = self._options.owner or owner
        large = "1" if self._position >= _LARGE else ""
        words = (mode, owner, moment, f"{facts.mode & 0o755:o}", large)
        if self._small is not None:
            if self._put(bytes(self._small), digest, *words):
                return
            self._send_small()
        if facts.size is not None and facts.size > self._position:
            self.write(facts.size - 1, b"\0")  # the file ends with a hole
        if self._handle:
            self._handle.flush()
        self._close()
        self._rest()  # a word to the holder would change the file's time
        finish = text("held", "told", "prove", "release")
        effect = f"{self._place} may be the new file"
        done = self._attempt(finish, *words, digest=digest, effect=effect)
        if done.code == 127 and digest:  # no sha512sum there
            if self._holder:
                self._holder.tell()
            if GuestDigest(self.access, self._path(), self._position).result() != digest:
                raise FileError(f"{self._place}: {_DIFFERS}")
            self._rest()
            digest = ""
            done = self._attempt(finish, *words, digest=digest, effect=effect)
        self._judge(done, digest)
        self._part = ""

    def abandon(self, *, keep: bool) -> str:
        self.access.grace()
        try:
            self._close()
        except QgaError as error:
            self.access.agent.trace(1, f"closing the part: {error.said()}")
        self._rest()
        if not self._part:
            return ""
        keep = bool(keep and self._position)
        try:
            gone = "" if keep else self._part
            self.access.run(text("drop"), self._hold()[0], self._folder, gone, self._kept)
        except QgaError as error:
            if not keep:
                raise
            self.access.agent.trace(1, f"letting go of the part: {error.said()}")
        return f"{self._folder.rstrip('/')}/{self._part}" if keep else ""

    def _put(self, data: bytes, digest: str, *words: str) -> bool:
        """Make the file in one step; False where the guest cannot prove it."""
        given = mark() + self._compared(digest) + data
        done = self.access.attempt(at_once(), *self._target(), *words, stdin=given,
                                   effect=f"{self._place} may be the new file")  # fmt: skip
        if done.code == 127 and digest:
            return False
        self._judge(done, digest)
        return True

    def _attempt(self, script: str, *words: str, digest: str, effect: str) -> Completed:
        """What became of the script that compares and renames. Given up while it compares, which
        takes long for a large file, it ends."""
        running = MarkedScript(
            self.access, script, *self._hold(), *words, stdin=self._compared(digest)
        )
        self.access.agent.begun = effect
        return running.result()

    def _compared(self, digest: str) -> bytes:
        return compared(digest, self._options.replaces)

    def _send_small(self) -> None:
        """Go the longer way after all."""
        data, self._small = self._small, None
        assert data is not None
        self._prepare(0)
        self._position = 0
        if data:
            self.write(0, bytes(data))

    def _judge(self, done: Completed, digest: str) -> None:
        if done.code in _SAYS:
            raise FileError(f"{self._place}: {_SAYS[done.code]}")
        if done.code:
            raise self.access.failure(done)
        if digest and done.stdout.strip() != digest.encode():
            raise BadReply(f"{self._place}: the guest does not say that it has proved the copy")

    def _target(self) -> tuple[str, str, str]:
        return self._place.path, self._name, "1" if self._place.is_folder else ""

    def _prepare(self, size: int, facts: FileFacts | None = None) -> None:
        """Make the part. Raises FileError where there is no room for `size` bytes."""
        asked = "1" if size > _ROOMY else ""
        free = self._ask("begin", room=asked)[0]
        if is_count(free) and size > int(free) * 1024 and not (facts and facts.sparse):
            raise FileError(
                f"{self._place}: no room: {human(size)} needed, {human(int(free) * 1024)} free"
            )

    def _adopt(self, size: int, prove: Callable[[int], str]) -> int:
        """Take over the longest part that is equal to the source so far; remove the others."""
        self._kept = self._ask("begin_again")[0]
        if not self._kept or not self._holder:  # without /proc none are looked for
            return 0
        said = self._holder.run(text("held", "idle", "leftovers"), *self._hold(), self._kept)
        length, name = longest(self.access, said, size, prove)
        self._position = length  # from now on our part may be the old one, which is not to be lost
        self._rest()
        adopting = Holder(self.access)
        word = adopting.make(text("held", "adopt"), *self._hold(), name, self._kept)
        adopting.begin(word.decode("ascii", "replace").strip())
        self._holder = adopting
        self._kept = ""
        return length

    def _ask(self, *scripts: str, room: str = "") -> list[str]:
        """Make the part by a script, and note where it is; returns what else the script says."""
        made = Holder(self.access)
        said = made.make(text("part", *scripts), *self._target(), room, stdin=mark())
        found = fields(said)
        if len(found) != 5:
            raise self.access.lie(f"the guest was asked for a part's name and says {said[:80]!r}")
        self._folder, self._part, self._final, holder = found[:4]
        if holder:
            made.begin(holder)
            self._holder = made
        else:
            made.rest()
        return found[4:]

    def _hold(self) -> tuple[str, str, str, str]:
        word = self._holder.word if self._holder else ""
        return word, self._folder, self._part, self._final

    def _path(self) -> str:
        """The way to the part that nobody can turn."""
        if self._holder:
            return self._holder.path(9)
        return f"{self._folder.rstrip('/')}/{self._part}"

    def _rest(self) -> None:
        if self._holder:
            self._holder.rest()

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            handle.close()
