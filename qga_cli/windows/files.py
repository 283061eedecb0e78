"""Files of a Windows guest, by cmd's own commands.

cmd's words are the guest's language, so nothing is read from them but what is passed on to the
user: which of the things that can be wrong it is, a batch file of ours says by its exit code.
"""

from __future__ import annotations

import re

from qga_cli.errors import BadReply, FileError, Refused
from qga_cli.exec.calls import AgentCalls
from qga_cli.windows.paths import full, join, parent
from qga_cli.windows.private import Private
from qga_cli.windows.words import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    from qga_cli.agent import Agent
    from qga_cli.interrupt import Interrupt

_NONE, _FOLDER, _FAILED, _NO_PARENT, _THERE = 12, 13, 14, 15, 16
_NAMED = 100  # hidden files that one batch looks at
_ENTRY = re.compile(r"([^*]{9,12})\*(\d*)\*([^*]+)")


class WindowsFiles:
    """What cp and its kin need of a Windows guest; one for each guest and run."""

    def __init__(self, agent: Agent, interrupt: Interrupt) -> None:
        self.private = Private(AgentCalls(agent, interrupt))
        self.target = agent.target
        self._copies: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what is left of ours in the guest."""
        self.private.remove()

    def size(self, path: str) -> int | None:
        """The size of a file; None for a folder. Raises Refused where there is neither."""
        batch = Batch()
        name = batch.path(full(path))
        _unless_folder(batch, name)
        batch.add(f"if not exist {name} exit {_NONE}")
        batch.add(f"for %%I in ({name}) do echo %%~zI")
        code, said = self.private.run(batch)
        if code == _FOLDER:
            return None
        self._check(code, path, said)
        if not said.strip().isdigit():
            raise BadReply(f"the guest says that {path} has {said[:40]!r} bytes").of(self.target)
        return int(said)

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        batch = Batch()
        batch.add(f"if not exist {batch.path(full(path))} exit {_NONE}")
        return self.private.run(batch)[0] == 0

    def copied(self, path: str) -> str:
        """A private copy of a file, to be read at leisure: the agent would lock the file itself
        for all others, and could not open one that a service writes."""
        if path not in self._copies:
            ours = self.private.path(f"copy{len(self._copies)}")
            batch = Batch()
            name = batch.path(full(path))
            _unless_folder(batch, name)
            batch.add(f"if not exist {name} exit {_NONE}")
            batch.add(f"copy /y /b {name} {ours} 2>&1")
            batch.add(f"if errorlevel 1 exit {_FAILED}")
            self._check(*self._coded(batch, path))
            self._copies[path] = ours
        return self._copies[path]

    def forget(self, path: str) -> None:
        """What `copied` has copied is to be copied anew."""
        self._copies.pop(path, None)

    def place(self, path: str, name: str, *, folder: bool) -> str:
        """Where a file that is copied to `path` comes down: in it, if it is a folder."""
        goal = full(path)
        batch = Batch()
        _unless_folder(batch, batch.path(goal))
        _if_folder(batch, batch.path(parent(goal)), _NO_PARENT)
        code, said = self.private.run(batch)
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
            batch = Batch()
            _unless_folder(batch, batch.path(goal))
            _if_folder(batch, batch.path(parent(goal)), _NO_PARENT)
            code, said = self.private.run(batch)
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
        batch.add(f"copy /y /b {batch.path(source)} {batch.path(goal)} 2>&1")
        batch.add(f"if errorlevel 1 exit {_FAILED}")
        self._check(*self._coded(batch, goal))

    def move(self, part: str, goal: str) -> None:
        """Give a file its final name, in place of the one that has it."""
        batch = Batch()
        batch.add(f"move /y {batch.path(part)} {batch.path(goal)} 2>&1")
        batch.add(f"if errorlevel 1 exit {_FAILED}")
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
                batch.add(f"if not exist {name} exit {_NONE}")
            if recursive:
                batch.add(_attributes(name))
                batch.add(f"if {_IS_FOLDER} rmdir /s /q {name} 2>&1")
                batch.add(f"if {_IS_FOLDER} if exist {name} exit {_FAILED}")
            else:
                _unless_folder(batch, name)
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
                _unless_folder(batch, name, 0)
            else:
                batch.add(f"if exist {name} exit {_THERE}")
                _if_folder(batch, batch.path(parent(goal)), _NO_PARENT)
            batch.add(f"mkdir {name} 2>&1")
            batch.add(f"if errorlevel 1 exit {_FAILED}")
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
            batch.add(f"if not exist {name} exit {_NONE}")
            final = join(full(goal), path.rpartition("\\")[2]) if into else full(goal)
            batch.add(f"move /y {name} {batch.path(final)} 2>&1")
            batch.add(f"if errorlevel 1 exit {_FAILED}")
            self._check(*self._coded(batch, source))

    def list(self, path: str, *, hidden: bool) -> list[dict[str, Any]]:
        """What is in a folder, or the file itself: name, size, attributes as `mode`."""
        goal = full(path)
        batch = Batch()
        name = batch.path(goal)
        out = self.private.path("list")
        each = _each(out)
        batch.add(f"type NUL>{out}")
        batch.add(_attributes(name))
        batch.add(f"if not {_IS_FOLDER} if not exist {name} exit {_NONE}")
        batch.add(f"if not {_IS_FOLDER} for %%I in ({name}) do {each}")
        batch.add(f"if not {_IS_FOLDER} exit 0")
        batch.add(f"pushd {name}")  # which cd cannot do with \\\\server\\share
        batch.add(f"for %%I in (*) do {each}")
        batch.add(f"for /d %%I in (*) do {each}")
        if hidden:
            batch.add(f"dir /b /a:h >>{out} 2>NUL")
        batch.add("popd")
        batch.add("exit 0")
        code, said = self.private.run(batch)
        self._check(code, path, said)
        rows: dict[str, dict[str, Any]] = {}
        unknown = []
        for line in self._listed(out):
            if found := _ENTRY.fullmatch(line):
                rows.setdefault(found[3], _row(found))
            else:
                unknown.append(line)
        unknown = [name for name in unknown if name not in rows]  # wine's `for` hides none
        for start in range(0, len(unknown), _NAMED):
            self._look_at(goal, unknown[start : start + _NAMED], out, rows)
        return sorted(rows.values(), key=lambda row: str(row["name"]))

    def _look_at(
        self, folder: str, names: Sequence[str], out: str, rows: dict[str, dict[str, Any]]
    ) -> None:
        """Add hidden files to `rows`: `for` sees them only where it is given their names."""
        batch = Batch()
        batch.add(f"type NUL>{out}")
        batch.add(f"pushd {batch.path(folder)}")
        for name in names:
            batch.add(f"for %%I in ({batch.path(name)}) do {_each(out)}")
        batch.add("popd")
        self.private.run(batch)
        for found in map(_ENTRY.fullmatch, self._listed(out)):
            if found:
                rows.setdefault(found[3], _row(found))

    def _listed(self, out: str) -> Sequence[str]:
        content = self.private.content(out, most=2**26)
        return content.decode("utf-16-le", "surrogatepass").splitlines()

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
            if size.isdigit() and ours.fullmatch(name):
                found[join(folder, name)] = int(size)
        return found

    def _coded(self, batch: Batch, path: str) -> tuple[int, str, str]:
        code, said = self.private.run(batch)
        return code, path, said

    def _check(self, code: int, path: str, said: str) -> None:
        """Raise what an exit code of ours means."""
        if code == 0:
            return
        reason = {
            _NONE: "No such file or directory",
            _FOLDER: "Is a directory",
            _NO_PARENT: "No such folder",
            _THERE: "File exists",
        }.get(code)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        reason = reason or (lines[-1] if lines else f"cmd's exit code is {code}")
        raise Refused(f"{path}: {reason[:500]}").of(self.target)


_IS_FOLDER = '"%QGA_A:~0,1%"=="d"'


def _attributes(name: str) -> str:
    """The line after which _IS_FOLDER can be asked. `if exist NAME\\` is true of files too, under
    wine."""
    return f"for %%I in ({name}) do set QGA_A=%%~aI"


def _unless_folder(batch: Batch, name: str, code: int = _FOLDER) -> None:
    batch.add(_attributes(name))
    batch.add(f"if {_IS_FOLDER} exit {code}")


def _if_folder(batch: Batch, name: str, code: int) -> None:
    batch.add(_attributes(name))
    batch.add(f"if not {_IS_FOLDER} exit {code}")


def _each(out: str) -> str:
    """What is done for each entry of a listing. What is written to stands in front: a digit before
    it would be a stream's."""
    return f">>{out} echo %%~aI*%%~zI*%%~nxI"


def _row(found: re.Match[str]) -> dict[str, Any]:
    folder = found[1].startswith("d")
    return {
        "mode": found[1],
        "owner": "-",
        "group": "-",
        "size": int(found[2]) if found[2] and not folder else 0,
        "modified": None,
        "name": found[3],
    }
