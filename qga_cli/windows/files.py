"""Files of a Windows guest, by cmd's own commands.

cmd's words are the guest's language, so nothing is read from them but what is passed on to the
user: which of the things that can be wrong it is, a batch file of ours says by its exit code.
"""

from __future__ import annotations

import re

from qga_cli.errors import BadReply, FileError, Refused
from qga_cli.exec.calls import AgentCalls
from qga_cli.windows.listing import NONE, listed
from qga_cli.windows.paths import full, join, parent
from qga_cli.windows.private import Private
from qga_cli.windows.words import DONE, IS_FOLDER, Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.interrupt import Interrupt

_COUNT = re.compile(r"\d{1,19}")  # bytes; int() takes no 5,000 digits, and no "²"
_FOLDER, _FAILED, _NO_PARENT, _THERE = 13, 14, 15, 16


class WindowsFiles:
    """What cp and its kin need of a Windows guest; one for each guest and run."""

    def __init__(self, agent: Agent, interrupt: Interrupt) -> None:
        self.private = Private(AgentCalls(agent, interrupt))
        self.target = agent.target
        self._copies: dict[str, str] = {}

    def close(self) -> None:
        """Remove what is left of ours in the guest."""
        self.private.remove()

    def size(self, path: str) -> int | None:
        """The size of a file; None for a folder. Raises Refused where there is neither."""
        batch = Batch()
        name = batch.path(full(path))
        batch.unless_folder(name, _FOLDER)
        batch.add(f"if not exist {name} exit {NONE}")
        batch.add(f"for %%I in ({name}) do echo %%~zI")
        code, said = self.private.run(batch)
        if code == _FOLDER:
            return None
        self._check(code, path, said)
        if not _COUNT.fullmatch(said.strip()):
            raise BadReply(f"the guest says that {path} has {said[:40]!r} bytes").of(self.target)
        return int(said)

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        batch = Batch()
        batch.add(f"if not exist {batch.path(full(path))} exit {NONE}")
        return self.private.run(batch)[0] == 0

    def copied(self, path: str) -> str:
        """A private copy of a file, to be read at leisure: the agent would lock the file itself
        for all others, and could not open one that a service writes."""
        if path not in self._copies:
            ours = self.private.path(f"copy{len(self._copies)}")
            batch = Batch()
            name = batch.path(full(path))
            batch.unless_folder(name, _FOLDER)
            batch.add(f"if not exist {name} exit {NONE}")
            batch.must(f"copy /y /b {name} {ours}", _FAILED)
            self._check(*self._coded(batch, path))
            self._copies[path] = ours
        return self._copies[path]

    def forget(self, path: str) -> None:
        """What `copied` has copied is to be copied anew."""
        self._copies.pop(path, None)

    def place(self, path: str, name: str, *, folder: bool) -> str:
        """The path of a file that is copied to `path`: in it, if it is a folder."""
        goal = full(path)
        code, said = self._look(goal)
        if code == _FOLDER:
            if not name:
                raise FileError(f"{path}: is a folder: give the file's name too").of(self.target)
            return self.place(join(goal, name), "", folder=False)
        self._check(code or (_NO_PARENT if folder else 0), path, said)
        return goal

    def place_of_folder(self, path: str, name: str) -> str:
        """Where a folder that is copied to `path` comes down: in it, if it is a folder, which may
        have one of that name already. It is there when we return."""
        goal = full(path)
        if name:
            code, said = self._look(goal)
            if code == _FOLDER:
                goal = join(goal, name)
            else:
                self._check(code, path, said)
        self.make([goal], parents=True)
        return goal

    def has(self, program: str) -> bool:
        """Whether a program is in PATH."""
        batch = Batch()
        batch.add(f'for %%I in ("{program}") do if not "%%~$PATH:I"=="" exit {_THERE}')
        return self.private.run(batch)[0] == _THERE

    def duplicate(self, source: str, goal: str) -> None:
        """Copy a file in the guest."""
        batch = Batch()
        batch.must(f"copy /y /b {batch.path(source)} {batch.path(goal)}", _FAILED)
        self._check(*self._coded(batch, goal))

    def move(self, part: str, goal: str) -> None:
        """Give a file its final name, in place of the one that has it."""
        batch = Batch()
        batch.must(f"move /y {batch.path(part)} {batch.path(goal)}", _FAILED)
        self._check(*self._coded(batch, goal))

    def remove(self, paths: Sequence[str], *, recursive: bool, force: bool) -> None:
        """Remove files, and folders if `recursive`. del gives no exit code, so we look again; of a
        folder it would empty it."""
        for path in paths:
            goal = full(path)
            if goal == parent(goal) or not goal.partition("\\")[2]:
                raise FileError(f"{path} is a root folder")
            batch = Batch()
            name = batch.path(goal)
            if not force:
                batch.add(f"if not exist {name} exit {NONE}")
            if recursive:
                batch.look_at(name)
                batch.add(f"if {IS_FOLDER} rmdir /s /q {name} 2>&1")
                batch.add(f"if {IS_FOLDER} if exist {name} exit {_FAILED}")
            else:
                batch.unless_folder(name, _FOLDER)
            batch.add(f"if exist {name} del /f /q {name} 2>&1")
            batch.add(f"if exist {name} exit {_FAILED}")
            self._check(*self._coded(batch, path))

    def make(self, paths: Sequence[str], *, parents: bool) -> None:
        """Make folders; cmd makes those above them too."""
        for path in paths:
            goal = full(path)
            batch = Batch()
            name = batch.path(goal)
            if parents:
                batch.unless_folder(name, DONE)
            else:
                batch.add(f"if exist {name} exit {_THERE}")
                batch.if_folder(batch.path(parent(goal)), _NO_PARENT)
            batch.must(f"mkdir {name}", _FAILED)
            self._check(*self._coded(batch, path))

    def rename(self, sources: Sequence[str], goal: str) -> None:
        """Rename files and folders; into `goal`, if it is a folder."""
        into = self.size(goal) is None if self.exists(goal) else False
        if len(sources) > 1 and not into:
            raise Refused(f"{goal}: is no folder").of(self.target)
        for source in sources:
            path = full(source)
            batch = Batch()
            name = batch.path(path)
            batch.add(f"if not exist {name} exit {NONE}")
            final = join(full(goal), path.rpartition("\\")[2]) if into else full(goal)
            batch.must(f"move /y {name} {batch.path(final)}", _FAILED)
            self._check(*self._coded(batch, source))

    def list(self, path: str, *, hidden: bool) -> list[dict[str, Any]]:
        """What is in a folder, or the file itself: name, size, attributes as `mode`."""
        code, said, rows = listed(self.private, full(path), hidden=hidden)
        self._check(code, path, said)
        return rows

    def parts(self, beginning: str, ending: str) -> dict[str, int]:
        """The files whose paths begin and end so, with 16 digits of ours between; their sizes."""
        batch = Batch()
        folder, _, stem = beginning.rpartition("\\")
        batch.add(f"pushd {batch.path(join(folder, ''))}")
        batch.add(f"for %%I in (*{ending}) do echo %%~zI/%%~nxI")
        batch.add("popd")
        found = {}
        ours = re.compile(re.escape(stem) + "[0-9a-f]{16}" + re.escape(ending))
        for line in self.private.run(batch)[1].splitlines():
            size, _, name = line.partition("/")
            if _COUNT.fullmatch(size) and ours.fullmatch(name):
                found[join(folder, name)] = int(size)
        return found

    def _look(self, goal: str) -> tuple[int, str]:
        """Whether a path is a folder, or its folder is none; 0 where a file can be made."""
        batch = Batch()
        batch.unless_folder(batch.path(goal), _FOLDER)
        batch.if_folder(batch.path(parent(goal)), _NO_PARENT)
        return self.private.run(batch)

    def _coded(self, batch: Batch, path: str) -> tuple[int, str, str]:
        code, said = self.private.run(batch)
        return code, path, said

    def _check(self, code: int, path: str, said: str) -> None:
        """Raise what an exit code of ours means."""
        if code == 0:
            return
        reason = {
            NONE: "No such file or directory",
            _FOLDER: "Is a directory",
            _NO_PARENT: "No such folder",
            _THERE: "File exists",
        }.get(code)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        reason = reason or (lines[-1] if lines else f"cmd's exit code is {code}")
        raise Refused(f"{path}: {reason[:500]}").of(self.target)
