"""An attacker on this host: another user, who strikes between any two steps of ours.

`strike_at` counts the system calls that a piece of our code makes on paths, and has the attacker
act just before the one that is asked for. So every moment can be tried, one after the other.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

UID = 65534
CALLS = (
    "open", "mkdir", "rename", "replace", "lstat", "stat", "listdir", "scandir", "chmod", "chown",
    "fchmod", "fchown", "unlink", "rmdir", "symlink", "link", "readlink", "utime", "truncate",
    "statvfs", "listxattr",
)  # fmt: skip


def as_stranger(act: Callable[[], None]) -> None:
    """Do it in a process of that user's. What he is refused, he leaves."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(UID)
            os.setuid(UID)
            act()
        except OSError:
            pass
        finally:
            os._exit(0)
    os.waitpid(child, 0)


class Strike:
    """What became of it."""

    struck = False


@contextmanager
def strike_at(step: int, act: Callable[[], None]) -> Iterator[Strike]:
    """Have the stranger act just before the call number `step` of the body."""
    strike, left = Strike(), step
    real = {name: getattr(os, name) for name in CALLS}

    def watched(name: str) -> Callable[..., object]:
        def call(*words: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                strike.struck = True
                as_stranger(act)
            return real[name](*words, **named)

        return call

    for name in CALLS:
        setattr(os, name, watched(name))
    try:
        yield strike
    finally:  # not before: rmtree of Python 3.13 asserts that os.lstat stays the same function
        for name, function in real.items():
            setattr(os, name, function)


class Victim:
    """A folder of root's that nobody else can change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o755)
        for name in ("f", "shadow", "sub/f"):
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_text("secret of root's\n")
            (path / name).chmod(0o600)
        self._before = self.state()

    def state(self) -> dict[str, tuple[object, ...]]:
        """All that could be seen to change."""
        found: dict[str, tuple[object, ...]] = {}
        for at in (self.path, *sorted(self.path.rglob("*"))):
            told = at.lstat()
            text = at.read_text() if at.is_file() else ""
            found[str(at)] = told.st_mode, told.st_uid, told.st_gid, told.st_mtime_ns, text
        return found

    def changed(self) -> list[str]:
        """What is not as it was."""
        now = self.state()
        both = {**self._before, **now}
        return [path for path in both if now.get(path) != self._before.get(path)]
