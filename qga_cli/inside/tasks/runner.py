"""Runs tasks in the guest, as many as the host sends, each in a process forked from this one.

    host                                      guest
    S number, command, its input ─────────▶   forks, executes /bin/sh
    P number, Python and variables,
      script                     ─────────▶   forks, and the fork is the Python that runs it
                                 ◀─────────   O, E number, output; X number, how it ended
    K number                     ─────────▶   ends it: TERM to all of its tree, then KILL
    end of input                 ─────────▶   ends them all, and itself

A fork saves Python's start, and has what earlier ones have compiled (memory.py).
"""

import fcntl
import gc
import marshal
import os
import select
import signal
import struct
import sys
import termios
import time

import base64  # isort: skip  # the rest is for the scripts: each begins with these
import json
import shutil
import subprocess
import tempfile
import zipfile

from qga_cli.inside.tasks.frames import HEAD, HELLO, SIZE
from qga_cli.inside.tasks.memory import remember
from qga_cli.inside.tasks.paths import package_folders, renew_paths
from qga_cli.inside.tasks.tree import TreeEnding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 4000  # modules whose code is kept
_PIECE = 65536
_LOOK = 100  # milliseconds between two looks whether what is to end has ended
_THERE = struct.Struct("i")  # of FIONREAD
_FIRST = (base64, json, shutil, subprocess, tempfile, zipfile)


def keep_out_of_collections() -> None:
    """Hide what there is from forks' garbage collections: each would copy every page of it."""
    if hasattr(gc, "freeze"):  # since Python 3.7
        gc.freeze()


