"""Whose freeze a guest is in: a note of the last one that a qga of this user has made on this host.

It stands in /run/qga (root) or $XDG_RUNTIME_DIR/qga: nobody else may write there, and both end
with the host. Where there is neither, nothing is noted, and every freeze may be anybody's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time

RESET = (
    "wait if a hook of the freeze may be running; a guest that hangs in its own freeze only "
    "`virsh reset VM` brings back"
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Record:
    """The note of one guest. `identity` is its transport's."""

    def __init__(self, identity: tuple[str, str]) -> None:
        digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogateescape"))
        folder = _folder()
        self._path = os.path.join(folder, digest.hexdigest()[:32]) if folder else ""

    def claim(
        self, token: str, watchdog: int = 0, until: float = 0.0, *, frozen: bool = True
    ) -> None:
        """Note the freeze `token`; `watchdog` thaws it at `until` (time.time).

        Before it is sent it is noted as not `frozen` yet: it may be refused, and takes over then
        from no other watchdog.
        """
        note = {"token": token, "watchdog": watchdog, "until": until, "frozen": frozen}
        self.write({**note, "sent": time.time()})

    def write(self, note: dict[str, Any]) -> None:
        """Put `note` in the place of the last one; an empty one is none."""
        if not self._path:
            return
        part = f"{self._path}.{os.getpid()}"
        try:
            with open(part, "w", encoding="ascii") as file:
                json.dump(note, file)
            os.replace(part, self._path)
        except OSError:  # a full /run: better no note than one of another freeze
            for path in (part, self._path):
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def read(self) -> dict[str, Any]:
        """The last note; empty when there is none."""
        with contextlib.suppress(OSError, ValueError), open(self._path or os.devnull) as file:
            note = json.load(file)
            if isinstance(note, dict):
                return note
        return {}

    def is_anothers(self, token: str) -> bool:
        """Whether a later freeze of ours has taken the place of `token`."""
        note = self.read()
        return bool(note.get("frozen") and note.get("token") != token)

    def unanswered(self) -> str:
        """Since when a freeze of ours has had no answer, in words for an error; or ""."""
        note = self.read()
        if not note or note.get("frozen"):
            return ""
        when = time.strftime("%H:%M:%S", time.localtime(note.get("sent", 0)))
        return f"a freeze sent at {when} has had no answer, and the guest may hang in it"

    def clear(self, token: str = "") -> None:
        """Forget the freeze `token` (none: any), if it is still the last one."""
        if self._path and (not token or self.read().get("token") == token):
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def guarded(self) -> str:
        """Which qga will thaw it, in words for an error; "" if none."""
        note = self.read()
        pid, left = note.get("watchdog", 0), note.get("until", 0) - time.time()
        if not pid or not _is_watchdog(pid):
            return ""
        when = f"within {left:.0f} s" if left > 0 else "soon"
        return f"another qga has frozen it and thaws it {when} (watchdog pid {pid})"


def new_token() -> str:
    """A name for one freeze."""
    return os.urandom(8).hex()


def _folder() -> str:
    """The folder of the notes; "" where there is none that is ours alone."""
    base = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(base):
        return ""
    folder = os.path.join(base, "qga")
    with contextlib.suppress(OSError):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        for one in (base, folder):
            found = os.lstat(one)
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                return ""
            if found.st_mode & 0o022:
                return ""
        return folder
    return ""


def _is_watchdog(pid: int) -> bool:
    """Whether that process is a watchdog of this user still: numbers are used again."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid() and (
            b"qga_cli.freeze.watchdog" in words
        )
    except OSError:
        return False
