"""A finished tree put in its place on this host: renamed as a whole, or into what is there."""

import os
import shutil
import stat

from qga_cli.errors import FileError
from qga_cli.files.parts import leftovers, part_name


class Stage:
    """A private folder that a tree is written to before it gets the name `final`.

    It lies on the same filesystem as its place: beside it, or inside it if that is there.
    """

    def __init__(self, final: str, *, resume: bool = False) -> None:
        self.final = final
        above, name = os.path.split(os.path.abspath(final))
        if os.path.lexists(final) and _is_folder(final):
            above = final
        if resume:
            for left in leftovers(above, name, folders=True):
                shutil.rmtree(left.path)
        self.path = os.path.join(above, part_name(name))
        os.mkdir(self.path, 0o700)

    def hand_on(self, name: str) -> None:
        """Give the file `name` the mode and owner of the one that it replaces, if any."""
        path = os.path.join(self.path, name)
        if all(os.path.isfile(file) and not os.path.islink(file) for file in (path, self.final)):
            found = os.stat(self.final)
            if os.geteuid() == 0:
                os.chown(path, found.st_uid, found.st_gid)
            os.chmod(path, found.st_mode & 0o1777)

    def settle(self, name: str = "") -> None:
        """Put the tree, or only `name` in it, in its place. Raises FileError, nothing changed,
        where a folder would have to replace a file, or the other way round."""
        whole = os.path.join(self.path, name)
        _check(whole, self.final)
        _settle(whole, self.final)
        self.remove()

    def remove(self) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self.path, ignore_errors=True)


def _check(source: str, target: str) -> None:
    """Links are not followed: one that an earlier copy brought must not lead a later one out."""
    if not os.path.lexists(target):
        return
    if _is_folder(source) != _is_folder(target):
        raise FileError(f"{target}: a folder and a file cannot replace each other")
    if _is_folder(source):
        for name in os.listdir(source):
            _check(os.path.join(source, name), os.path.join(target, name))


def _settle(source: str, target: str) -> None:
    if not os.path.lexists(target) or not _is_folder(source):
        _move(source, target)
        return
    for name in os.listdir(source):
        if os.path.join(target, name) != source:
            _settle(os.path.join(source, name), os.path.join(target, name))


def _move(source: str, target: str) -> None:
    """Rename. A folder that may not be written to cannot be moved either, by others than root."""
    mode = stat.S_IMODE(os.lstat(source).st_mode)
    closed = _is_folder(source) and not mode & stat.S_IWUSR
    if closed:
        os.chmod(source, mode | stat.S_IWUSR)
    os.replace(source, target)
    if closed:
        os.chmod(target, mode)


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(os.lstat(path).st_mode)
