"""What people met in the field: small things that were told wrong."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.wire import to_base64
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler

Make = Callable[[Handler], FakeAgent]


@pytest.mark.parametrize("template", ["{vm}", "{vm}.qga", "{vm}/qga.sock"])
def test_only_sockets_are_guests(tmp_path: Path, template: str) -> None:
    for name in ("web1", "folder", "file", "dangling"):
        (tmp_path / template.replace("{vm}", name)).parent.mkdir(exist_ok=True)
    (tmp_path / template.replace("{vm}", "folder")).mkdir()
    (tmp_path / template.replace("{vm}", "file")).touch()
    (tmp_path / template.replace("{vm}", "dangling")).symlink_to("/nonexistent")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / template.replace("{vm}", "web1")))
        ran = qga("-c", f"unix:{tmp_path}/{template}", "list", "--columns", "vm", "--no-header")
    assert (ran.code, ran.out) == (0, "web1\n")


FILESYSTEMS = [
    {"name": name, "mountpoint": f"/{name}", "type": type,
     "used-bytes": 9, "total-bytes": 9, "disk": []}
    for name, type in (("vda1", "ext4"), ("loop0", "squashfs"), ("sr0", "iso9660"),
                       ("f", "fuse.squashfuse"), ("D", "CDFS"), ("e", "erofs"), ("C", "NTFS"))
]  # fmt: skip


def test_what_never_fills_is_no_alarm(fake: Make) -> None:
    uri = fake(lambda request: FILESYSTEMS).uri
    words = ("-c", uri, "fs", "list", "x", "--columns", "device", "--no-header")
    assert qga(*words, "--fillable").out.split() == ["vda1", "C"]
    assert len(qga(*words).out.split()) == len(FILESYSTEMS)
    told = qga("-c", uri, "fs", "list", "x", "--columns", "device,fills", "--no-header").out
    assert told.splitlines()[:2] == ["vda1\ttrue", "loop0\tfalse"]


MOUNTS = "rootfs / rootfs rw 0 0\n/dev/vda1 / {} {},relatime 0 0\nproc /proc proc rw 0 0\n"


@pytest.mark.parametrize(
    ("type", "options", "row"),
    [
        ("ext4", "ro", "root\twarn\t/ is /dev/vda1, ext4, mounted read-only\t"),
        ("ext4", "rw", "root\tok\t/ is /dev/vda1, ext4, writable\t"),
        ("squashfs", "ro", "root\tok\t/ is /dev/vda1, squashfs, read-only by design\t"),
    ],
)
def test_doctor_sees_a_root_that_is_read_only(
    fake: Make, type: str, options: str, row: str
) -> None:
    mounts = MOUNTS.format(type, options).encode()
    read = {"count": len(mounts), "buf-b64": to_base64(mounts), "eof": True}
    names = ("guest-file-open", "guest-file-read", "guest-file-close")
    supported = [{"name": name, "enabled": True, "success-response": True} for name in names]

    def handle(request: dict[str, object]) -> object:
        answers = {
            "guest-ping": {},
            "guest-info": {"version": "7.2.0", "supported_commands": supported},
            "guest-file-open": 1,
            "guest-file-close": {},
            "guest-file-read": read,
        }
        return answers[str(request["execute"])]

    ran = qga("-c", fake(handle).uri, "doctor", "x", "-o", "tsv")
    assert any(line.startswith(row) for line in ran.out.splitlines()), ran.out + ran.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("db:1", ["cp", "x", "db:1:/tmp/x"]),
        ("db:1", ["ls", "db:1:/"]),
        ("db:1", ["cat", "db:1:/f"]),
        ("db,1", ["ping", "db,1"]),
        ("db.qga", ["ping", "db.qga"]),
    ],
)
def test_a_guest_whose_name_is_cut_off_is_named_by_its_uuid(
    tmp_path: Path, name: str, words: list[str]
) -> None:
    uuid = "b0a3bd4e-5c1b-4d0a-8e6a-2f3c1d5e7f90"
    (tmp_path / "node.xml").write_text(
        f"<node><domain type='test'><name>{name}</name><uuid>{uuid}</uuid>"
        "<memory>8192</memory><os><type>hvm</type></os></domain></node>"
    )
    (tmp_path / "x").touch()
    host = "-c", f"test://{tmp_path}/node.xml"
    ran = qga(*host, *(str(tmp_path / "x") if word == "x" else word for word in words))
    assert (ran.code, ran.err.count(f"guest {name!r} can be named by its UUID: {uuid}\n")) == (4, 1)
    assert qga(*host, "ls", f"{uuid}:/").code == 6  # it is found; this driver has no agents
