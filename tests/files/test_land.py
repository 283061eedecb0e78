"""A file on its way to this host: what it hands on, and where that fails."""

import errno
import os
import stat
import tarfile
from pathlib import Path

import pytest

from qga_cli.errors import UsageError
from qga_cli.files.copy_file.to_host import HostTarget
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.guest.facts import FileFacts, nanoseconds
from tests.kit.trees import archive, entry, extract


def land(path: Path) -> None:
    goal, facts = HostTarget(str(path), CopyOptions()), FileFacts(size=3)
    goal.begin(facts, None)
    goal.write(0, b"new")
    goal.finish(facts, "")


def test_an_attribute_that_is_not_ours_to_set_keeps_no_other_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label of SELinux, where that is off, cost an ordinary user's file its access list."""
    names = ["security.selinux", "system.posix_acl_access"]
    given: dict[str, bytes] = {}

    def put(number: int, name: str, value: bytes) -> None:
        if name.startswith("security."):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        given[name] = value

    (tmp_path / "data").write_text("old")
    monkeypatch.setattr(os, "listxattr", lambda path: names)
    monkeypatch.setattr(os, "getxattr", lambda path, name: name.encode())
    monkeypatch.setattr(os, "setxattr", put)
    land(tmp_path / "data")
    assert given == {names[1]: names[1].encode()}


def test_a_filesystem_that_makes_no_folder_lasting_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As vboxsf, and 9p: the copy was there, and told as failed."""
    real = os.fsync

    def fsync(number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    land(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "new"


def test_an_owner_that_is_not_there_is_told_before_anything_is_copied(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--owner"):
        HostTarget(str(tmp_path / "data"), CopyOptions(owner="nosuch.user"))


def test_times_of_any_filesystem(tmp_path: Path) -> None:
    future = "7258118400"  # 2200
    stream = archive(entry("f", pax_headers={"mtime": future}), entry("d", tarfile.DIRTYPE))
    extract(tmp_path / "there", stream, CopyOptions(preserve=True))
    assert (tmp_path / "there" / "f").stat().st_mtime == int(future)
    for lie in ("9" * 20, "-" + "9" * 20):
        with pytest.raises(ValueError, match="no filesystem has such a time"):
            nanoseconds(lie)
