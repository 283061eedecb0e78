"""Private files of one run in a Windows guest, the agent's handles on them, and helpers of cmd.

They lie in the system's own folder for temporary files, which ordinary users may write to but not
list or read, under names that nobody can guess. The agent opens files so that nobody else may
write them meanwhile, and only if nobody does (share_mode in qga/commands-win32.c): so a file of
the guest's is never opened, only a private copy of it.
"""

from __future__ import annotations

import contextlib
import os

from qga_cli import wire
from qga_cli.agent.program import captured
from qga_cli.commands.file.close import COMMAND as CLOSE
from qga_cli.commands.file.seek import COMMAND as SEEK
from qga_cli.errors import BadReply, QgaError, Refused
from qga_cli.exec.context import Context
from qga_cli.windows import surroundings
from qga_cli.windows.ledger import Ledger
from qga_cli.windows.words import DONE, Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from qga_cli.exec.calls import AgentCalls

PIECE = 720 * 1024  # bytes of one read: its reply stays below 1 MiB
_TEMP = "C:\\Windows\\Temp"  # nearly everywhere; else it is asked for
_PATIENCE = 30.0  # seconds for a helper
_LOOKED_AT = 64  # handles, where the dead run knew none
_LAST = 5.0  # seconds for the one that removes all


class Private:
    """The private files of a run; a context manager that removes them."""

    def __init__(self, calls: AgentCalls) -> None:
        self.calls = calls
        self.mark = os.urandom(16).hex()
        self._base = f"{_TEMP}\\qga-{self.mark}"
        self._settled = False  # whether that is the right folder
        self._ledger = Ledger(calls.agent)
        self._environment: dict[str, str] | None = None
        self._noted: set[str] = set()
        self._busy = False  # something that we do not wait for may have them open
        self._clear()

    def path(self, ending: str) -> str:
        """The path of one of them."""
        if not self._settled:
            self.put("cmd", b"")
        return self._path(ending)

    def _path(self, ending: str) -> str:
        path = f"{self._base}.{ending}"
        if path not in self._noted:
            self._noted.add(path)
            self._ledger.note("file", path)
        return path

    def create(self, ending: str) -> tuple[str, int]:
        """A new one, and a handle to write it."""
        try:
            made = self._path(ending), self.open(self._path(ending), "w")
        except Refused:
            if self._settled:
                raise
            root = self._say("echo %SystemRoot%").strip()
            self._base = f"{root}\\Temp\\qga-{self.mark}"
            made = self._path(ending), self.open(self._path(ending), "w")
        self._settled = True
        return made

    def put(self, ending: str, data: bytes) -> str:
        """A new one with this content; its path."""
        path, handle = self.create(ending)
        with self.closing(handle):
            self.write(handle, data)
        return path

    def open(self, path: str, mode: str) -> int:
        """A handle, noted until it is closed."""
        self._ledger.note("opening", path)
        try:
            handle = self.calls.open(path, mode)
        except Refused:
            self._ledger.note("refused", path)
            raise
        self._ledger.note("open", handle, path)
        return handle

    def close(self, handle: int) -> None:
        """Close it."""
        self.calls.close(handle)
        self._ledger.note("closed", handle)

    @contextlib.contextmanager
    def closing(self, handle: int) -> Iterator[int]:
        """Close it at the end, whatever happens."""
        try:
            yield handle
        finally:
            self.close(handle)

    def write(self, handle: int, data: bytes) -> None:
        """Write all of it, in requests that pass everywhere."""
        self.calls.write(handle, data)

    def read(self, handle: int, count: int = PIECE) -> bytes:
        """The next piece, up to `count` bytes; empty at the end."""
        return self.calls.read(handle, min(count, PIECE))

    def seek(self, handle: int, offset: int, whence: int) -> int:
        """Move the position; where it is then. `whence` as for lseek."""
        return self.calls.seek(handle, offset, whence)

    def content(self, path: str, most: int = 2**20) -> bytes:
        """What is in one of them, up to `most` bytes."""
        data = b""
        with self.closing(self.open(path, "r")) as handle:
            while len(data) < most and (piece := self.read(handle)):
                data += piece
        return data

    def environment(self) -> dict[str, str]:
        """The agent's own, which guest-exec's `env` replaces. Asked once."""
        if self._environment is None:
            said = self._say("set")
            pairs = (line.partition("=") for line in said.splitlines())
            self._environment = {name: value for name, equals, value in pairs if name and equals}
        return self._environment

    def run(self, batch: Batch) -> tuple[int, str]:
        """Run a batch of ours that prints little, told in Unicode; its exit code and output.

        The code is 0 where it has come to its end. Raises BadReply if it ended before, with 0.

        cmd's own commands write UTF-16 after /u; programs do not.
        """
        batch.add(f"exit {DONE}")
        path = self.put("cmd", batch.encode())
        status = self.finish(
            self.calls.start(
                ["cmd.exe", "/d", "/e:on", "/v:off", "/u", "/c", path],
                capture=True,
                env=surroundings.environment(self, batch, Context()),
            )
        )
        out, err = captured(status)
        code = code_of(status)
        if code == 0:
            raise BadReply("cmd.exe has ended before it came to the end of a batch file of ours")
        return 0 if code == DONE else code, (out + err).decode("utf-16-le", "replace")

    def busy(self) -> None:
        """A program that runs on has them: the next run removes them."""
        self._busy = True

    def hand_over(self) -> None:
        """All of them are removed by what runs in the guest from now on."""
        self._noted.clear()

    def remove(self) -> None:
        """Remove them all. What a program still has open is left to the next run."""
        if not self._noted:
            self._ledger.close(keep=False)
            return
        try:
            gone = not self._busy and self._delete(self._base)
        except QgaError as error:
            self.calls.agent.trace(1, f"{self._base}.* could not be removed: {error.said()}")
            gone = False
        self._ledger.close(keep=not gone)

    def _delete(self, base: str) -> bool:
        """Whether all of a run are gone. The name is ours: nothing in it means anything to cmd."""
        words = ["cmd.exe", "/d", "/c", "del", "/f", "/q", f"{base}.*", "2>NUL&"]
        words += ["if", "not", "exist", f"{base}.*", "exit", str(DONE)]
        return code_of(self.finish(self.calls.start(words), _LAST)) == DONE

    def _clear(self) -> None:
        """Close the handles of runs that are dead, and remove their files."""
        for record, left in self._ledger.left():
            try:
                for handle, path in left.handles.items():
                    self._unlock(handle, path)
                bases = {path.rpartition(".")[0] for path in left.files}
                gone = [self._delete(base) for base in sorted(bases)]
                stuck = [path for path in left.opening if self._is_locked(path, left.last)]
                if stuck:
                    self._tell(stuck[-1])
                elif all(gone) or all(self._delete(base) for base in sorted(bases)):
                    self._ledger.forget(record)
            except QgaError as error:
                self.calls.agent.trace(1, f"clearing what a killed qga has left: {error.said()}")

    def _is_locked(self, path: str, last: int) -> bool:
        """Whether a dead run's file stays locked, whose handle it has not heard of. Its handle is
        looked for after the `last` that it knew."""
        if self._opens(path):
            return False
        batch = Batch()
        batch.add(f"if not exist {batch.path(path)} exit 1")
        if self.run(batch)[0] == 1:
            return False
        if (handle := self._lost(path, last)) is not None:
            self.calls.agent.trace(1, f"closing handle {handle} of a killed qga: {path}")
            self.calls.agent.call(CLOSE, {"handle": handle})
        return not self._opens(path)

    def _opens(self, path: str) -> bool:
        with contextlib.suppress(Refused):
            self.close(self.open(path, "r+"))
            return True
        return False

    def _lost(self, path: str, last: int) -> int | None:
        """The handle that has it open: the agent counts its handles, so it lies between the `last`
        that the dead run knew and the next. It is at the beginning of its file, where it was
        opened; if only one of them is, it is this one. Asking moves nobody's position."""
        mine = self.open(self.put("at", b""), "r")
        self.close(mine)
        between = range(max(last + 1, mine - _LOOKED_AT), mine)
        unmoved = [handle for handle in between if self._is_unmoved(handle)]
        if len(unmoved) != 1:
            self.calls.agent.trace(1, f"which handle has {path}: one of {unmoved}")
            return None
        return unmoved[0]

    def _is_unmoved(self, handle: int) -> bool:
        """Whether there is such a handle, of anybody's, at the beginning of its file."""
        arguments = {"handle": handle, "offset": 0, "whence": "cur"}
        text = wire.encode(SEEK.wire, arguments)
        try:
            said = wire.decode(self.calls.agent.exchange(text, SEEK.patience))
        except wire.AgentError:
            return False
        return isinstance(said, dict) and said.get("position") == 0

    def _tell(self, path: str) -> None:
        """Say what only a restart of the agent can change: it tells nobody which handles it has."""
        self.calls.agent.trace(
            0,
            f"{self.calls.agent.name}: the agent keeps {path} open: a qga was killed in the moment "
            "of opening it. Nobody else can write, rename or remove that file until the agent is "
            "restarted (in the guest: `Restart-Service QEMU-GA`)",
        )

    def _unlock(self, handle: int, path: str) -> None:
        """Close a dead run's handle. Only if the agent still has that file open: after a restart
        the same number may be another file's."""
        with contextlib.suppress(Refused):
            self.close(self.open(path, "r+"))
            return
        self.calls.agent.trace(1, f"closing handle {handle} of a killed qga: {path}")
        with contextlib.suppress(Refused):
            self.calls.agent.call(CLOSE, {"handle": handle})

    def _say(self, line: str) -> str:
        """What a line of constants prints, in Unicode."""
        words = ["cmd.exe", "/d", "/u", "/c", *line.split()]
        status = self.finish(self.calls.start(words, capture=True))
        return captured(status)[0].decode("utf-16-le", "replace")

    def finish(self, pid: int, seconds: float = _PATIENCE) -> Any:
        """The end of a helper. Raises QgaError if it does not come."""
        return self.calls.finish(pid, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def code_of(status: Any) -> int:
    """A helper's exit code; -1 after an exception."""
    return int(status.get("exitcode", -1))
