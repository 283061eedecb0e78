"""Trees and archives for tests: odd ones, evil ones, and what a copy keeps of them."""

import io
import os
import stat
import tarfile
from pathlib import Path

from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.extract import Extractor
from qga_cli.files.copy_tree.tar_reader import TarReader


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
    stage: Path, stream: bytes, options: CopyOptions | None = None, step: int = 1000
) -> list[str]:
    """Write `stream` down below `stage`; returns the notes."""
    notes: list[str] = []
    stage.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(stage, os.O_RDONLY | os.O_DIRECTORY)
    extractor = Extractor(folder, options or CopyOptions(), notes.append)
    os.close(folder)
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
