"""What of ours is in a Windows guest just now, noted on this host so that it outlives a kill -9.

An agent keeps an open file until it is told to close it, and Windows then lets nobody else write,
rename or remove it. Each run has a file of its own, which it holds locked; one that nobody holds
was left by a run that is dead, and the next run on that guest clears away what it names.
"""

from __future__ import annotations

import fcntl
import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from qga_cli.agent import Agent


class Left:
    """Open handles, each with its path, and the paths of private files. `opening` are paths of
    which nobody knows whether the agent has them open, and by which handle: the run was killed
    before it heard that."""

    def __init__(self, text: str) -> None:
        self.handles: dict[int, str] = {}
        self.files: list[str] = []
        self.opening: list[str] = []
        self.last = 0  # the last handle it knew: an agent counts them
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "file":
                self.files.append(rest)
            elif word == "opening":
                self.opening.append(rest)
            elif word == "refused" and rest in self.opening:
                self.opening.remove(rest)
            elif word == "open" and rest.partition(" ")[0].isdigit():
                number, _, path = rest.partition(" ")
                self.handles[int(number)] = path
                self.last = int(number)
                if path in self.opening:
                    self.opening.remove(path)
            elif word == "closed" and rest.isdigit():
                self.handles.pop(int(rest), None)


class Ledger:
    """This run's file. Without a home that can be written nothing is noted, and -v says so."""

    def __init__(self, agent: Agent) -> None:
        home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        who = hashlib.sha256("\0".join(agent.transport.identity()).encode()).hexdigest()[:16]
        self._folder = os.path.join(home, "qga", "windows", who)
        self._path = os.path.join(self._folder, f"{os.getpid()}-{os.urandom(4).hex()}")
        self._file: BinaryIO | None = None
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            hidden = os.path.join(self._folder, "." + os.path.basename(self._path))
            self._file = open(hidden, "xb", buffering=0)  # closed by `close`
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.rename(hidden, self._path)  # only now: nobody finds it without its lock
        except OSError as error:
            agent.trace(1, f"a kill -9 would leave open files in the guest: {error}")

    def note(self, word: str, *rest: object) -> None:
        """Note it before anything else happens. A word of `Left`."""
        if self._file:
            self._file.write((" ".join([word, *map(str, rest)]) + "\n").encode())

    def left(self) -> Iterator[tuple[str, Left]]:
        """The files of dead runs, and what they name; held until the next is asked for."""
        if self._file is None:
            return
        for name in os.listdir(self._folder):
            path = os.path.join(self._folder, name)
            if path == self._path or name.startswith("."):
                continue
            try:
                file = open(path, "rb")
            except FileNotFoundError:  # its owner has ended
                continue
            with file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield path, Left(file.read().decode("utf-8", "replace"))

    def close(self, *, keep: bool) -> None:
        """The run ends; with `keep` something is left for the next one."""
        if self._file:
            if not keep:
                os.unlink(self._path)
            self._file.close()
            self._file = None
