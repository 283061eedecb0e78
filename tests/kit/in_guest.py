"""Ways to look at a real guest from inside, and to wait for it."""

import time

from tests import lab
from tests.kit.command import Ran, qga
from tests.kit.running import GUARD, Started

# Stops what writes a copy into the folder $0, and says so when it stands still. It is there before
# the copy, and starts no program once that has begun: all may have come within a fifth of a second.
_HOLD = """
cd "$0" || exit
rm -f data; echo ready
pid=
until [ "$pid" ]; do
  for file in /proc/[0-9]*/comm; do
    read -r name <$file && [ "$name" = dd ] && file=${file%/comm} && pid=${file#/proc/}
  done 2>/dev/null
done
until [ -s .data.*.qga-part ]; do :; done
kill -STOP $pid
until read -r _ _ state _ </proc/$pid/stat && [ "$state" = T ]; do [ -e /proc/$pid ] || exit; done
echo stopped
"""


def inside(guest: lab.Guest, *argv: str) -> str:
    """What a program in the guest prints."""
    ran = qga("exec", guest.name, "--", *argv)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def done(guest: lab.Guest, *words: str, stdin: bytes = b"") -> Ran:
    """Run a command that must succeed."""
    ran = qga(*(word.replace("VM", guest.name) for word in words), stdin=stdin)
    assert ran.code == 0, ran.err
    return ran


def await_state(guest: lab.Guest, state: str, seconds: float = GUARD) -> None:
    until = time.monotonic() + seconds
    while guest.state() != state:
        assert time.monotonic() < until, f"{guest.name} is {guest.state()}, not {state}"
        time.sleep(0.2)


def await_agent(guest: lab.Guest, seconds: float = GUARD) -> bool:
    """Whether it answers in that time."""
    until = time.monotonic() + seconds
    while qga("ping", guest.name).code:
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def begun_copy(source: str, target: str, *host: str) -> Started:
    """A copy through ports to FOLDER/data of a guest, that has come a part of its way and stands
    still there, until a `pkill -CONT -x dd`; `host` are options that say where the guest is."""
    name, _, path = target.partition(":")
    folder = path.removesuffix("/data")
    watcher = Started(*host, "exec", "--channel", "never", name, "--", "sh", "-c", _HOLD, folder)
    assert watcher.line() == "ready", watcher.end()
    copy = Started(*host, "cp", "--channel", "always", source, target)
    assert watcher.end() == (0, "stopped\n", ""), copy.end()
    return copy
