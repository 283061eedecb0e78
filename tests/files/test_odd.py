"""Files that are none, times before all others, and what is not to be replaced by a copy."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qga_cli import hostpath
from qga_cli.errors import BadReply, FileError, UsageError
from qga_cli.files import ls, rm_mkdir_mv
from qga_cli.files.copier import Copier
from qga_cli.files.copy_file import to_stream
from qga_cli.files.copy_file.sources import HostStream
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.tar_writer import TarWriter
from qga_cli.files.guest.facts import FileFacts
from qga_cli.guests.place import Place, parse
from qga_cli.interrupt import Interrupt
from tests.kit.command import Far
from tests.kit.running import GUARD, Started


def test_holes_and_links_never_take_the_place_of_a_fifo(near: Far, here: Path) -> None:
    near.sh("truncate -s 2000000 holes; ln -s holes link")
    os.mkfifo(here / "fifo")
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append((here / "fifo").read_bytes()))
    reader.start()
    near.good("cp", "FAR/holes", str(here / "fifo"))
    reader.join()
    assert came == [bytes(2_000_000)]
    assert near.good("cp", "FAR/holes", "-") == "\0" * 2_000_000
    done = near("cp", "FAR/link", str(here / "fifo"))
    assert (done.code, "link: no bytes for" in done.err) == (2, True)
    assert (here / "fifo").is_fifo()


@pytest.mark.parametrize("name", ["/dev/fd/1", "/proc/self/fd/1"])
def test_a_stream_of_ours_that_is_a_file_is_written_to(near: Far, here: Path, name: str) -> None:
    """As root, `qga cp web1:/f /dev/stdout >x` put a file where /dev/stdout was."""
    near.sh("echo text >file; ln -s file link; truncate -s 9 holes")
    there = f"{near.name}:{near.folder}"
    command = " ".join([sys.executable, "-m", "qga_cli", *near.flags, "cp"])
    line = f"echo before; {command} {there}/file {name}; {command} {there}/holes {name}; echo after"
    with (here / "x").open("wb") as file:
        subprocess.run(["sh", "-c", line], stdout=file, check=True, timeout=GUARD)
    assert (here / "x").read_bytes() == b"before\ntext\n" + bytes(9) + b"after\n"
    with (here / "x").open("wb") as file:
        done = subprocess.run(["sh", "-c", f"{command} {there}/link {name}"], stdout=file,
                              stderr=subprocess.PIPE, check=False, timeout=GUARD)  # fmt: skip
    assert (done.returncode, b"link: no bytes for" in done.stderr) == (2, True)


def test_links_of_the_systems_to_streams_of_ours(here: Path) -> None:
    with (here / "x").open("wb") as file:
        number = file.fileno()
        os.symlink(f"/dev/fd/{number}", here / "link")
        assert hostpath.our_number("/dev/stdout") == 1
        assert hostpath.our_number(f"/dev/fd/{number}") == number
        assert to_stream.takes_bytes(Place("", f"/dev/fd/{number}"))
        assert not to_stream.takes_bytes(Place("", str(here / "link")))  # it may be a guest's
        assert hostpath.our_number("/dev/null") is hostpath.our_number("/proc/1/fd/0") is None


@pytest.mark.parametrize("into", [True, False])
def test_a_fifo_that_nobody_opens_is_waited_for_until_a_signal(
    near: Far, here: Path, *, into: bool
) -> None:
    near.sh("echo text >file")
    os.mkfifo(here / "fifo")
    there = f"{near.name}:{near.folder}/file"
    words = [str(here / "fifo"), there] if into else [there, str(here / "fifo")]
    started = Started(*near.flags, "cp", "-v", *words)
    while b"->" not in started.stderr.readline():
        pass
    started.signal(signal.SIGINT)
    assert started.end()[0] == -signal.SIGINT
    assert near.sh("cat file; ls -A") == "text\nfile\n"


def test_nothing_is_kept_of_what_has_neither_mode_nor_time(near: Far, here: Path) -> None:
    near.sh("echo old >secret; chmod 600 secret")
    near.good("cp", "-p", "-", "FAR/secret", stdin=b"new")
    assert near.sh("cat secret; stat -c %a secret") == "new600\n"


def test_the_first_second_of_all_is_kept(near: Far, here: Path) -> None:
    (here / "first").touch()
    os.utime(here / "first", (0, 0))
    near.good("cp", "-p", str(here / "first"), "FAR")
    assert near.sh("stat -c %Y first") == "0\n"
    near.good("cp", "-p", "FAR/first", str(here / "back"))
    assert (here / "back").stat().st_mtime == 0


def test_set_user_id_does_not_pass_from_guest_to_guest(near: Far) -> None:
    near.sh("echo >su; chmod 4755 su")
    near.good("cp", "-p", "FAR/su", "FAR/plain")
    near.good("cp", "-p", "--special", "FAR/su", "FAR/special")
    assert near.sh("stat -c %a plain special") == "755\n4755\n"


@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_groups_whose_names_have_spaces(far: Far) -> None:
    far.sh("grep -q ^domain /etc/group || echo 'domain users:x:4242:' >>/etc/group")
    far.sh("touch file; chgrp 4242 file")
    rows = far.good("ls", "-l", "FAR").splitlines()
    assert rows[1].split("\t")[1:3] == ["root", "domain users"]


@pytest.mark.slow
def test_files_that_do_not_know_their_size(near: Far, here: Path) -> None:
    near.good("cp", "/proc/sys/kernel/random", "FAR/proc")
    uuid = Path("/proc/sys/kernel/random/boot_id").read_text()
    assert near.sh("cat proc/boot_id") == uuid
    mtu = Path("/sys/class/net/lo/mtu").read_text()
    near.good("cp", "/sys/class/net/lo/mtu", "FAR")
    assert near.sh("cat mtu") == mtu
    near.good("cp", f"{near.name}:/sys/class/net/lo/mtu", str(here))
    assert (here / "mtu").read_text() == mtu
    for folder in ("/proc/sys/kernel/random", "/sys/class/net/lo/statistics"):
        done = near("cp", f"{near.name}:{folder}", str(here))
        assert (done.code, "finds nothing" in done.err) == (1, True)
    assert os.listdir(here) == ["mtu"]


def test_a_tree_too_deep_to_be_copied_is_told_as_that(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(500):
        os.mkdir("d", dir_fd=at)
        at, last = os.open("d", os.O_RDONLY, dir_fd=at), at
        os.close(last)
    os.close(at)
    writer = TarWriter({".": str(tmp_path)}, CopyOptions(), lambda text: None)
    with pytest.raises(FileError, match="more than 400 folders in each other"):
        writer.read()


def test_a_long_path_does_not_push_out_what_is_the_matter(near: Far) -> None:
    done = near("rm", f"FAR/{'x' * 250}/{'y' * 250}/{'z' * 250}")
    assert (done.code, "No such file or directory\n" in done.err) == (1, True), done.err


def test_a_part_that_cannot_be_made_is_told_by_its_folder(near: Far, here: Path) -> None:
    near.sh("echo text >file")
    done = near("cp", "FAR/file", "/proc/")
    assert done.err == "qga: /proc: No such file or directory\n"
    done = near("cp", "FAR/file", f"{near.name}:/proc/")
    assert (done.code, "vm: cannot create /proc/" in done.err) == (1, True), done.err


@pytest.mark.slow
def test_files_that_are_replaced_hand_on_what_they_are(near: Far, here: Path) -> None:
    for name in ("a", "b"):
        (here / name).write_text("new")
    near.sh("touch a b; chmod 640 a; chmod 600 b")
    old = os.path.join(near.folder, "a")
    os.setxattr(old, "user.label", b"kept")
    near.good("cp", str(here / "a"), "FAR")
    assert (near.sh("cat a"), os.getxattr(old, "user.label")) == ("new", b"kept")
    near.good("cp", str(here / "a"), str(here / "b"), "FAR")  # as one archive
    assert near.sh("cat b; stat -c %a a b") == "new640\n600\n"
    assert os.getxattr(old, "user.label") == b"kept"
    near.sh("truncate -s 1000000 holes")
    (here / "holes").touch(0o600)
    near.good("cp", "FAR/holes", str(here / "holes"))
    assert (here / "holes").stat().st_mode & 0o777 == 0o600
    os.setxattr(here / "a", "user.label", b"here")
    near.good("cp", "FAR/b", str(here / "a"))
    assert os.getxattr(here / "a", "user.label") == b"here"


@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_a_file_of_this_host_that_looks_like_a_guest_s(
    far: Far, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    (here / "none:file").touch()
    hint = "hint: for the file of this host, write ./none:file\n"
    assert far("cp", "none:file", "FAR").err.endswith(hint)


def test_owners_are_not_lost_between_two_guests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    job: Any = SimpleNamespace(target=None, progress=None)
    copier = Copier(job, job, CopyOptions(preserve=True))
    with pytest.raises(FileError, match="only root can keep the owners"):
        copier._tree(parse("a:/d"), FileFacts("folder"), parse("b:/d"))


@pytest.mark.slow
def test_tail_counts_as_everywhere_and_cuts_nothing_off(near: Far) -> None:
    near.sh("seq 5 >lines")
    assert near.good("tail", "-n", "-2", "FAR/lines") == "4\n5\n"
    done = near("tail", f"{near.name}:/dev/zero")
    assert (done.code, done.stdout) == (1, b"")
    assert done.err == f"qga: {near.name}:/dev/zero: has no size, and more than 64M in it\n"


@pytest.mark.parametrize("moment", ["nan", "-inf", "1e300"])
def test_a_time_that_json_has_not(moment: str) -> None:
    with pytest.raises(BadReply, match="makes no sense"):
        ls._row(f"-rw-------/root/root/0/{moment}/name//".encode())


def test_a_stream_whose_number_select_cannot_watch() -> None:
    """As of the last of many guests."""
    reader, writer = os.pipe()
    os.write(writer, b"data")
    os.close(writer)
    with open(fcntl.fcntl(reader, fcntl.F_DUPFD_CLOEXEC, 1500), "rb", buffering=0) as stream:
        source = HostStream(cast("Any", stream), Interrupt())
        assert list(source.pieces(0, 100)) == [(0, b"data")]
    os.close(reader)


def test_a_fifo_of_a_guest_is_no_empty_file(near: Far, here: Path) -> None:
    near.sh("mkfifo fifo")
    done = near("cp", "FAR/fifo", str(here))
    assert (done.code, "is a FIFO" in done.err, os.listdir(here)) == (1, True, [])


@pytest.mark.parametrize("path", ["/", "/..", "/./", "/etc/.."])
def test_a_root_folder_is_never_removed(path: str) -> None:
    with pytest.raises(UsageError, match="takes no root folder"):
        rm_mkdir_mv.rm(SimpleNamespace(), places=[f"a:{path}"], recursive=True)  # type: ignore[arg-type]
