"""Guests whose tools are not GNU's: busybox's, as Alpine has them, and uutils', as newer Ubuntu."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli import connect
from qga_cli.freeze.record import Record
from tests import lab
from tests.kit.command import Ran, qga
from tests.kit.running import GUARD, Started, eventually
from tests.kit.trees import everything

pytestmark = pytest.mark.guest

WAYS = ["never", pytest.param("always", marks=pytest.mark.port_written)]


@pytest.fixture(scope="module", params=["bookworm-busybox", "trixie-uutils"])
def other(request: pytest.FixtureRequest) -> Iterator[lab.Guest]:
    with lab.up(f"qga-{request.param.partition('-')[2]}-{os.getpid()}", request.param) as running:
        yield running
        Record((running.uri, running.name)).clear()


@pytest.fixture
def vm(other: lab.Guest) -> Iterator[str]:
    """The name of a guest in which nothing of ours may remain."""
    yield other.name
    looks = "ps -ef 2>/dev/null || ps"
    found = sh(other.name, f"rm -rf /var/tmp/far; {looks}").splitlines()
    assert not [line for line in found if "/proc/" in line and "f=" in line], found


def sh(vm: str, script: str, *, channel: str = "never", stdin: bytes = b"") -> str:
    ran = qga("exec", "--channel", channel, vm, "--", "sh", "-c", script, stdin=stdin)
    assert ran.code == 0, ran.err
    return ran.out


def clean(ran: Ran) -> Ran:
    assert (ran.code, ran.err) == (0, "")
    return ran


@pytest.mark.parametrize("channel", WAYS)
def test_streams(vm: str, channel: str) -> None:
    data = os.urandom(300_000)
    ran = qga("exec", "--channel", channel, vm, "--", "sh", "-c", "cat; exit 3", stdin=data)
    assert (ran.code, ran.err) == (3, "")
    assert ran.stdout == data


@pytest.mark.port_written
def test_what_comes_after_the_last_newline_is_not_kept_back(vm: str) -> None:
    """Ansible's connection rides on this."""
    with connect() as host, host.guest(vm).open_stream(["head", "-c", "8"], timeout=30) as stream:
        stream.write(b"all\nhere")
        assert stream.read(GUARD) == b"all\nhere"


@pytest.mark.parametrize("channel", WAYS)
def test_a_time_limit_ends_the_whole_tree(vm: str, channel: str) -> None:
    words = "sh", "-c", "sleep 4321 & sleep 4322"
    ran = qga("exec", "--channel", channel, "--timeout", "2s", vm, "--", *words)
    assert ran.code == 124
    assert eventually(lambda: "sleep 432" not in sh(vm, "ps -ef 2>/dev/null || ps"))


def test_the_next_write_fails_when_the_reader_has_gone(vm: str) -> None:
    mark = f"/run/qga-test-{time.time_ns()}"
    text = (
        f"trap '' PIPE; echo READY; while sleep 0.2; do echo more || {{ : >{mark}; exit; }}; done"
    )
    program = Started("exec", vm, "--", "sh", "-c", text)
    with program.process:
        assert program.line() == "READY"
        program.stdout.close()
        assert program.process.wait(GUARD) == 141
    clean(qga("wait", vm, "--for", f"file:{mark}", "--timeout", "30s"))


def test_another_user_a_folder_and_a_script(vm: str, tmp_path: Path) -> None:
    words = "sh", "-c", 'id -un; pwd; echo "$HOME $X"'
    ran = clean(qga("exec", "-u", "tester", "-w", "/var", "-e", "X=a b", vm, "--", *words))
    assert ran.out == "tester\n/var\n/home/tester a b\n"
    (tmp_path / "script").write_text('#!/bin/sh\necho "<$2>"; exec cat\n')
    ran = clean(qga("script", vm, str(tmp_path / "script"), "a", "b c", stdin=b"given"))
    assert ran.out == "<b c>\ngiven"


def test_a_program_that_nobody_waits_for(vm: str) -> None:
    pid = clean(qga("exec", "-d", vm, "--", "sh", "-c", "echo late; exit 4")).out.strip()
    ran = qga("exec-status", "--wait", "--timeout", "20s", vm, pid)
    assert (ran.code, ran.out) == (4, "late\n")


