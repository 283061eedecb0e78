"""`qga edit`: a guest's file in an editor of this host."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from qga_cli import hostpath
from qga_cli.errors import FileError, QgaError, Refused, UsageError
from qga_cli.files.aside import abandoned, private
from qga_cli.files.copier import Copier
from qga_cli.files.copy_file.transfer import ABSENT, CopyOptions
from qga_cli.files.guest.guests import Guests
from qga_cli.files.on_host import host_errors
from qga_cli.guests.place import Place, guest_place
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TOLD = 3  # abandoned edits that are named
_PREFIX = "qga-edit-"
_FETCHED = ".qga-fetched"  # the digest of what came, beside the file


def edit(job: Job, *, place: str) -> Finished:
    """Fetch the file, run the editor, and write it back unless the guest's file has changed."""
    there = guest_place(place)
    if not there.name or there.is_folder:
        raise UsageError(f"{there} is a folder")
    editor = _editor()
    hostpath.check_temporary(tempfile.gettempdir())
    tidy(job.say)
    folder, lock = private(_PREFIX)
    here = Place("", os.path.join(folder, there.name))
    kept = False
    try:
        with host_errors(), job.interrupt.shield():
            # Followed in the guest: a guest's link would be followed here, to a file of ours.
            with Guests(job) as guests:
                options = CopyOptions(umask=0o077, follow=True)
                found = _fetch(Copier(job, guests, options), there, here)
            before = _digest(here.path)
            with open(os.path.join(folder, _FETCHED), "x") as note:
                note.write(before)
            try:
                with host_errors():
                    with job.interrupt.cede():
                        _edit(editor, here.path, lock)
                    if _digest(here.path) == before:
                        job.say(0, f"{there}: not changed")
                    else:
                        options = CopyOptions(replaces=before if found else ABSENT)
                        with Guests(job) as guests:  # whose --timeout begins now
                            Copier(job, guests, options).copy_file(here, there)
            except QgaError as error:
                kept = _is_changed(lock)
                if kept:
                    whole = os.path.isfile(here.path)  # an editor may have given it another name
                    error.add(hint=f"your version is in {here.path if whole else folder}")
                raise
    finally:
        if not kept:
            shutil.rmtree(folder)
        os.close(lock)
    return Finished()


def tidy(say: Callable[[int, str], None]) -> None:
    """Remove what edits have left that were killed; of what their users have changed, tell."""
    temporary = tempfile.gettempdir()
    changed = []
    for top, name, folder in abandoned(_PREFIX):
        if _is_changed(folder):
            changed.append(f"{temporary}/{name}")
        else:
            shutil.rmtree(name, dir_fd=top)
    for path in changed[:_TOLD]:
        say(-1, f"an edit that did not end well has left your version in {path}")
    if len(changed) > _TOLD:
        say(-1, f"... and {len(changed) - _TOLD} more in {temporary}/{_PREFIX}*")


def _is_changed(folder: int) -> bool:
    """Whether there may be work of the user's in it: another content, or an editor's own files."""
    names = set(os.listdir(folder))
    if _FETCHED not in names:
        return False  # killed before there was anything to edit
    others = list(names - {_FETCHED})
    if len(others) != 1:
        return bool(others)
    try:
        with open(_at(folder, _FETCHED)) as note:
            return note.read() != _digest(_at(folder, others[0]))
    except OSError:  # a folder, a link
        return True


def _at(folder: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)


def _fetch(copier: Copier, place: Place, here: Place) -> bool:
    """Copy the file here; False when there is none yet."""
    try:
        copier.copy_file(place, here)
    except Refused as error:
        if "No such file" not in error.message:
            raise
        with open(here.path, "x"):
            return False
    return True


def _editor() -> list[str]:
    for name in ("VISUAL", "EDITOR"):
        chosen = os.environ.get(name, "")
        if chosen.strip():
            try:
                return shlex.split(chosen)
            except ValueError as error:
                raise UsageError(f"{name}: {error}: {chosen}") from error
    if not sys.stdin.isatty():
        hint = "set VISUAL or EDITOR to a program that needs none"
        raise UsageError("standard input is not a terminal, which vi needs", hint=hint)
    return ["vi"]


def _edit(command: list[str], path: str, lock: int) -> None:
    try:
        code = subprocess.run([*command, path], pass_fds=[lock]).returncode
    except OSError as error:
        raise FileError(
            f"cannot run {command[0]}: {error.strerror}", hint="set VISUAL or EDITOR"
        ) from error
    if code:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise FileError(f"{command[0]} {how}: nothing is written back")


def _digest(path: str | int) -> str:
    with open(path, "rb", opener=lambda path, way: os.open(path, way | os.O_NONBLOCK)) as file:
        return hashlib.file_digest(file, "sha512").hexdigest()