def run_shell(line: bytes, inlet: int, ends: "dict[bytes, int]") -> int:
    """Start a line of shell; its pid. In C, without a copy of our memory."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", line], stdin=inlet, stdout=ends[b"O"], stderr=ends[b"E"],
        start_new_session=True,
    )  # fmt: skip
    process.returncode = 0  # it is we who wait for it
    return process.pid


class TaskRun:
    """One task. `files`: the descriptors that are read, and which stream each of them is."""

    def __init__(self, pid: int, files: "dict[int, bytes]") -> None:
        self.pid = pid
        self.files = files
        self.report = b""
        self.ending = False


class TaskRunner:
    """Reads requests from `inlet`, answers at `outlet`."""

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet = inlet
        self._outlet = outlet
        self._asked = b""
        self._open = True
        self._runs: dict[int, TaskRun] = {}
        self._endings: list[TreeEnding] = []
        self._inputs: dict[int, bytes] = {}  # what is left to write, by descriptor
        self._code: dict[bytes, Any] = {}
        self._modules: list[str] = []  # to be loaded when there is nothing else to do
        self._poll = select.poll()
        self._folders = package_folders()

    def serve(self) -> "bytes | None":
        """Until the host goes. Returns a script in the process that is to run it, else None."""
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.set_wakeup_fd(wake)
        self._poll.register(self._inlet, select.POLLIN)
        self._poll.register(woken, select.POLLIN)
        os.umask(0o022)  # of a login; the agent may have been started with another one
        self._say(HELLO, 0)
        while self._open or self._runs or self._endings:
            for number, _ in self._poll.poll(self._pause()):
                if number == self._inlet:
                    script = self._read()
                    if script is not None:
                        return script
                elif number == woken:
                    os.read(woken, 512)
                elif number in self._inputs:
                    self._feed(number)
                else:
                    self._take(number)
            self._reap()
            self._endings = [one for one in self._endings if not one.is_over()]
            self._load_one()
        return None

    def _pause(self) -> "float | None":
        """Milliseconds that may be waited."""
        if self._modules and not self._runs:
            return 0
        return _LOOK if self._endings else None

    def _say(self, kind: bytes, number: int, data: bytes = b"") -> None:
        view = memoryview(HEAD.pack(kind, number, len(data)) + data)
        try:
            while view:
                view = view[os.write(self._outlet, view) :]
        except OSError:  # the host has gone
            self._leave()

    def _read(self) -> "bytes | None":
        piece = os.read(self._inlet, _PIECE)
        if not piece:
            self._leave()
        self._asked += piece
        while len(self._asked) >= HEAD.size:
            kind, number, size = HEAD.unpack_from(self._asked)
            if len(self._asked) < HEAD.size + size:
                break
            data = self._asked[HEAD.size : HEAD.size + size]
            self._asked = self._asked[HEAD.size + size :]
            if kind == b"K":
                self._end(number)
            else:
                (size,) = SIZE.unpack_from(data)
                first, rest = data[SIZE.size : SIZE.size + size], data[SIZE.size + size :]
                if self._start(kind, number, first, rest):
                    return rest
        return None

    def _leave(self) -> None:
        if self._open:
            self._open = False
            self._poll.unregister(self._inlet)
            for number in self._runs:
                self._end(number)

    def _start(self, kind: bytes, number: int, first: bytes, rest: bytes) -> bool:
        """Fork. Whether this is the process that is to run a script."""
        given = rest if kind == b"S" else b""
        inlet, feed = os.pipe() if given else (os.open(os.devnull, os.O_RDONLY), -1)
        pipes = {name: os.pipe() for name in ((b"O", b"E") if kind == b"S" else (b"O", b"E", b"R"))}
        ends = {name: theirs for name, (_, theirs) in pipes.items()}
        if kind == b"S":
            pid = run_shell(first, inlet, ends)
        else:
            pid = os.fork()
            if not pid:
                self._become(inlet, ends)
                variables = first.split(b"\0")[1:]
                pairs = (os.fsdecode(one).partition("=") for one in variables)
                os.environ.update({name: value for name, _, value in pairs})
                return True
        os.close(inlet)
        if given:
            os.set_blocking(feed, False)
            self._inputs[feed] = given
            self._poll.register(feed, select.POLLOUT)
        files = {}
        for name, (ours, theirs) in pipes.items():
            os.close(theirs)
            os.set_blocking(ours, False)
            self._poll.register(ours, select.POLLIN)
            files[ours] = name
        self._runs[number] = TaskRun(pid, files)
        return False

    def _become(self, inlet: int, ends: "dict[bytes, int]") -> None:
        """In the fork: descriptors, signals and a session as of a program just started."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        report = os.dup(ends[b"R"])  # which is not inherited by what is executed
        for standard, number in enumerate((inlet, ends[b"O"], ends[b"E"])):
            os.dup2(number, standard)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) != report:
                try:
                    os.close(int(name))
                except OSError:  # the folder's own
                    continue
        time.tzset()  # an earlier task may have set another one, and have installed packages
        renew_paths(self._folders)
        remember(self._code, report)

    def _feed(self, number: int) -> None:
        try:
            data = self._inputs[number]
            self._inputs[number] = data[os.write(number, data[:_PIECE]) :]
        except BrokenPipeError:
            self._inputs[number] = b""
        if not self._inputs[number]:
            self._poll.unregister(number)
            os.close(number)
            del self._inputs[number]

    def _take(self, number: int) -> None:
        """What a task has written."""
        for at, run in list(self._runs.items()):
            if number in run.files:
                if self._pass_on(at, run, number) == 0:
                    self._close(number)
                    del run.files[number]
                return
        # A task that has ended left a process behind: read into nothing, SIGPIPE would end it.
        try:
            if os.read(number, _PIECE):
                return
        except BlockingIOError:
            return
        self._close(number)

    def _pass_on(self, at: int, run: TaskRun, number: int) -> "int | None":
        """How many bytes that were; 0 at the end, None if there are none yet."""
        try:
            piece = os.read(number, _PIECE)
        except BlockingIOError:
            return None
        name = run.files[number]
        if name == b"R":
            run.report += piece
        elif piece:
            self._say(name, at, piece)
        return len(piece)

    def _close(self, number: int) -> None:
        self._poll.unregister(number)
        os.close(number)

    def _reap(self) -> None:
        """Tell of those that have ended, after the last that they wrote."""
        for at, run in list(self._runs.items()):
            pid, status = os.waitpid(run.pid, os.WNOHANG)
            if not pid:
                continue
            for number in list(run.files):
                # No more than is there now: a child that it has left may write without end.
                (left,) = _THERE.unpack(fcntl.ioctl(number, termios.FIONREAD, bytes(_THERE.size)))
                while left > 0:
                    left -= self._pass_on(at, run, number) or left
                if run.files[number] == b"R":
                    self._close(number)
            del self._runs[at]
            self._say(b"X", at, SIZE.pack(status))
            self._learn(run.report)

    def _learn(self, report: bytes) -> None:
        try:
            code, modules = marshal.loads(report)
        except (EOFError, ValueError, TypeError):  # it was killed
            return
        if len(self._code) > MOST:
            self._code.clear()
        self._code.update(code)
        keep_out_of_collections()
        self._modules += [name for name in modules if name not in sys.modules]

    def _load_one(self) -> None:
        if self._modules and not self._runs:
            try:
                __import__(self._modules.pop(0))
            except Exception:  # whoever needs it will say
                return
            keep_out_of_collections()

    def _end(self, number: int) -> None:
        run = self._runs.get(number)
        if run and not run.ending:
            run.ending = True
            self._endings.append(TreeEnding(run.pid))
