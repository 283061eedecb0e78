"""A program in a Windows guest, run by cmd with its streams in private files.

    batch file, input  ->  cmd /c BATCH 1>out 2>err <in  ->  exit code  ->  out, err  ->  del

Nothing is captured by the agent, so no reply can be too large; no pipe of the agent's is written,
so none can hang it; what a program leaves running holds its files, and not the call. The output
is told at the end: the agent cannot open what another has open for writing.
"""

from __future__ import annotations

import time

from qga_cli.agent import exit_codes
from qga_cli.agent.program import wait_for_end
from qga_cli.errors import Interrupted, NoProgram, NotExecutable, QgaError, Refused, TimedOut
from qga_cli.windows import code_page, private, surroundings
from qga_cli.windows.paths import quoted
from qga_cli.windows.script import Script
from qga_cli.windows.words import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import Any

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.context import Context
    from qga_cli.exec.sinks import Sinks
    from qga_cli.exec.stdin import InputFeed

_CEILING = 0.25  # seconds between two looks
_KILL = 5.0  # seconds for taskkill
_CLOSING = 1.0  # seconds until what has ended has closed its files
_NOT_FOUND = 9009  # cmd's code in a batch file for what it cannot run
_RUN = ["cmd.exe", "/d", "/e:on", "/v:off", "/c"]
_EXECUTABLE = ("", ".com", ".exe", ".bat", ".cmd", ".vbs", ".js", ".wsf", ".msc")