@pytest.mark.parametrize("channel", WAYS)
@pytest.mark.parametrize("size", [0, 100_000, 3_000_003])
def test_a_file_there_and_back(vm: str, tmp_path: Path, size: int, channel: str) -> None:
    data, back = tmp_path / "data", tmp_path / "back"
    data.write_bytes(os.urandom(size))
    way = "cp", "--channel", channel
    clean(qga(*way, "--mode", "640", str(data), f"{vm}:/var/tmp/far"))
    clean(qga(*way, f"{vm}:/var/tmp/far", str(back)))
    assert back.read_bytes() == data.read_bytes()
    assert qga("cat", "--channel", channel, f"{vm}:/var/tmp/far").stdout == data.read_bytes()
    assert sh(vm, "stat -c %a /var/tmp/far; ls -A /var/tmp") == "640\nfar\n"


@pytest.mark.parametrize("channel", WAYS)
def test_a_folder_there_and_back(vm: str, tmp_path: Path, channel: str) -> None:
    here, back = tmp_path / "here", tmp_path / "back"
    (here / "a b" / "deep").mkdir(parents=True)
    (here / "a b" / "new\nline").write_bytes(os.urandom(70_000))
    (here / "-n").write_text("dash")
    (here / "link").symlink_to("a b")
    clean(qga("cp", "--channel", channel, str(here), f"{vm}:/var/tmp/far"))
    clean(qga("cp", "--channel", channel, f"{vm}:/var/tmp/far", str(back)))
    # A name, what it is and holds; busybox keeps whole seconds of its time.
    assert _without_times(back) == _without_times(here)


def test_links_to_nothing_are_moved_as_any_file(vm: str, tmp_path: Path) -> None:
    here, back = tmp_path / "here", tmp_path / "back"
    here.mkdir()
    (here / "link").symlink_to("nothing")
    (here / "file").write_text("file")
    for _ in range(2):  # a new folder, and one that is there
        clean(qga("cp", str(here) + "/.", f"{vm}:/var/tmp/far"))
    clean(qga("mkdir", f"{vm}:/var/tmp/far/inner"))
    clean(qga("mv", f"{vm}:/var/tmp/far/link", f"{vm}:/var/tmp/far/inner"))
    clean(qga("cp", f"{vm}:/var/tmp/far/inner", str(back)))
    assert (back / "link").readlink() == Path("nothing")


def test_a_full_disk_is_told_as_that(vm: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(os.urandom(5 * 2**20))
    sh(vm, "mkdir /var/tmp/far && mount -t tmpfs -o size=4m none /var/tmp/far")
    try:
        for channel in ("never", "auto"):
            ran = qga("cp", "--channel", channel, str(data), f"{vm}:/var/tmp/far/data")
            assert (ran.code, "No space left on device" in ran.err) == (1, True), ran.err
            assert sh(vm, "ls -A /var/tmp/far") == ""
    finally:
        sh(vm, "umount /var/tmp/far")


def test_files_are_listed_shown_moved_and_removed(vm: str) -> None:
    clean(qga("mkdir", f"{vm}:/var/tmp/far"))
    sh(vm, "cd /var/tmp/far; for i in 1 2 3; do echo line $i; done >f; : >'a b'; ln -s f l")
    assert clean(qga("ls", f"{vm}:/var/tmp/far")).out == "a b\nf\nl\n"
    assert clean(qga("tail", "-n", "2", f"{vm}:/var/tmp/far/f")).out == "line 2\nline 3\n"
    clean(qga("mv", f"{vm}:/var/tmp/far/f", f"{vm}:/var/tmp/far/g"))
    clean(qga("rm", f"{vm}:/var/tmp/far/a b", f"{vm}:/var/tmp/far/l"))
    assert sh(vm, "ls -A /var/tmp/far") == "g\n"


def test_a_freeze_and_what_doctor_says(vm: str) -> None:
    ran = clean(qga("fs", "with-frozen", vm, "--", "true"))
    assert ran.out == ""
    rows = clean(qga("doctor", vm)).out.splitlines()
    # An emulated guest's clock falls behind, and doctor is right to say so.
    assert [row for row in rows[1:] if row.split("\t")[1] != "ok" and row[:5] != "clock"] == []


def _without_times(folder: Path) -> dict[bytes, tuple[object, ...]]:
    return {name: (mode, *rest) for name, (mode, _, *rest) in everything(folder).items()}
