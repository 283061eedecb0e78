"""Names of unfinished copies: `.NAME.<16 hex>.qga-part`, next to the target."""

import fcntl
import hashlib
import os
import re

from qga_cli.threads import held

_SUFFIX = ".qga-part"


def partial_suffix() -> str:
    """How a part's name ends: what nobody can guess, and what tells that it is a part."""
    return os.urandom(8).hex() + _SUFFIX


def partial_name(name: str) -> str:
    """A name for a new part of the file or folder `name`."""
    return _stem(name) + partial_suffix()


def shown_path(path: str) -> str:
    """`path` as a message has it: of a part that cannot be made, the folder."""
    return (os.path.dirname(path) or ".") if path.endswith(_SUFFIX) else path


def claim(number: int) -> bool:
    """Say that an open part is being written, until it is closed. False where another copy has
    said so."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a filesystem without locks
        pass
    return True


def leftovers(folder: int, name: str, *, folders: bool = False) -> list[str]:
    """The names of the parts, in an open folder, of a file or a folder that earlier copies of ours
    have left. Not what one that is under way writes."""
    ours = re.compile(re.escape(_stem(name)) + "[0-9a-f]{16}" + re.escape(_SUFFIX))
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if ours.fullmatch(entry.name)
            and (entry.is_dir if folders else entry.is_file)(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
            and _idle(entry.name, folder)
        ]


def _idle(name: str, folder: int) -> bool:
    try:
        number = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=folder)
    except OSError:  # it has its final name now, or somebody has exchanged it
        return False
    with held(number):
        return claim(number)


def _stem(name: str) -> str:
    """How the names of its parts begin; short enough for 255 bytes with what follows. In a guest
    inside/files/enter.sh has it."""
    spelled = os.fsencode(name)
    if len(spelled) <= 200:
        return f".{name}."
    return f".long-{hashlib.sha512(spelled).hexdigest()[:16]}."
