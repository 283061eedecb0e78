"""`qga edit`: a guest's file in an editor of this host."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from qga_cli.errors import FileError, QgaError, Refused, UsageError
from qga_cli.files.copy import Copier, host_errors
from qga_cli.files.guests import Guests
from qga_cli.files.place import Place, guest_place
from qga_cli.files.transfer import ABSENT, Wishes
from qga_cli.job import Finished, Job


def verb(job: Job) -> Finished:
    """Fetch the file, run the editor, and write it back unless the guest's file has changed."""
    place = guest_place(job.arguments["place"])
    if not place.name or place.is_folder:
        raise UsageError(f"{place} is a folder")
    editor = _editor()
    folder = tempfile.mkdtemp(prefix="qga-edit-")  # 0700: the file may hold secrets
    here = Place("", os.path.join(folder, place.name))
    kept = False
    try:
        with host_errors(), job.interrupt.shield(), Guests(job) as guests:
            # Followed in the guest: a guest's link would be followed here, to a file of ours.
            found = _fetch(Copier(job, guests, Wishes(umask=0o077, follow=True)), place, here)
            before = _digest(here.path)
            try:
                with host_errors():
                    _edit(editor, here.path)
                    if _digest(here.path) == before:
                        job.say(0, f"{place}: not changed")
                    else:
                        wishes = Wishes(replaces=before if found else ABSENT)
                        Copier(job, guests, wishes).copy_file(here, place)
            except QgaError as error:
                kept = _digest(here.path) != before
                if kept:
                    error.hint = f"your version is in {here.path}"
                raise
    finally:
        if not kept:
            shutil.rmtree(folder)
    return Finished()


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
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not (chosen or sys.stdin.isatty()):
        hint = "set VISUAL or EDITOR to a program that needs none"
        raise UsageError("standard input is not a terminal, which vi needs", hint=hint)
    return shlex.split(chosen or "vi")


def _edit(command: list[str], path: str) -> None:
    try:
        code = subprocess.run([*command, path]).returncode
    except OSError as error:
        raise FileError(
            f"cannot run {command[0]}: {error.strerror}", hint="set VISUAL or EDITOR"
        ) from error
    if code:
        raise FileError(f"{command[0]} ended with exit code {code}: nothing is written back")


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
