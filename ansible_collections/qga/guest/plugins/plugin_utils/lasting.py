# Apache License 2.0 (see LICENSE of qga)
"""Asks the broker of a guest to run something; starts one where there is none. See broker.py."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
import time

from qga_cli import __version__
from qga_cli.errors import AgentUnavailable, OutcomeUnknown, TimedOut
from qga_cli.inside.tasks.frames import HEAD, SIZE
from qga_cli.threads import held

# How Ansible has a module run that comes on standard input: /bin/sh -c 'A=B PYTHON && sleep 0', and
# since ansible-core 2.21 without the sleep.
_PIPED = re.compile(r"(.*?)(/[\w./+-]*/python[\d.]*)(?: && sleep 0)?", re.DOTALL)
# Variables that a Python which runs already would not heed.
_EARLY = re.compile(r"PYTHON|LC_|LANG|LD_|MALLOC|GLIBC|TZ")


class Lasting:
    """The way to one guest's broker. `folder` is Ansible's own for sockets, times in seconds."""

    def __init__(
        self, folder: str, uri: str | None, guest: str, persist: float, timeout: float
    ) -> None:
        self._about = [f"{persist:g}", f"{timeout:g}", uri or "", guest]
        place = uri or os.environ.get("LIBVIRT_DEFAULT_URI", "")
        name = "\0".join([__version__, place, guest])
        self._name = f"qga-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        self._folder = folder
        self.why = ""  # nothing was run

    def run(self, line: str, given: bytes, stdout, stderr, timeout: float | None) -> int | None:
        """Exit code of a line of shell; None where there is no broker for it, nothing was run.

        Raises TimedOut, OutcomeUnknown, AgentUnavailable.
        """
        python, variables = piped_python(line) if given else ("", [])
        first = os.fsencode("\0".join([python, *variables]) if python else plain(line))
        return self._ask(python, first, given, stdout, stderr, timeout)

    def put(self, data: bytes, mode: int, path: str, timeout: float | None) -> bool:
        """Make a file in the guest in one step, as `cp` does; whether that is proved.

        `mode` is a new one's. Another way may do more, and says what hinders it. Raises TimedOut,
        AgentUnavailable.
        """
        from qga_cli.files.copy_file.to_guest import at_once, compared, mark

        digest = hashlib.sha512(data).hexdigest()
        words = [path, "", "", "", "", "", f"{mode & 0o755:o}"]
        line = os.fsencode(f"set -- {shlex.join(words)}\n{at_once()}")
        said = bytearray()
        with contextlib.suppress(OutcomeUnknown):  # no matter: the same file is made once more
            given = mark() + compared(digest) + data
            code = self._ask("", line, given, said.extend, lambda piece: None, timeout)
            return code == 0 and said.strip() == digest.encode()
        return False

    def _ask(self, python: str, first: bytes, given: bytes, stdout, stderr, timeout: float | None
             ) -> int | None:  # fmt: skip
        until = time.monotonic() + timeout if timeout else None
        try:
            with self._entered() as folder:
                task = folder and self._reach(folder, python)
        except OSError as error:  # nothing can be written there
            self.why = str(error)
            return None
        if not task:
            return None
        with task:
            kind = b"P" if python else b"S"
            data = SIZE.pack(len(first)) + first + given
            try:
                task.sendall(HEAD.pack(kind, 0, len(data)) + data)
            except OSError:  # it has just ended
                return None
            try:
                return self._follow(task, stdout, stderr, until)
            except TimeoutError:
                raise TimedOut(f"not ended within {timeout:g} s: it was ended") from None

    def end(self) -> None:
        """Have the next task start another one."""
        with contextlib.suppress(OSError), self._entered() as folder:  # there is none
            if folder:
                os.unlink(f"{folder}/{self._name}")

    @contextlib.contextmanager
    def _entered(self):
        """A short path to the folder; nothing for one that is not ours alone."""
        os.makedirs(self._folder, 0o700, exist_ok=True)
        with held(os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)) as number:
            about = os.fstat(number)
            ours = about.st_uid == os.getuid() and not stat.S_IMODE(about.st_mode) & 0o022
            yield f"/proc/self/fd/{number}" if ours else ""

    def _reach(self, folder: str, python: str) -> socket.socket | None:
        path = f"{folder}/{self._name}"
        task = _connected(path)
        if task or not python:
            return task
        with open(f"{path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return _connected(path) or self._start(path, python)

    def _start(self, path: str, python: str) -> socket.socket | None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(128)
            broker = os.path.join(os.path.dirname(__file__), "broker.py")
            kept = os.path.join(os.path.realpath(self._folder), self._name)
            process = subprocess.Popen(
                [sys.executable, broker, str(listener.fileno()), kept, *self._about, python],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()], start_new_session=True, cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
            process.returncode = 0  # it lives on: not waited for
            return _connected(path)

    def _follow(self, task: socket.socket, stdout, stderr, until: float | None) -> int | None:
        said = b""
        while True:
            if until is not None:
                left = until - time.monotonic()
                if left <= 0:  # also of a program that always has more to say
                    raise TimeoutError
                task.settimeout(left)
            try:
                piece = task.recv(1 << 20)
            except ConnectionError:
                piece = b""
            if not piece:
                raise OutcomeUnknown("the broker of this guest has died: the task may have run")
            said += piece
            while len(said) >= HEAD.size:
                kind, _number, size = HEAD.unpack_from(said)
                if len(said) < HEAD.size + size:
                    break
                data, said = said[HEAD.size : HEAD.size + size], said[HEAD.size + size :]
                if kind == b"O":
                    stdout(data)
                elif kind == b"E":
                    stderr(data)
                elif kind == b"N":
                    self.why = data.decode(errors="replace")
                    return None
                elif kind == b"U":
                    raise AgentUnavailable(data.decode(errors="replace"))
                elif kind == b"L":
                    raise OutcomeUnknown(f"{data.decode(errors='replace')}: the task may have run")
                else:
                    code = os.waitstatus_to_exitcode(SIZE.unpack(data)[0])
                    return code if code >= 0 else 128 - code


def piped_python(line: str) -> tuple[str, list[str]]:
    """The Python that runs its standard input and its variables, if that is all the line does."""
    with contextlib.suppress(ValueError):
        words = shlex.split(line)
        match = _PIPED.fullmatch(words[2]) if len(words) == 3 else None
        if match and words[:2] == ["/bin/sh", "-c"]:
            variables = shlex.split(match[1])
            quoted = "".join(f"{_quoted(word)} " for word in variables)
            if quoted == match[1] and not any(map(_EARLY.match, variables)):
                return match[2], variables
    return "", []


def read_small(path: bytes, most: int) -> tuple[bytes, int] | None:
    """Content and mode of a regular file of less than `most` bytes; None for what is none."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # of a FIFO no writer is waited for
    except OSError:  # another way says why
        return None
    with held(number):
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode) or about.st_size >= most:
            return None
        data = os.read(number, most)
    return (data, about.st_mode) if len(data) == about.st_size else None


def plain(line: str) -> str:
    """What Ansible has a shell run, /bin/sh -c 'LINE' or 'LINE && sleep 0': the line alone.

    The rest is for ssh: a program takes a slow guest longer to start than to run.
    """
    with contextlib.suppress(ValueError):
        words = shlex.split(line) if line.startswith("/bin/sh -c ") else []
        if len(words) == 3 and line == shlex.join(words):
            return words[2].removesuffix(" && sleep 0")
    return line


def _quoted(word: str) -> str:
    """As Ansible writes a variable: what it is written as is what a shell would read."""
    name, equals, value = word.partition("=")
    if not (equals and name.isidentifier() and name.isascii()):
        raise ValueError(word)
    return f"{name}={shlex.quote(value)}"


def _connected(path: str) -> socket.socket | None:
    task = socket.socket(socket.AF_UNIX)
    try:
        task.connect(path)
    except OSError:  # nobody listens
        task.close()
        return None
    return task
