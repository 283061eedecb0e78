"""What `--resume` goes on with in a guest."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.inside.conftest import Run
from tests.kit.running import eventually

OLD = "0123456789abcdef"
NEW = "fedcba9876543210"
PART = f".data.{OLD}.qga-part"
# What has a part open, and says so as a copy does that is under way, or says nothing any more.
HAS = {
    "writes": "exec 9>>{part}; while sleep 0.1; do echo more >&9; done",
    "is silent": "exec 9>>{part}; read line",
}
# The same, of the folder that a part was taken into to be looked at.
LOOKS = {
    "tells that it lives": "exec 7<{folder}; while sleep 0.1; do touch {folder}; done",
    "is silent": "exec 7<{folder}; read line",
}


@contextmanager
def other(program: str, descriptor: int, path: Path) -> Iterator[None]:
    """Another process, which has it open."""
    process = subprocess.Popen(["sh", "-c", program], stdin=subprocess.PIPE)
    link = Path(f"/proc/{process.pid}/fd/{descriptor}")
    assert eventually(lambda: link.exists() and os.readlink(link) == str(path))
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def look(sh: Run, folder: Path) -> list[str]:
    """What is found there, as the two scripts have it: name, size, digest of each."""
    begin = "files/enter+files/part+files/begin_again"
    done = sh(begin, str(folder / "data"), "", "", stdin=f"{NEW}.qga-part\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    there, part, name, holder, kept, _ = done.stdout.decode().split("\0")
    assert (there, part, name) == (str(folder), f".data.{NEW}.qga-part", "data")
    try:
        if not kept:
            return []
        done = sh(
            "files/enter+files/held+files/idle+files/leftovers", holder, there, part, name, kept,
            around=lambda text: f"sleep() {{ command sleep 0.2; }}\n{text}",
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        found = done.stdout.decode().split("\0")[:-1]
        assert all((folder / kept / name).exists() for name in found[::3])
        return found[::3]
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(holder.partition(".")[0]), signal.SIGTERM)


def write(part: Path, data: bytes = b"begun") -> Path:
    part.write_bytes(data)
    part.chmod(0o600)
    return part


@pytest.mark.parametrize("has", HAS)
def test_a_part_in_a_guest_is_a_leftover_if_nobody_writes_it(
    has: str, sh: Run, tmp_path: Path
) -> None:
    part = write(tmp_path / PART)
    with other(HAS[has].format(part=part), 9, part):
        found = look(sh, tmp_path)
    assert part.exists() == (has == "writes")
    assert found == ([] if has == "writes" else [part.name])


@pytest.mark.slow
def test_a_silent_one_takes_no_patience_from_the_next(sh: Run, tmp_path: Path) -> None:
    dead, alive = write(tmp_path / PART), write(tmp_path / f".data.{'3' * 16}.qga-part")
    tells = f"exec 9>>{alive}; while sleep 1.5; do touch {alive}; done"
    with other(HAS["is silent"].format(part=dead), 9, dead), other(tells, 9, alive):
        assert look(sh, tmp_path) == [dead.name]
    assert alive.exists()


@pytest.mark.parametrize("length", [200, 250])
def test_a_part_of_another_long_name_is_none(length: int, sh: Run, tmp_path: Path) -> None:
    """Of a long name only a part goes into that of its part."""
    parts = list[str]()
    for name in ("x" * length, "x" * (length - 1) + "y", "x" * length):
        part = sh(
            "files/enter+files/part", str(tmp_path / name), "", "",
            stdin=f"{OLD if len(parts) < 2 else NEW}.qga-part\n".encode(),
            around=lambda text: text + '\nprintf %s "$part"\n',
        )  # fmt: skip
        assert (part.returncode, part.stderr) == (0, b"")
        parts.append(part.stdout.decode())
    first, other, again = parts
    assert max(map(len, parts)) <= 255
    assert (first == again.replace(NEW, OLD), first == other) == (True, False)
    assert sorted(os.listdir(tmp_path)) == sorted(parts)


def test_where_nothing_was_left_no_folder_is_made(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    (tmp_path / f".other.{OLD}.qga-part").touch()
    assert look(sh, tmp_path) == []
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("looks", ["nobody", *LOOKS])
def test_a_part_that_was_being_looked_at_is_a_leftover(looks: str, sh: Run, tmp_path: Path) -> None:
    folder = tmp_path / f".old.{OLD}.qga-part"
    folder.mkdir(mode=0o700)
    write(folder / PART)
    beside = write(tmp_path / f".data.{'3' * 16}.qga-part")
    if looks == "nobody":
        found = look(sh, tmp_path)
    else:
        with other(LOOKS[looks].format(folder=folder), 7, folder):
            found = look(sh, tmp_path)
    assert folder.exists() == (looks == "tells that it lives")
    assert sorted(found) == ([beside.name] if folder.exists() else [PART, beside.name])


def test_what_another_copy_has_just_made_or_holds_is_not_removed(sh: Run, tmp_path: Path) -> None:
    made, left = (tmp_path / f".old.{digit * 16}.qga-part" for digit in "12")
    made.mkdir(mode=0o700)
    os.utime(made, (2**32, 2**32))  # after our part
    left.mkdir(mode=0o700)
    os.utime(left, (1, 1))
    others = tmp_path / f".old.{OLD}.qga-part"
    others.mkdir(mode=0o700)
    write(others / f".others.{OLD}.qga-part")
    assert look(sh, tmp_path) == []
    assert (made.exists(), left.exists(), len(os.listdir(others))) == (True, False, 1)


@pytest.mark.root
@pytest.mark.parametrize("planted", ["of a stranger", "open to others", "a link", "linked", "his"])
def test_nothing_that_a_stranger_can_have_put_there_is_a_leftover(
    planted: str, sh: Run, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    folder = theirs / f".old.{OLD}.qga-part"
    folder.mkdir(mode=0o700)
    part = write(folder / PART)
    if planted == "of a stranger":
        os.chown(folder, 65534, 65534)
    elif planted == "open to others":
        folder.chmod(0o711)
    elif planted == "a link":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    elif planted == "linked":
        os.link(part, tmp_path / "another name")
    else:
        os.chown(part, 65534, 65534)
    assert look(sh, theirs) == []
    if planted == "linked":  # as one that lies beside the file
        assert part.exists() or (theirs / PART).exists()
    else:
        assert part.read_bytes() == b"begun"
