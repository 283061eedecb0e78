"""Another user of a guest, who is hostile: a bench for races against root's qga.

    with Mallory(guest, PLANT) as mallory:      # a Python program, run in the guest as uid 1234
        qga("exec", guest.name, ...)
        assert mallory.loot() == b""            # what the program has printed so far

`prepare(guest)` makes the user once and sets the kernel's protections as distributions do, so an
attack that succeeds here succeeds there. Programs get the functions of `PRELUDE`: `words()` sees
every command line, `plant()` puts a FIFO under a name, `swap()` puts something else in the place
of a path. Mallory is started past the code under test, and ends with the `with`, or after a minute.
`stop_at(agent, ...)` is for what luck would decide: it calls back between two calls of ours.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

from qga_cli.agent import Agent
from tests import lab

USER, UID = "mallory", 1234
HOME = "/var/tmp/mallory"
_READY = b"ready\n"

_PREPARE = f"""
echo 1 >/proc/sys/fs/protected_fifos
echo 2 >/proc/sys/fs/protected_regular
echo 1 >/proc/sys/fs/protected_symlinks
grep -q ^{USER}: /etc/passwd || {{
  echo '{USER}:x:{UID}:{UID}::{HOME}:/bin/sh' >>/etc/passwd
  echo '{USER}:x:{UID}:' >>/etc/group
  echo '{USER}:*:19000:0:99999:7:::' >>/etc/shadow
}}
mkdir -p {HOME} && chown {UID}:{UID} {HOME}
# The lab's guests have Python without bytecode, and the user cannot write any: compiling took him
# twelve seconds on trixie-backports, and more beside other tests.
python3 -c 'import errno, os, re, signal, stat, sys, time'
"""
_START = 60  # seconds for that, and for his program to begin

PRELUDE = r"""
import errno, os, re, signal, stat, sys, time
signal.alarm(60)

def say(data):
    os.write(1, data if isinstance(data, bytes) else data.encode())

def words():
    # The command lines of all processes but ours.
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    yield int(pid), file.read()
            except OSError:
                pass

def plant(path):
    # A FIFO that all may write to; its descriptor, or None if the name is taken.
    try:
        os.mkfifo(path)
        os.chmod(path, 0o666)
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None

def swap(path, target):
    # A link to `target` in the place of `path`, which is moved aside. Whether it went well.
    try:
        os.rename(path, "%s.%d" % (path, time.monotonic_ns()))
        os.symlink(target, path)
        return True
    except OSError:
        return False

say("ready\n")
"""

# Plants a FIFO under every odd word that a command line, a name of a file or a process shows, as
# spool files are named or may be, and prints what anybody writes there.
PLANT = r"""
PLACES = "/dev/shm", "/run", "/tmp", "/var/tmp"
SUFFIXES = "", ".0", ".1", ".2", ".3", ".9", "/1", "/2", "/3", "/9", "/keys"
seen, fifos = set(), []
word = re.compile(rb"[A-Za-z._-]*[0-9a-f]{8,}")
while True:
    found = set()
    for pid, line in words():
        found.update(word.findall(line))
    for place in PLACES:
        found.update(word.findall(" ".join(os.listdir(place)).encode()))
    for name in found - seen:
        seen.add(name)
        for place in PLACES:
            for suffix in SUFFIXES:
                fifo = plant("%s/%s%s" % (place, name.decode(), suffix))
                if fifo is not None:
                    fifos.append(fifo)
    for fifo in fifos:
        try:
            data = os.read(fifo, 65536)
            if data:
                say(data)
        except BlockingIOError:
            pass
"""


def prepare(guest: lab.Guest) -> None:
    """Make the user, and protect FIFOs, files and links in sticky folders."""
    pid = _start(guest, "sh", "-c", _PREPARE)
    status = _wait(guest, pid, _START)
    assert status.get("exitcode") == 0, status


class Mallory:
    """A Python program of the hostile user's, running in a guest."""

    def __init__(self, guest: lab.Guest, program: str) -> None:
        self.guest = guest
        self._file = f"/var/tmp/mallory-{time.monotonic_ns()}"
        prepare(guest)
        words = f"exec setpriv --reuid {UID} --regid {UID} --clear-groups python3 - >{self._file}"
        source = base64.b64encode((PRELUDE + program).encode()).decode()
        self._pid = _start(guest, "sh", "-c", words, stdin=source)

    def __enter__(self) -> Mallory:
        until = time.monotonic() + _START
        while not self._written().startswith(_READY):
            assert time.monotonic() < until, "the attacker does not start"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        tidy = f"rm -f {self._file}; find /tmp /run /var/tmp /dev/shm -uid {UID} -type p -delete"
        _wait(self.guest, _start(self.guest, "kill", "-9", str(self._pid)), 20)
        _wait(self.guest, _start(self.guest, "sh", "-c", tidy), 20)

    def loot(self) -> bytes:
        """What the program has printed."""
        return self._written().removeprefix(_READY)

    def _written(self) -> bytes:
        status = _wait(self.guest, _start(self.guest, "cat", self._file, capture=True), 20)
        return base64.b64decode(status.get("out-data", ""))


def stop_at(agent: Agent, here: Callable[[dict[str, Any]], bool], act: Callable[[], None]) -> None:
    """Have `act` called before the first request for which `here` is true is sent."""
    call, done = agent.call, list[bool]()

    def watched(command: Any, arguments: Any = None, *rest: Any) -> Any:
        if not done and here({"execute": command.wire, "arguments": arguments or {}}):
            done.append(True)
            act()
        return call(command, arguments, *rest)

    agent.call = watched  # type: ignore[method-assign, assignment]


def _start(guest: lab.Guest, *argv: str, stdin: str = "", capture: bool = False) -> int:
    given: dict[str, Any] = {"path": argv[0], "arg": list(argv[1:]), "capture-output": capture}
    if stdin:
        given["input-data"] = stdin
    started = guest.call("guest-exec", **given)
    assert isinstance(started, dict)
    return int(started["pid"])


def _wait(guest: lab.Guest, pid: int, seconds: float) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while True:
        status = guest.call("guest-exec-status", pid=pid)
        assert isinstance(status, dict)
        if status["exited"]:
            return status
        assert time.monotonic() < until, f"{pid} does not end"
        time.sleep(0.02)
