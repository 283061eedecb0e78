"""Disks without room, in the guest and here: what is said names the cause and the place."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import FileError
from qga_cli.files.copy_file.to_host import HostTarget
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.pull import pull
from qga_cli.files.guest.facts import FileFacts
from tests.kit.command import Far, qga
from tests.kit.trees import archive, entry
from tests.lab.local_agent import agent as run_local_agent

WROTE_ONLY = "tar: ./f: Wrote only 512 of 10240 bytes"
FULL = "No space left on device"


@contextmanager
def own_tar(folder: Path, patch: pytest.MonkeyPatch, act: str) -> Iterator[str]:
    """The URI of a real agent whose `tar` does this."""
    (folder / "bin").mkdir()
    tar = folder / "bin" / "tar"
    tar.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit\n{act}\n')
    tar.chmod(0o755)
    patch.setenv("PATH", f"{tar.parent}:{os.environ['PATH']}")
    with run_local_agent(folder, "full") as agent:
        yield f"unix:{agent.socket}"


@pytest.mark.parametrize("far", ["guest"], indirect=True)
@pytest.mark.parametrize("names", ["f", "fgh"])
def test_a_folder_for_which_the_guest_has_no_room(far: Far, here: Path, names: str) -> None:
    (here / "tree").mkdir()
    for name in names:
        (here / "tree" / name).write_bytes(bytes(100_000))
    far.sh("mkdir small && mount -t tmpfs -o size=64k none small")
    try:
        done = far("cp", "-r", str(here / "tree"), "FAR/small")
        assert done.code == 1
        assert done.err.startswith(f"qga: {far.name}: tar: ")
        assert done.err.endswith(f": {FULL}\n")
        assert done.err.count("\n") == 1
        assert far.sh("ls -A small") == ""
    finally:
        far.sh("umount small")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"{WROTE_ONLY}\ntar: ./g: Cannot open: {FULL}", f": {FULL}"),
        (
            f"{WROTE_ONLY}\ntar: Exiting with failure status",
            "\nhint: its filesystem may be full: `qga fs list vm`",
        ),
    ],
)
def test_tar_tells_later_why(
    said: str, why: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "f").write_bytes(bytes(10240))
    with own_tar(tmp_path, monkeypatch, f'echo "{said}" >&2; exit 2') as uri:
        done = qga("-c", uri, "cp", str(here), f"vm:{tmp_path}/far")
    assert (done.code, done.err) == (1, f"qga: vm: {WROTE_ONLY}{why}\n")
    assert not (tmp_path / "far").exists()


@pytest.mark.slow
def test_a_full_disk_ends_a_large_copy_at_once(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "f").write_bytes(os.urandom(40_000_000))  # packed, it would be little
    act = f'echo "tar: ./f: Cannot write: {FULL}" >&2; wc -c >{tmp_path}/count; exit 2'
    with own_tar(tmp_path, monkeypatch, act) as uri:
        done = qga("-c", uri, "cp", str(here), f"vm:{tmp_path}/far")
    assert (done.code, done.err) == (1, f"qga: vm: tar: ./f: Cannot write: {FULL}\n")
    assert int((tmp_path / "count").read_text()) < 10_000_000


@pytest.mark.parametrize(("call", "name"), [("mkdir", "folder"), ("open", "file"), ("pwrite", "")])
def test_a_tree_for_which_there_is_no_room_here(
    call: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = archive(entry("folder/file"))
    real: Callable[..., Any] = getattr(os, call)

    def full(first: Any, *others: Any, **options: Any) -> Any:
        if name in ("", first):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(first, *others, **options)

    def send(*words: str, stdout: Callable[[bytes], object], large: bool) -> None:
        stdout(stream)

    monkeypatch.setattr(os, call, full)
    access: Any = SimpleNamespace(needs_exec=lambda what: None, stream=send, cmd=None)
    with pytest.raises(FileError) as caught:
        pull(access, "/far", ".", f"{tmp_path}/tree", CopyOptions(), lambda count: None, print)
    assert caught.value.message == f"{tmp_path}/tree: {FULL}"
    assert os.listdir(tmp_path) == []


def test_who_reads_the_copy_may_go(near: Far) -> None:
    near.sh("head -c 5000000 /dev/zero >zeros")
    command = [sys.executable, "-m", "qga_cli", *near.flags, "cp", f"vm:{near.folder}/zeros", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141  # as cat's, killed by SIGPIPE in a shell's pipe


def test_a_part_that_a_full_disk_cannot_take_is_removed(here: Path) -> None:
    landing = HostTarget(str(here / "f"), CopyOptions())
    landing.begin(FileFacts(), None)
    landing.write(0, b"held back in a buffer")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            landing.abandon(keep=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(here) == []


def test_a_file_that_cannot_be_written_is_named(near: Far, here: Path) -> None:
    near.sh("head -c 2000000 /dev/zero | tr '\\0' x >data")
    source = f"{near.name}:{near.folder}/data"
    command = ["prlimit", "--fsize=1000000", sys.executable, "-m", "qga_cli", *near.flags]
    done = subprocess.run([*command, "cp", source, here], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"qga: {here}: File too large\n")
    assert os.listdir(here) == []
