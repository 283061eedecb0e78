"""Trees from a stranger: nothing gets out of the folder they are written to."""

import os
import stat
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qga_cli.errors import BadReply, QgaError
from qga_cli.files.copy_file.transfer import CopyOptions
from tests.kit.trees import EVIL, LINK, archive, entry, everything, extract


@pytest.mark.parametrize("case", EVIL)
def test_nothing_leaves_the_folder(case: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (tmp_path / "secret").write_text("secret")
    for info in EVIL[case]:
        info.linkname = info.linkname.replace("OUT", str(outside))
    before = everything(outside)
    with pytest.raises(QgaError):
        extract(tmp_path / "stage", archive(*EVIL[case]), CopyOptions(preserve=True))
    assert everything(outside) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "secret", "stage"]
    assert os.stat(tmp_path / "secret").st_nlink == 1
    assert os.stat(outside / "secret").st_nlink == 1


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_left_out_and_told(kind: bytes, tmp_path: Path) -> None:
    notes = extract(tmp_path / "stage", archive(entry("dev", kind), entry("file")))
    assert os.listdir(tmp_path / "stage") == ["file"]
    assert notes == ["dev: a device or FIFO, not copied"]


def test_set_user_id_only_when_asked(tmp_path: Path) -> None:
    stream = archive(entry("su", mode=0o6755))
    extract(tmp_path / "a", stream, CopyOptions(preserve=True))
    extract(tmp_path / "b", stream, CopyOptions(preserve=True, special=True))
    extract(tmp_path / "c", stream, CopyOptions(umask=0o077))
    modes = [stat.S_IMODE((tmp_path / part / "su").stat().st_mode) for part in "abc"]
    assert modes == [0o755, 0o6755, 0o700]


def test_what_is_not_kept_belongs_to_us_and_is_new(tmp_path: Path) -> None:
    extract(tmp_path / "a", archive(entry("f", uid=12345, mtime=1)))
    facts = (tmp_path / "a" / "f").stat()
    assert facts.st_uid == os.geteuid()
    assert facts.st_mtime > 1_700_000_000


def header(size: int, type: bytes) -> bytes:
    return entry("x", type, size=size).tobuf(tarfile.GNU_FORMAT)


def sparse(numbers: str, stored: int, real: int) -> bytes:
    pax = f"GNU.sparse.major=1\nGNU.sparse.realsize={real}\nGNU.sparse.name=s\n"
    records = b"".join(
        f"{len(line) + 4} {line}\n".encode() for line in pax.splitlines()
    )  # every line has two digits of length
    body = records.ljust(512, b"\0")
    return (
        header(len(records), tarfile.XHDTYPE) + body
        + header(stored, tarfile.REGTYPE) + numbers.encode().ljust(512, b"\0")
    )  # fmt: skip


PATH = b"13 path=aaaa\n".ljust(512, b"\0")
BROKEN = {
    "no archive": b"GIF89a" * 200,
    "a header of 8 GiB": header(2**33, tarfile.XHDTYPE) + bytes(2048),
    "a long name of 8 GiB": header(2**33, tarfile.GNUTYPE_LONGNAME) + bytes(2048),
    "a negative size": header(-1, tarfile.REGTYPE) + bytes(1024),
    "a strange type": header(0, b"M") + bytes(1024),
    "a pax header without end": header(20, tarfile.XHDTYPE) + b"99 path=x".ljust(512, b"\0"),
    "a pax header of no length": header(20, tarfile.XHDTYPE) + b"0 path=x\n".ljust(512, b"\0"),
    "a pax size that is no number": (
        header(12, tarfile.XHDTYPE) + b"12 size=-10\n".ljust(512, b"\0") + header(0, b"0")
    ),
    "sparse parts past the end": sparse("1\n0\n5000\n", 512 + 5000, 10),
    "sparse parts that overlap": sparse("2\n0\n10\n5\n10\n", 512 + 20, 100),
    "sparse parts that do not add up": sparse("1\n0\n10\n", 512 + 5000, 100),
    "a sparse map without end": sparse("9" * 30, 600, 100) + b"9" * 2**21,
    "a sparse map of letters": sparse("x\ny\n", 600, 100),
    "a sparse file larger than any": sparse("1\n0\n0\n", 512, 10**19) + bytes(1024),
    "headers without end": (header(13, tarfile.XHDTYPE) + PATH) * 3000,
    "global headers without end": (header(13, tarfile.XGLTYPE) + PATH) * 3000,
    "goes on after its end": bytes(1024) + b"x" * (2**20 + 1),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_archive_is_an_error(case: str, tmp_path: Path) -> None:
    with pytest.raises(QgaError):
        extract(tmp_path / "stage", BROKEN[case])


def test_a_limit_is_kept(tmp_path: Path) -> None:
    files = [entry(f"f{number}") for number in range(100)]
    with pytest.raises(QgaError, match="more than"):
        extract(tmp_path / "a", archive(*files, data=bytes(10_000)), CopyOptions(limit=500_000))
    with pytest.raises(QgaError, match="more than"):  # empty ones cost something too
        extract(tmp_path / "b", archive(*files, data=b""), CopyOptions(limit=300_000))
    with pytest.raises(QgaError, match="more than"):  # and folders that are only passed through
        extract(tmp_path / "c", archive(entry("a/" * 100 + "f")), CopyOptions(limit=300_000))


def test_a_sparse_bomb_costs_nothing(tmp_path: Path) -> None:
    extract(tmp_path / "stage", sparse("1\n0\n0\n", 512, 2**40) + bytes(1024))
    facts = (tmp_path / "stage" / "s").stat()
    assert (facts.st_size, facts.st_blocks) == (2**40, 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_byte_gets_out(data: st.DataObject, tmp_path: Path) -> None:
    stream = bytearray(archive(
        entry("d", tarfile.DIRTYPE), entry("d/f"), entry("l", LINK, linkname="d"),
        entry("long" * 60), entry("h", tarfile.LNKTYPE, linkname="d/f"),
    ))  # fmt: skip
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    stage = tmp_path / str(len(os.listdir(tmp_path)))
    try:
        extract(stage, bytes(stream), step=data.draw(st.integers(1, 5000)))
    except QgaError:
        pass
    except OSError as error:
        assert error.filename or error.errno  # a name too long for this filesystem, say
    assert set(os.listdir(tmp_path)) == {str(n) for n in range(int(stage.name) + 1)}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_where_links_are_followed_none_comes(kind: bytes, tmp_path: Path) -> None:
    """`cp -L` asks for files: a link is a lie, and would be followed here by who reads the copy."""
    stream = archive(entry("file"), entry("link", kind, linkname="/etc/shadow"))
    if kind == tarfile.LNKTYPE:
        stream = archive(entry("file"), entry("link", kind, linkname="file"))
        extract(tmp_path / "stage", stream, CopyOptions(follow=True))
        assert (tmp_path / "stage" / "link").is_file()  # two names of one file
        return
    with pytest.raises(BadReply, match="'link' is a symbolic link, though -L"):
        extract(tmp_path / "stage", stream, CopyOptions(follow=True))
