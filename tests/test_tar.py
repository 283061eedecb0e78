"""Trees from a stranger: nothing gets out of the folder they are written to."""

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qga_cli.errors import QgaError
from qga_cli.files.extract import Extractor
from qga_cli.files.merge import Stage
from qga_cli.files.tar_reader import TarReader
from qga_cli.files.tar_writer import TarWriter
from qga_cli.files.transfer import Wishes


def entry(name: str, type: bytes = tarfile.REGTYPE, **members: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = type
    for key, value in members.items():
        setattr(info, key, value)
    return info


def archive(*entries: tarfile.TarInfo, data: bytes = b"data") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info in entries:
            if info.isreg():
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def extract(
    stage: Path, stream: bytes, wishes: Wishes | None = None, step: int = 1000
) -> list[str]:
    """Write `stream` down below `stage`; returns the notes."""
    notes: list[str] = []
    stage.mkdir(mode=0o700, exist_ok=True)
    extractor = Extractor(str(stage), wishes or Wishes(), notes.append)
    try:
        reader = TarReader(extractor)
        for at in range(0, len(stream), step):
            reader.write(stream[at : at + step])
        extractor.finish()
    finally:
        extractor.close()
    return notes


def everything(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """What is in a folder, as far as a copy keeps it."""
    found: dict[bytes, tuple[object, ...]] = {}
    top = os.fsencode(folder)
    for at, folders, files in os.walk(top):
        for path in [at, *(os.path.join(at, name) for name in folders + files)]:
            facts = os.lstat(path)
            content: bytes | None = None
            if stat.S_ISLNK(facts.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(facts.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            count = facts.st_nlink if stat.S_ISREG(facts.st_mode) else 1
            found[path[len(top) :]] = (facts.st_mode, facts.st_mtime_ns, count, content)
    return found


LINK = tarfile.SYMTYPE
EVIL = {
    "above": [entry("../out")],
    "above, deeper": [entry("a/../../out")],
    "absolute": [entry("/out")],
    "a folder above": [entry("..", tarfile.DIRTYPE)],
    "through a link": [entry("l", LINK, linkname="OUT"), entry("l/out")],
    "through a link above": [entry("l", LINK, linkname=".."), entry("l/out")],
    "a folder that is a link": [
        entry("l", LINK, linkname="OUT"), entry("l", tarfile.DIRTYPE), entry("l/out"),
    ],
    "over a link": [entry("l", LINK, linkname="OUT/out"), entry("l")],
    "a hard link above": [entry("h", tarfile.LNKTYPE, linkname="../secret")],
    "a hard link to the root": [entry("h", tarfile.LNKTYPE, linkname="/secret")],
    "a hard link through a link": [
        entry("l", LINK, linkname="OUT"), entry("h", tarfile.LNKTYPE, linkname="l/secret"),
    ],
    "a hard link to nothing": [entry("h", tarfile.LNKTYPE, linkname="none")],
    "twice": [entry("f"), entry("f")],
    "a file as a folder": [entry("f"), entry("f/g")],
    "a root that is a file": [entry(".")],
    "a root that is a link": [entry("./", LINK, linkname="OUT")],
    "a name longer than any path": [entry("a/" * 3000 + "f")],
    "more folders in each other than can be removed": [entry("a/" * 1500 + "f")],
    "an owner that no system has": [entry("f", pax_headers={"uid": "9" * 19})],
    "an owner below zero": [entry("f", uid=-5)],
    "a time that no filesystem has": [entry("f", pax_headers={"mtime": "9" * 19})],
}  # fmt: skip


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
        extract(tmp_path / "stage", archive(*EVIL[case]), Wishes(preserve=True))
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
    extract(tmp_path / "a", stream, Wishes(preserve=True))
    extract(tmp_path / "b", stream, Wishes(preserve=True, special=True))
    extract(tmp_path / "c", stream, Wishes(umask=0o077))
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
        extract(tmp_path / "a", archive(*files, data=bytes(10_000)), Wishes(limit=500_000))
    with pytest.raises(QgaError, match="more than"):  # empty ones cost something too
        extract(tmp_path / "b", archive(*files, data=b""), Wishes(limit=300_000))
    with pytest.raises(QgaError, match="more than"):  # and folders that are only passed through
        extract(tmp_path / "c", archive(entry("a/" * 100 + "f")), Wishes(limit=300_000))


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


def odd_tree(top: Path) -> None:
    """Names, modes, times and links that are easy to get wrong."""
    top.mkdir()
    names = [b"plain", b"sp ace", b"-rf", b"new\nline", b"quo'te\"", b"\xff\xfe", b"\\back",
             b"$(id)", b"*", b".hid", b"tab\t", b"a" * 255, "é".encode()]  # fmt: skip
    base = os.fsencode(top)
    for number, name in enumerate(names):
        os.mkdir(os.path.join(base, b"dir " + name[:200]))
        for path in (os.path.join(base, name), os.path.join(base, b"dir " + name[:200], name)):
            with open(path, "wb") as out:
                out.write(name * number * 100)
            os.chmod(path, (0o400, 0o644, 0o755, 0o4711)[number % 4])
            os.utime(path, ns=(1, 1_600_000_000_123_456_789 + number))
        os.symlink(name, os.path.join(base, b"link" + name[:200]))
        os.link(os.path.join(base, name), os.path.join(base, b"hard" + name[:200]))
    (top / "empty").mkdir(mode=0o500)
    deep = top / "deep"
    for _ in range(30):
        deep /= "0123456789"
    deep.mkdir(parents=True)
    os.utime(top, ns=(1, 1_500_000_000_987_654_321))


def tar_of(top: Path) -> bytes:
    return TarWriter({".": str(top)}, Wishes(preserve=True), lambda text: None).read()


def host_tar(top: Path) -> bytes:
    done = subprocess.run(
        ["tar", "--format=posix", "--sparse", "-cf", "-", "-C", top, "."],
        capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("make", [tar_of, host_tar])
def test_a_tree_goes_round(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    odd_tree(tmp_path / "tree")
    stream = make(tmp_path / "tree")
    extract(tmp_path / "copy", stream, Wishes(preserve=True, special=True), step=777)
    assert everything(tmp_path / "copy") == everything(tmp_path / "tree")


def test_tar_reads_what_we_write(tmp_path: Path) -> None:
    odd_tree(tmp_path / "tree")
    (tmp_path / "copy").mkdir()
    subprocess.run(["tar", "-xpf", "-", "-C", tmp_path / "copy"], input=tar_of(tmp_path / "tree"),
                   check=True, env={**os.environ, "LC_ALL": "C"})  # fmt: skip
    assert everything(tmp_path / "copy") == everything(tmp_path / "tree")


def test_holes_stay_holes(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with open(tmp_path / "tree" / "sparse", "wb") as out:
        out.truncate(50_000_000)
        out.seek(20_000_000)
        out.write(b"middle")
    stream = host_tar(tmp_path / "tree")
    assert len(stream) < 100_000
    extract(tmp_path / "copy", stream)
    copy = tmp_path / "copy" / "sparse"
    assert copy.read_bytes() == (tmp_path / "tree" / "sparse").read_bytes()
    assert copy.stat().st_blocks < 100
    writer = TarWriter({".": str(tmp_path / "tree")}, Wishes(), lambda text: None)
    assert len(writer.read()) < 10_000
    assert writer.apart == [("./sparse", str(tmp_path / "tree" / "sparse"), "")]


def test_a_tree_fills_the_one_that_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "sub").mkdir(parents=True)
    (there / "kept").write_text("kept")
    (there / "replaced").write_text("old")
    (there / "link").symlink_to("kept")
    stage = Stage(str(there))
    extract(Path(stage.path), archive(
        entry("replaced"), entry("new/f"), entry("sub/f"), entry("link"),
    ))  # fmt: skip
    stage.settle()
    assert (there / "kept").read_text() == "kept"
    assert not (there / "link").is_symlink()
    for name in ("replaced", "new/f", "sub/f", "link"):
        assert (there / name).read_text() == "data"
    assert sorted(os.listdir(there)) == ["kept", "link", "new", "replaced", "sub"]


def test_a_tree_is_not_even_staged_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")
    stage = Stage(str(tmp_path / "link"))
    assert os.listdir(tmp_path / "outside") == []
    extract(Path(stage.path), archive(entry("f")))
    with pytest.raises(QgaError):
        stage.settle()
    stage.remove()
    assert sorted(os.listdir(tmp_path)) == ["link", "outside"]


@pytest.mark.parametrize("name", ["link/f", "folder", "file/f"])
def test_a_tree_never_goes_through_a_link_or_over_another_kind(name: str, tmp_path: Path) -> None:
    there, outside = tmp_path / "there", tmp_path / "outside"
    (there / "folder").mkdir(parents=True)
    outside.mkdir()
    (there / "link").symlink_to(outside)
    (there / "file").write_text("old")
    before = everything(there)
    stage = Stage(str(there))
    extract(Path(stage.path), archive(entry("first"), entry(name)))
    with pytest.raises(QgaError):
        stage.settle()
    stage.remove()
    after = everything(there)
    assert {**after, b"": None} == {**before, b"": None}
    assert os.listdir(outside) == []
