"""Who did what to which guest, and how it ended: a JSON line for each command that was typed.

Above it, unless [audit] says `calls = false`, stands a line for each agent call that it made. A
line has `version` (2), `level` (command or call) and `run`, which a command and its calls share.
A process that is killed leaves the lines of the calls that had ended.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import threading
import time

from qga_cli import hostpath, wire
from qga_cli.errors import FileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# A guest must be thawed, and that seen, whatever became of the log.
_VITAL = ("guest-fsfreeze-status", "guest-fsfreeze-thaw")
_BULK = ("input-data", "buf-b64")
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY
_VERSION = 2  # of the lines: a program that reads them can tell
_ENV = re.compile(r"-[dintv]*e|--env")  # exec -ie NAME=VALUE
# The same in one word, and ssh's -o SetEnv=NAME=VALUE.
_JOINED = re.compile(
    r"(?:-[dintv]*e|--env=)[^=]*=|(?:-\w*o|--option=)?\s*(?i:setenv)(?:\s*=|\s)", re.DOTALL
)
_ARGUMENT = re.compile(rf"(?:{'|'.join(wire.SECRET)}):?=")  # of `raw`
_NO_LOGIN = 2**32 - 1  # loginuid of a process that no login began


class Audit:
    """The files that are written to. Raises FileError when one cannot be opened.

    `run` is the one that the lines belong to: a new one, if it is not given.
    """

    def __init__(self, paths: Sequence[str], *, calls: bool = True, run: str = "") -> None:
        self._calls = calls
        self._run = run or os.urandom(6).hex()
        self._files = [(path, _open(path)) for path in paths]
        # For `joined`. Those that outlive us have / to work in, and have only calls to write.
        self.words = [self._run, *map(hostpath.rooted, paths)] if calls else []
        self._user = _user()
        self._running: dict[int, tuple[dict[str, Any], float]] = {}
        self._count = 0
        self._failure: FileError | None = None
        self._closed = False
        self._lock = threading.Lock()

    @classmethod
    def joined(cls, words: Sequence[str]) -> Audit:
        """In another process that calls agents on our behalf: the audit that had these `words`."""
        run, *paths = words
        return cls(paths, run=run)

    def begin(
        self, host: str, guest: str, request: Mapping[str, Any], program: Sequence[str] = ()
    ) -> int:
        """Note a call that is about to be made. Raises FileError when it could not be logged.

        `program`: what the user had asked for, where a guest-exec starts something around it.
        """
        command = request["execute"]
        with self._lock:
            if self._closed or (self._failure and command not in _VITAL):
                raise self._failure or FileError("the audit file is closed already")
            line = {
                **self._head("call"),
                "host": host,
                "guest": guest,
                "command": command,
                **_asked(command, request.get("arguments"), program),
            }
            self._count += 1
            self._running[self._count] = line, time.monotonic()
            return self._count

    def end(self, call: int, outcome: str) -> None:
        """Write the call's line. Raises FileError when that fails: the call was made already."""
        with self._lock:
            if call not in self._running:
                return  # abandoned, and written as such
            command = self._write(call, outcome)
            if self._failure and command not in _VITAL:
                raise self._failure

    def ran(self, told: Mapping[str, object], seconds: float) -> None:
        """Write the line of the whole command, which took so long. `close` tells of a failure."""
        line = {**self._head("command"), **told, "ms": round(seconds * 1000, 1)}
        with self._lock:
            if not self._closed:
                self._append(line, str(told["command"]))

    def close(self) -> None:
        """Write what is still under way as abandoned. Raises FileError if any line was lost."""
        with self._lock:
            for call in list(self._running):
                self._write(call, "abandoned")
            self._closed = True
            for _, file in self._files:
                os.close(file)
            self._files.clear()
            if self._failure:
                raise self._failure

    def _write(self, call: int, outcome: str) -> str:
        line, begun = self._running.pop(call)
        elapsed = round((time.monotonic() - begun) * 1000, 1)
        command = str(line["command"])
        if self._calls:
            self._append({**line, "outcome": outcome, "ms": elapsed}, command)
        return command

    def _head(self, level: str) -> dict[str, Any]:
        now = time.time()
        return {
            "time": f"{time.strftime('%FT%T', time.gmtime(now))}.{int(now % 1 * 1000):03}Z",
            "version": _VERSION,
            "level": level,
            "run": self._run,
            "user": self._user,
        }

    def _append(self, line: Mapping[str, object], command: str) -> None:
        data = json.dumps(line).encode() + b"\n"
        for path, file in self._files:
            try:
                if os.write(file, data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                self._failure = self._failure or FileError(
                    f"{command} is not in the audit file {path}: {error.strerror}",
                    hint="the call itself was made; nothing further is sent",
                )


def _open(path: str) -> int:
    """A file or a device to append to. A FIFO could hang us, before the call and after it."""
    try:
        number = hostpath.open_file(path, _APPEND | os.O_NONBLOCK, 0o600)
        mode = os.fstat(number).st_mode
    except OSError as error:
        why = "it is a FIFO or a socket" if error.errno == errno.ENXIO else str(error.strerror)
        raise _unwritable(path, why) from error
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        os.close(number)
        raise _unwritable(path, "it is a FIFO or a socket")
    os.set_blocking(number, True)
    if stat.S_ISREG(mode):
        _end_line(number)
    return number


def _end_line(number: int) -> None:
    """A full disk may have cut the last line: what comes after it must not become a part of it."""
    # Who may append may not always read.
    with contextlib.suppress(OSError), open(f"/proc/self/fd/{number}", "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            os.write(number, b"\n")


def _unwritable(path: str, why: str) -> FileError:
    return FileError(
        f"the audit file {path} cannot be written: {why}", hint="nothing was sent to any guest"
    )


def _user() -> dict[str, object]:
    """Who runs this process; sudo's word is the environment's, the login is the kernel's."""
    user: dict[str, object] = {"euid": os.geteuid(), **_name("name", os.geteuid())}
    if sudo := os.environ.get("SUDO_USER"):
        user["sudo"] = sudo
    try:
        with open("/proc/self/loginuid") as file:
            login = int(file.read())
    except (OSError, ValueError):
        return user  # a kernel without audit
    if login != _NO_LOGIN:
        user |= {"login": login, **_name("login-name", login)}
    return user


def _name(key: str, number: int) -> dict[str, object]:
    import pwd

    try:
        return {key: pwd.getpwuid(number).pw_name}
    except KeyError:  # nobody in the user database
        return {}


def typed(words: Sequence[str]) -> list[str]:
    """A command line without what may be secret in it: values of variables, requests of `raw`."""
    shown: list[str] = []
    for word in words:
        if shown and _ENV.fullmatch(shown[-1]) and "=" in word:
            word = word.partition("=")[0] + "=***"
        elif found := _JOINED.match(word) or _ARGUMENT.match(word):
            word = found[0] + "***"
        elif word.lstrip().startswith("{"):
            word = "{***}"
        shown.append(word)
    return shown


def _asked(command: str, arguments: object, program: Sequence[str]) -> dict[str, Any]:
    """What was asked for, without anything that may be secret."""
    if not isinstance(arguments, dict):
        return {}
    told = {name: _told(name, value) for name, value in arguments.items()}
    if command != "guest-exec":
        return {"arguments": told} if told else {}
    words = told.pop("arg", [])
    argv = [told.pop("path", ""), *(words if isinstance(words, list) else [words])]
    asked = {"program": list(program)} if program and list(program) != argv else {}
    return {"argv": argv, **asked, **({"arguments": told} if told else {})}


def _told(name: str, value: object) -> object:
    if name == "password":
        return "***"
    if name in _BULK:
        return f"*** {len(value):,} characters" if isinstance(value, str) else "***"
    if name == "env":
        words = value if isinstance(value, list) else [value]
        return [f"{str(word).partition('=')[0]}=***" for word in words]
    return value
