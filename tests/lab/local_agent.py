"""A real qemu-ga on this machine, no guest around it: it acts on this machine, so it is tied."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.lab.process import PATH, LabError, run

# All the others are blocked, those that future agents bring included. exec and file commands act
# as an ordinary program of this user does.
ALLOWED = re.compile(
    r"guest-(ping|info|sync|sync-delimited|exec|exec-status|fsfreeze-status|file-\w+)"
    r"|guest-(network-|ssh-)?get-[\w-]+"
)

# In the environment of the agents of this process, and so of all that they start.
MARK = ("QGA_TEST_RUN", f"{os.getpid()}.{time.time_ns()}")
_ONE = "QGA_TEST_AGENT"  # likewise, of one of them


@dataclass(frozen=True)
class LocalAgent:
    """A running agent; its socket serves one client at a time."""

    socket: Path
    pid: int


@contextmanager
def agent(
    folder: Path, name: str, *options: str, around: Sequence[str] = ()
) -> Iterator[LocalAgent]:
    """Run qemu-ga on the socket `NAME.sock` in the folder; further options go to qemu-ga.

    `around` is a program that becomes qemu-ga, or has it as its child until it ends.
    """
    program = shutil.which("qemu-ga", path=PATH)
    if program is None:
        raise LabError("qemu-ga is not installed: run `python3 -m tests.lab setup`")
    path = folder / f"{name}.sock"
    state = folder / f"{name}.state"
    state.mkdir()
    blocked = [word for word in run(program, "-b", "help").split() if not ALLOWED.fullmatch(word)]
    command = [program, "-m", "unix-listen", "-p", str(path), "-t", str(state)]
    own = (_ONE, f"{MARK[1]}.{path}")
    # setpriv: it shall not outlive a test process that is killed.
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *around, *command, "-b", ",".join(blocked), *options],
        stdin=subprocess.DEVNULL,
        env=dict([*os.environ.items(), MARK, own]),
    )
    try:
        _assert_tied(path, process)
        yield LocalAgent(path, process.pid)
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)
        for pid in marked(own):  # what has lost its qga may wait for it for a minute
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def marked(mark: tuple[str, str]) -> dict[int, str]:
    """The command lines of the processes that have this in their environment, by pid."""
    wanted = "=".join(mark).encode()
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                environ = file.read().split(b"\0")
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:  # it has just ended
            continue
        if wanted in environ:
            found[int(entry)] = " ".join(words)
    return found


def _assert_tied(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Raise unless the agent itself says that exactly the harmless commands are enabled."""
    with _connected(path, process) as link:
        link.sendall(b'{"execute": "guest-info"}\n')
        reply = link.makefile("rb").readline()
    for command in json.loads(reply)["return"]["supported_commands"]:
        allowed = ALLOWED.fullmatch(command["name"]) is not None
        if command["enabled"] and not allowed:
            raise LabError(f"the local agent would obey {command['name']}")


def _connected(path: Path, process: subprocess.Popen[bytes]) -> socket.socket:
    """A connection to the agent, as soon as it listens."""
    deadline = time.monotonic() + 10
    while True:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(10)
        try:
            link.connect(str(path))
            return link
        except (FileNotFoundError, ConnectionRefusedError) as error:
            link.close()
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"qemu-ga does not listen on {path}: {error}") from error
            time.sleep(0.005)


def private_agent(folder: Path) -> AbstractContextManager[LocalAgent]:
    """One with the umask that systemd gives it on RHEL and Fedora, and -d everywhere."""
    return agent(folder, "private", around=("sh", "-c", 'umask 077; exec "$@"', "sh"))
