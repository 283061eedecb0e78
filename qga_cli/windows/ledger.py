"""What of ours is in a Windows guest just now, noted on this host so that it outlives a kill -9.

An agent keeps an open file until it is told to close it, and Windows then lets nobody else write,
rename or remove it. Each run has a file of its own, which it holds locked; one that nobody holds
was left by a run that is dead, and the next run on that guest clears away what it names.
"""

from __future__ import annotations

import fcntl
import hashlib
import os

from qga_cli import private

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
        named = "\0".join(agent.transport.identity())
        who = hashlib.sha256(named.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        top = private.base("XDG_STATE_HOME", ".local/state")
        self._name = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._folder = -1
        self._file: BinaryIO | None = None
        try:
            names = "qga", "windows", who
            self._folder = private.open_folder(top, *names, make=True, barred=private.KEPT)
            hidden = f".{self._name}"
            new = os.O_RDWR | os.O_CREAT | os.O_EXCL
            number = private.open_file(self._folder, hidden, new)
            self._file = open(number, "r+b", buffering=0)  # closed by `close`
            fcntl.flock(self._file, fcntl.LOCK_EX)
            # Only now: nobody finds it without its lock.
            os.rename(hidden, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
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
            if name == self._name or name.startswith("."):
                continue
            try:
                number = private.open_file(self._folder, name, barred=private.KEPT)
            except OSError:  # its owner has ended, or it is no file of ours
                continue
            file = open(number, "rb")
            with file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield name, Left(file.read().decode("utf-8", "replace"))

    def forget(self, name: str) -> None:
        """Remove the file of a dead run: what it names is gone."""
        os.unlink(name, dir_fd=self._folder)

    def close(self, *, keep: bool) -> None:
        """The run ends; with `keep` something is left for the next one."""
        if self._file:
            if not keep:
                os.unlink(self._name, dir_fd=self._folder)
            self._file.close()
            self._file = None
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