class WindowsProgram:
    """As StreamedProgram. With `text` what it writes in a code page becomes UTF-8."""

    def __init__(
        self, calls: AgentCalls, argv: Sequence[str], feed: InputFeed | None, *, text: bool
    ) -> None:
        self.calls = calls
        self.pid = 0
        self.ended = False
        self._argv = argv
        self._feed = feed
        self._text = text
        self._status: Mapping[str, Any] = {}

    def start(self, context: Context, sinks: Sinks) -> None:
        """Make ready. Raises UsageError, Unsupported for what cannot be passed there."""
        self._sinks = sinks
        self._around = context
        self._batch = surroundings.batch(self._argv, context)  # made now: it may be refused
        self._private = private.Private(self.calls)
        self._work = self._steps()

    def step(self) -> float:
        """Do one thing; how long to wait before the next, in seconds."""
        pause = next(self._work, None)
        if pause is None:
            self.ended = True
        return pause or 0.0

    def result(self) -> tuple[int | None, int | None]:
        """Its exit code, of 32 bits."""
        return self._status["exitcode"], None

    def abandon(self, *, drop: bool = False) -> None:
        """Leave it alone. Files that it still has open are removed by the next run."""
        self._work.close()
        self.calls.patient = False
        if self.pid and not self._exited():
            self._private.busy()
        self._private.remove()

    def signal(self, name: str, *, kill_after: float | None = None) -> int:
        """End it with all it has started: Windows has no signals. Raises if that is not possible,
        for then it runs on."""
        if not self.pid:
            raise self._stopped(kill_after, "its input has not ended yet: it was not started")
        try:
            pid = self.calls.start(
                ["taskkill.exe", "/PID", str(self.pid), "/T", "/F"], capture=True
            )
        except Refused as error:
            raise self._stopped(kill_after, f"{self._runs_on}: {error.said()}") from error
        said = wait_for_end(lambda: self.calls.status(pid), _KILL) or {}
        if said.get("exitcode") != 0 and not self._exited():
            code = said.get("exitcode", "none")
            raise self._stopped(kill_after, f"{self._runs_on} (taskkill's exit code: {code})")
        return pid

    @property
    def _runs_on(self) -> str:
        return f"the program could not be ended: pid {self.pid} runs on in the guest"

    def _stopped(self, kill_after: float | None, why: str) -> QgaError:
        if kill_after is not None:
            return TimedOut(f"the time given with --timeout is over, and {why}")
        return Interrupted(self.calls.interrupt.last).add(after=f", and {why}")

    def _exited(self) -> bool:
        """Whether it has ended, which the agent tells once."""
        if not self._status.get("exited"):
            self._status = self.calls.status(self.pid)
            if self._status["exited"]:
                self._status = exit_codes.told(self._status)
        return bool(self._status["exited"])

    def _steps(self) -> Generator[float, None, None]:
        """The work of a call, in steps that end with a pause."""
        ours = self._private
        given = yield from self._input_file()
        if isinstance(self._argv, Script):
            file = ours.put(f"run{self._argv.ending}", self._argv.content)
            self._batch = surroundings.batch(self._argv.argv(file), self._around)
        batch = ours.put("cmd", self._batch.encode())
        out, err = ours.path("out"), ours.path("err")
        words = [*_RUN, batch, f"1>{out}", f"2>{err}", f"<{given}"]
        env = surroundings.environment(ours, self._batch, self._around)
        self.pid = self.calls.start(words, env=env, program=self._argv)
        self.calls.patient = True
        began = time.monotonic()
        while not self._exited():
            yield max(0.002, min((time.monotonic() - began) / 5, _CEILING))
        if self._status["exitcode"] in (_NOT_FOUND, surroundings.NO_FOLDER):
            self._explain(out)
        page = code_page.Page(self.calls)
        for path, sink in zip((out, err), self._sinks, strict=True):
            readable = code_page.Readable(sink, page) if self._text else None
            yield from self._tell(path, readable, sink)
        ours.remove()

    def _input_file(self) -> Generator[float, None, str]:
        """The path of its input, once all of that is there: only then can it be opened."""
        if self._feed is None:
            return "NUL"
        path, handle = self._private.create("in")
        with self._private.closing(handle):
            for piece in self._feed.pieces(self.calls.agent):
                if piece:
                    self._private.write(handle, piece)
                yield 0.0 if piece else 0.05
        return path

    def _tell(
        self,
        path: str,
        readable: code_page.Readable | None,
        sink: Callable[[bytes], object],
    ) -> Generator[float, None, None]:
        """Pass a stream on, a piece in each step."""
        handle = yield from self._opened(path)
        with self._private.closing(handle):
            while data := self._private.read(handle):
                (readable.take if readable else sink)(data)
                yield 0.0
        if readable:
            readable.close()

    def _opened(self, path: str) -> Generator[float, None, int]:
        """A handle on a stream. What has just ended may have it open a moment longer."""
        until = time.monotonic() + _CLOSING
        while True:
            try:
                return self._private.open(path, "r")
            except Refused as error:
                if time.monotonic() > until:
                    return self._copied(path, error)
            yield _CLOSING / 10

    def _copied(self, path: str, error: Refused) -> int:
        """A child that runs on has it open to write, as far as it has come it can be copied."""
        self._private.busy()
        copy = self._private.path(path.rpartition(".")[2] + "-part")
        batch = Batch()
        batch.add(f"copy /y {path} {copy} >NUL 2>NUL")
        batch.add("if errorlevel 1 exit 1")
        if self._private.run(batch)[0] == 0:
            return self._private.open(copy, "r")
        raise QgaError(
            f"the program has ended (exit code {self._status['exitcode']}), but what it has "
            "left running holds its output, which is lost",
            hint="`start /b PROGRAM >NUL 2>&1` leaves a child without output of ours",
            details=error.desc,
        ) from error

    def _explain(self, out: str) -> None:
        """Raise what an exit code of cmd means, unless it is the program's own."""
        with self._private.closing(self._private.open(out, "r")) as handle:
            if self._private.read(handle):
                return
        if self._status["exitcode"] == surroundings.NO_FOLDER:
            if self._around.workdir:
                raise Refused(f"cannot run in the folder {self._around.workdir}")
            return
        program = self._argv[0]
        batch = Batch()
        if any(mark in program for mark in "\\/:"):
            batch.add(f"if exist {batch.path(program + chr(92))} exit 2")
            names = [batch.path(program + ending) for ending in _EXECUTABLE]
            for name in names:
                batch.add(f"if exist {name} exit 1")
        else:
            names = [batch.path(program + ending) for ending in _EXECUTABLE]
            batch.add(f'for %%I in ({" ".join(names)}) do if not "%%~$PATH:I"=="" exit 1')
        found, _ = self._private.run(batch)
        if found == 2:
            raise NotExecutable(f"{quoted(program)} is a folder in the guest")
        if found == 0:
            raise NoProgram(
                f"no program {quoted(program)} in the guest",
                hint=f"what is part of cmd: `qga exec VM -- cmd /c {program} ...`"
                if program.lower().partition(" ")[0] in _BUILT_IN
                else "",
            )


_BUILT_IN = {
    "assoc", "call", "cd", "chdir", "cls", "copy", "date", "del", "dir", "echo", "erase", "for",
    "ftype", "if", "md", "mkdir", "mklink", "move", "path", "pushd", "rd", "ren", "rename", "rmdir",
    "set", "start", "time", "type", "ver", "verify", "vol",
}  # fmt: skip
