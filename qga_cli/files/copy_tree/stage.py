"""A finished tree put in its place on this host: renamed as a whole, or into what is there.

Others may write to the place. So the folders of the way are opened once, nothing but names in
them is used from then on, and no link is followed: what they exchange leads nowhere.
"""

from __future__ import annotations

import contextlib
import os
import stat

from qga_cli import hostpath
from qga_cli.errors import FileError
from qga_cli.files.copy_tree.unlock import empty, remove_tree, unlock
from qga_cli.files.guest.partial import claim, leftovers, partial_name
from qga_cli.threads import held


class Stage:
    """A folder that nobody else can enter, which a tree is written to before it gets the name
    `final`. `folder` is open on it.

    It lies on the same filesystem as its place: beside it, or inside it if that is there. A link
    named `final` is not followed; one that `final` goes through is, as hostpath.py does.
    """

    def __init__(self, final: str, *, resume: bool = False) -> None:
        self.final = final.removesuffix("/.") or "/"
        above, self._name = os.path.split(final)
        self._above = above or "."
        self._target = -1  # the folder to fill, if it is there
        if self._name in ("", ".", ".."):
            self._target = hostpath.open_folder(final)
            self._name = os.path.basename(os.path.abspath(final))
            self._place = self._target
        else:
            self._place = hostpath.open_folder(above or ".")
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                self._target = self._place = hostpath.enter(self._name, self._place)
        if resume:
            for left in leftovers(self._place, self._name, folders=True):
                remove_tree(left, self._place)
        self._own = partial_name(self._name)
        try:
            self.folder = self._make()
            claim(self.folder)
        except OSError as error:
            error.filename = os.path.join(final if self.fills else above, self._own)
            raise

    @property
    def fills(self) -> bool:
        """Whether its place is a folder that is there already."""
        return self._target >= 0

    def hand_on(self, name: str) -> None:
        """Give the file `name` the mode and owner of the one that it replaces, if any."""
        found = None if self.fills else _look(self._name, self._place)
        if found and hostpath.is_planted(found, self._place):
            return
        fresh = _look(name, self.folder)
        if found and fresh and stat.S_ISREG(found.st_mode) and stat.S_ISREG(fresh.st_mode):
            if os.geteuid() == 0:
                os.chown(name, found.st_uid, found.st_gid, dir_fd=self.folder)
            os.chmod(name, found.st_mode & 0o1777, dir_fd=self.folder)

    def settle(self, name: str = "") -> None:
        """Put the tree, or only `name` in it, in its place. Raises FileError, nothing changed,
        where a folder would have to replace a file, or the other way round."""
        if self.fills:
            if name:
                raise _differ(self.final)
            self._check("", self._target, self.final)
            self._settle("", self._target)
        else:
            old = _look(self._name, self._place)
            if old and not (name and not stat.S_ISDIR(old.st_mode)):
                raise _differ(self.final)
            if name:
                os.rename(name, self._name, src_dir_fd=self.folder, dst_dir_fd=self._place)
            else:
                self._rename_whole()
        self.remove()

    def remove(self) -> str:
        """Remove what is left of it; its path, where that was not possible. Safe to repeat."""
        if self.folder < 0:
            return ""
        left = ""
        if self._own:
            mode = stat.S_IMODE(os.fstat(self.folder).st_mode)
            try:
                os.fchmod(self.folder, mode | stat.S_IRWXU)
                empty(self.folder)
            except OSError:
                left = os.path.join(self.final if self.fills else self._above, self._own)
            with contextlib.suppress(OSError):  # somebody has moved it away
                os.rmdir(self._own, dir_fd=self._place)
        os.close(self.folder)
        os.close(self._place)
        self.folder = -1
        return left

    def _make(self) -> int:
        os.mkdir(self._own, 0o700, dir_fd=self._place)
        folder = hostpath.enter(self._own, self._place)
        found = os.fstat(folder)
        ours = found.st_uid == os.geteuid() and not hostpath.is_open_to_others(found)
        if not ours or os.listdir(folder):
            os.close(folder)
            raise FileError(f"{self.final}: another user has replaced the folder that was made")
        return folder

    def _rename_whole(self) -> None:
        """A folder that may not be written to cannot be moved either, by others than root."""
        mode = stat.S_IMODE(os.fstat(self.folder).st_mode)
        if not mode & stat.S_IWUSR:
            os.fchmod(self.folder, mode | stat.S_IWUSR)
        os.rename(self._own, self._name, src_dir_fd=self._place, dst_dir_fd=self._place)
        os.fchmod(self.folder, mode)
        self._own = ""  # nothing to remove
        there = _look(self._name, self._place)
        if not there or not os.path.samestat(there, os.fstat(self.folder)):
            raise FileError(f"{self.final}: another user has replaced the folder that was copied")

    def _check(self, inner: str, target: int, path: str) -> None:
        """Links are not followed: one that an earlier copy brought must not lead a later one out.
        `inner` is a folder of the stage, which others cannot enter: there a path is safe."""
        foreign = _volume(target) != _volume(self._place)
        for name in self._names(inner):
            found = _look(name, target)
            source, there = os.path.join(inner, name), os.path.join(path, name)
            if found and self._is_folder(source) != stat.S_ISDIR(found.st_mode):
                raise _differ(there)
            if foreign and not (found and stat.S_ISDIR(found.st_mode)):
                raise FileError(
                    f"{path}: is another filesystem, and nothing was changed",
                    hint="copy that folder apart, and the others without it",
                )
            if found and stat.S_ISDIR(found.st_mode):
                os.close(unlock(source, self.folder))  # what is in it is moved out of it
                with held(hostpath.enter(name, target)) as below:
                    self._check(source, below, there)

    def _settle(self, inner: str, target: int) -> None:
        for name in self._names(inner):
            source, found = os.path.join(inner, name), _look(name, target)
            if found and stat.S_ISDIR(found.st_mode) and self._is_folder(source):
                with held(hostpath.enter(name, target)) as below:
                    self._settle(source, below)
            else:
                self._move(source, name, target)

    def _move(self, source: str, name: str, target: int) -> None:
        """Rename a file or folder the same way."""
        mode = stat.S_IMODE(os.lstat(source, dir_fd=self.folder).st_mode)
        moved = -1
        if self._is_folder(source) and not mode & stat.S_IWUSR:
            os.chmod(source, mode | stat.S_IRWXU, dir_fd=self.folder)
            moved = hostpath.enter(source, self.folder)
        try:
            os.rename(source, name, src_dir_fd=self.folder, dst_dir_fd=target)
            if moved >= 0:
                os.fchmod(moved, mode)
        finally:
            if moved >= 0:
                os.close(moved)

    def _names(self, inner: str) -> list[str]:
        if not inner:
            return os.listdir(self.folder)
        with held(hostpath.enter(inner, self.folder)) as folder:
            return os.listdir(folder)

    def _is_folder(self, inner: str) -> bool:
        return stat.S_ISDIR(os.lstat(inner, dir_fd=self.folder).st_mode)


def _volume(folder: int) -> tuple[str, int]:
    """What no file can be renamed out of: a mount, a subvolume of btrfs."""
    with open(f"/proc/self/fdinfo/{folder}") as file:
        mount = next((line for line in file if line.startswith("mnt_id:")), "")
    return mount, os.fstat(folder).st_dev


def _look(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return None


def _differ(path: str) -> FileError:
    return FileError(f"{path}: a folder and a file cannot replace each other")
