"""An attacker on this host: another user, who strikes between any two steps of ours.

`strike_at` counts the system calls that a piece of our code makes on paths, and has the attacker
act just before the one that is asked for. So every moment can be tried, one after the other.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from qga_cli import wire
from qga_cli.agent.program import Completed
from qga_cli.files.copy_file.to_host import HostTarget, inside
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.pull import pull
from qga_cli.files.guest.facts import FileFacts
from qga_cli.guests.place import Place
from tests.kit.trees import archive, entry

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


TREE = archive(
    entry(".", tarfile.DIRTYPE, mode=0o777),
    entry("./sub", tarfile.DIRTYPE, mode=0o777),
    entry("./sub/f", mode=0o666, uid=UID, gid=UID),
    entry("./f", mode=0o4755, uid=UID, gid=UID),
    entry("./link", tarfile.SYMTYPE, linkname="sub"),
    entry("./new", tarfile.DIRTYPE, mode=0o777),
    entry("./new/f", mode=0o666),
    data=b"from the guest",
)


class Fed:
    """A guest that sends this tree."""

    agent: Any = type("Agent", (), {"name": "vm"})
    cmd = None

    def needs_exec(self, what: str) -> None:
        """It has that."""

    def stream(self, *words: str, stdout: Callable[[bytes], object], **named: object) -> Completed:
        """Send it in pieces."""
        for at in range(0, len(TREE), 4096):
            stdout(TREE[at : at + 4096])
        said = wire.to_base64(hashlib.sha512(TREE).hexdigest().encode())
        return Completed({"exitcode": 0, "err-data": said})


def make_theirs(top: Path) -> Path:
    """A folder of the stranger's, in another one of his, with some things in it."""
    theirs = top / "theirs"
    for folder in (theirs, theirs / "dest", theirs / "dest" / "sub"):
        folder.mkdir(mode=0o755)
    (theirs / "dest" / "f").write_text("old\n")
    (theirs / "dest" / "sub" / "f").write_text("old\n")
    left = theirs / "dest" / ".f.0123456789abcdef.qga-part"
    left.write_bytes(b"from ")
    left.chmod(0o600)
    for path in (theirs, *theirs.rglob("*")):
        if path != left:
            os.chown(path, UID, UID)
    return theirs


def pull_into(dest: str, **options: Any) -> None:
    """`cp -r VM:/data/. DEST`."""
    final = inside(Place("", dest), "", needed=False)
    pull(cast(Any, Fed()), "/data", ".", final, CopyOptions(**options), lambda count: None, print)


def land_in(dest: str, **given: Any) -> None:
    """`cp VM:/f DEST`, as transfer does it."""
    options = CopyOptions(**given)
    landing = HostTarget(inside(Place("", dest), "f"), options)
    facts = FileFacts(size=14, mode=0o4777, uid=UID, gid=UID, mtime=10**18)

    def prove(length: int) -> str:
        return hashlib.sha512(b"from the guest"[:length]).hexdigest()

    try:
        start = landing.begin(facts, prove if options.resume else None)
        landing.write(start, b"from the guest"[start:])
        landing.finish(facts, prove(14))
    except BaseException:
        landing.abandon(keep=False)
        raise
