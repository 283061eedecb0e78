"""Files that travel through ports of ours, in and out of real guests."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.kit import channels
from tests.kit.channels import plugged
from tests.kit.command import Configured, qga
from tests.kit.in_guest import begun_copy
from tests.kit.running import GUARD, Started, eventually

ALWAYS = ("--channel", "always")
AUTO = ("--channel", "auto")
LARGE = 12_000_003  # bytes


@pytest.fixture
def place(guest: lab.Guest, tmp_path: Path) -> Iterator[str]:
    """A folder in the guest, that has no port of ours."""
    _clear(guest)
    folder = f"/var/tmp/{tmp_path.name}"
    assert qga("mkdir", f"{guest.name}:{folder}").code == 0
    yield f"{guest.name}:{folder}"
    _clear(guest)
    qga("rm", "-rf", f"{guest.name}:{folder}")


def _clear(guest: lab.Guest) -> None:
    for port in plugged(guest):
        channels.ports(guest).unplug(port.name)


def sh(place: str, script: str) -> str:
    name, _, folder = place.partition(":")
    done = qga("exec", "--channel", "never", name, "sh", "-c", f'cd "$0" && {script}', folder)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.port_written
@pytest.mark.parametrize("size", [0, 1, 100_000, LARGE])
def test_there_and_back(place: str, here: Path, size: int) -> None:
    data = os.urandom(size)
    (here / "data").write_bytes(data)
    assert qga("cp", *ALWAYS, str(here / "data"), f"{place}/data").err == ""
    assert qga("cp", *ALWAYS, f"{place}/data", str(here / "back")).err == ""
    assert (here / "back").read_bytes() == data
    assert qga("cat", *ALWAYS, f"{place}/data").stdout == data
    assert sh(place, "ls -A") == "data\n"


@pytest.mark.port_written
def test_auto_plugs_ports_for_what_is_large(guest: lab.Guest, place: str, here: Path) -> None:
    (here / "small").write_bytes(b"x" * 10_000)
    (here / "large").write_bytes(bytes(LARGE))
    assert qga("cp", *AUTO, str(here / "small"), f"{place}/small").code == 0
    assert qga("cat", *AUTO, f"{place}/small").code == 0
    assert plugged(guest) == []
    assert "is plugged" in qga("cp", "-v", *AUTO, str(here / "large"), f"{place}/large").err
    # The guest tells that its program has closed it when that has ended, a moment after the copy.
    assert eventually(lambda: not any(port.is_open for port in plugged(guest)), 2)


def test_never_plugs_none(guest: lab.Guest, place: str, here: Path) -> None:
    (here / "data").write_bytes(bytes(2_000_000))
    assert qga("cp", "--channel", "never", str(here / "data"), f"{place}/data").code == 0
    assert plugged(guest) == []


@pytest.mark.port_written
def test_a_policy_is_borne(
    guest: lab.Guest, place: str, here: Path, configured: Configured
) -> None:
    rule = '[policy."*"]\ndeny = ["channel"]\n'
    (here / "data").write_bytes(os.urandom(2_000_000))
    done = configured(rule, "cp", "-v", *AUTO, str(here / "data"), f"{place}/data")
    assert (done.code, "no channel: channel is denied" in done.err) == (0, True), done.err
    back = configured(rule, "cat", *AUTO, f"{place}/data")
    assert back.stdout == (here / "data").read_bytes()
    assert configured(rule, "cp", *ALWAYS, str(here / "data"), f"{place}/data").code != 0
    assert plugged(guest) == []


@pytest.mark.port_written
def test_a_folder_there_and_back(place: str, here: Path) -> None:
    (here / "tree" / "inner").mkdir(parents=True)
    (here / "tree" / "large").write_bytes(os.urandom(3_000_000))
    (here / "tree" / "inner" / "small").write_bytes(b"small")
    assert qga("cp", *ALWAYS, str(here / "tree"), f"{place}/tree").err == ""
    assert qga("cp", *ALWAYS, f"{place}/tree", str(here / "back")).err == ""
    assert subprocess.run(["diff", "-r", here / "tree", here / "back"]).returncode == 0


def test_a_device_has_no_size(guest: lab.Guest) -> None:
    cat = Started("cat", *AUTO, f"{guest.name}:/dev/zero")
    with cat.process:
        assert cat.stdout.read(2_500_000) == bytes(2_500_000)
        cat.stdout.close()
        assert (cat.process.wait(GUARD), cat.stderr.read()) == (141, b"")


def test_what_cannot_be_read_is_said_as_ever(place: str) -> None:
    for channel in ("always", "never"):
        done = qga("cat", "--channel", channel, f"{place}/absent")
        assert done.code == 1
        assert "No such file" in done.err


@pytest.mark.port_written
def test_a_guest_whose_disk_is_full(guest: lab.Guest, place: str, here: Path) -> None:
    (here / "data").write_bytes(os.urandom(LARGE))
    sh(place, "mkdir small && mount -t tmpfs -o size=4m none small")
    try:
        done = qga("cp", *ALWAYS, str(here / "data"), f"{place}/small/data")
        assert done.code == 1
        assert "No space left on device" in done.err
        assert sh(place, "ls -A small") == ""
    finally:
        sh(place, "umount small")
    # The guest tells that its program has closed it when that has ended, a moment after the copy.
    assert eventually(lambda: not any(port.is_open for port in plugged(guest)), 2)


@pytest.fixture
def begun(guest: lab.Guest, place: str, here: Path) -> Iterator[tuple[Started, list[str]]]:
    """A copy that has come a part of its way, and stands still there; its words."""
    with open(here / "data", "wb") as out:
        for _ in range(96):
            out.write(os.urandom(2**20))
    words = ["cp", *ALWAYS, str(here / "data"), f"{place}/data"]
    copy = begun_copy(words[-2], words[-1])
    yield copy, words
    copy.process.kill()
    copy.process.wait()


@pytest.mark.port_written
def test_a_port_that_is_unplugged_ends_the_copy_and_resume_completes_it(
    guest: lab.Guest, place: str, here: Path, begun: tuple[Started, list[str]]
) -> None:
    copy, words = begun
    _clear(guest)
    code, _, err = copy.end()
    assert (code, "--resume" in err) == (5, True), err
    _complete(place, here, words)


@pytest.mark.port_written
def test_a_killed_copy_leaves_no_port_and_resume_completes_it(
    guest: lab.Guest, place: str, here: Path, begun: tuple[Started, list[str]]
) -> None:
    copy, words = begun
    copy.signal(signal.SIGKILL)
    copy.end()
    # A client whose data nobody takes is not read from by libvirtd, which misses its death.
    sh(place, "pkill -CONT -x dd || :")
    began = time.monotonic()
    while plugged(guest):
        assert time.monotonic() < began + 30, plugged(guest)  # a busy machine
        time.sleep(0.05)
    assert sh(place, "sleep 1; pgrep -x dd || :") == ""
    _complete(place, here, words)


@pytest.mark.port_written
def test_ctrl_c_ends_a_copy_and_leaves_no_port_in_use(
    guest: lab.Guest, place: str, begun: tuple[Started, list[str]]
) -> None:
    copy, _ = begun
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert (code, "--resume" in err) == (-signal.SIGINT, True), err
    assert plugged(guest) == []


def _complete(place: str, here: Path, words: list[str]) -> None:
    done = qga(*words, "--resume", timeout=300)
    assert (done.code, done.err) == (0, "")
    expected = subprocess.check_output(["sha256sum", here / "data"], text=True)[:64]
    assert sh(place, "sha256sum <data")[:64] == expected
    assert sh(place, "ls -A") == "data\n"
