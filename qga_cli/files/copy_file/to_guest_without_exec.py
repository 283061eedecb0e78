"""The guest's end of a copy where guest-exec is blocked: the final name is written directly."""

from __future__ import annotations

from qga_cli.errors import FileError, QgaError, Refused
from qga_cli.files.copy_file.transfer import ABSENT
from qga_cli.files.guest.digest import GuestDigest
from qga_cli.files.guest.handle import FileHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.copy_file.transfer import CopyOptions
    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.facts import FileFacts
    from qga_cli.guests.place import Place


class GuestTargetWithoutExec:
    """A CopyTarget by the file commands alone. They cannot rename, so an interrupted copy
    leaves a short file under its final name; it says so, and --resume completes it.
    """

    def __init__(self, access: Access, place: Place, name: str, options: CopyOptions) -> None:
        if options.preserve:
            access.needs_exec("--preserve")
        if options.compress not in ("", "none", "auto"):
            access.needs_exec("--compress")
        self.chunk = access.agent.transport.write_chunk
        self._access = access
        self._options = options
        self._path = place.path
        self._name = name
        self._separator = "\\" if place.windows else "/"
        if place.is_folder:
            self._enter()
        self._handle: FileHandle | None = None
        self._position = 0

    def begin(self, facts: FileFacts, prove: Callable[[int], str] | None) -> int:
        if self._options.replaces:
            self._must_be(self._options.replaces)
        try:
            start = self._adopt(facts.size or 0, prove) if prove else 0
            self._handle = FileHandle(self._access, self._path, "r+" if start else "w")
        except Refused as error:
            if "Is a directory" not in error.desc or not self._name:
                raise
            self._enter()
            return self.begin(facts, prove)
        if start:
            self._handle.seek(start)
        self._position = start
        return start

    def write(self, offset: int, data: bytes) -> None:
        assert self._handle is not None
        if offset != self._position:
            self._handle.seek(offset)
        self._handle.write(data)
        self._position = offset + len(data)

    def finish(self, facts: FileFacts, digest: str) -> None:
        """See CopyTarget.finish. The file is read again to be compared."""
        assert self._handle is not None
        if facts.size is not None and facts.size > self._position:
            self.write(facts.size - 1, b"\0")  # the file ends with a hole
        self._handle.flush()
        self._close()
        found = GuestDigest(self._access, self._path, self._position).result() if digest else ""
        if found != digest:
            raise FileError(f"{self._path}: what arrived is not what was sent").of(
                self._access.target
            )

    def abandon(self, *, keep: bool) -> str:
        """See CopyTarget.abandon. There is no way to remove it."""
        if self._handle is None:
            return ""
        self._access.grace()
        try:
            self._close()
        except QgaError as error:
            self._access.agent.trace(1, f"closing {self._path}: {error.said()}")
        return self._path

    def _enter(self) -> None:
        if not self._name:
            raise FileError(f"{self._path}: give the file's name too").of(self._access.target)
        self._path = self._path.rstrip("/" + self._separator) + self._separator + self._name
        self._name = ""

    def _must_be(self, wanted: str) -> None:
        """Raise FileError unless the file that is there has this digest, or is not there."""
        try:
            with FileHandle(self._access, self._path, "r") as handle:
                found = GuestDigest(self._access, self._path, handle.size()).result()
        except Refused:
            found = ABSENT
        if found != wanted:
            raise FileError(f"{self._path}: changed in the guest meanwhile, and is left alone").of(
                self._access.target
            )

    def _adopt(self, size: int, prove: Callable[[int], str]) -> int:
        """How much of the file that is there is equal to the source."""
        try:
            with FileHandle(self._access, self._path, "r") as handle:
                length = handle.size()
        except Refused:
            return 0  # not there yet; what else may be wrong, opening for writing will tell
        if not 0 < length <= size:
            return 0
        digest = GuestDigest(self._access, self._path, length).result()
        return length if digest == prove(length) else 0

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            handle.close()
