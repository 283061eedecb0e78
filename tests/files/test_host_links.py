"""What another user of this host has put in the way beforehand: links, parts, files in /tmp."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli import hostpath, wire
from qga_cli.errors import FileError, QgaError
from qga_cli.files.copy_file.to_host import HostTarget
from qga_cli.files.copy_file.to_stream import open_special
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.stage import Stage
from qga_cli.files.copy_tree.tar_writer import TarWriter
from qga_cli.files.guest.facts import FileFacts
from qga_cli.files.on_host import physical
from qga_cli.files.places_of_many import share_of
from qga_cli.guests.place import Place
from qga_cli.interrupt import Interrupt
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.strangers import UID, Victim, land_in, make_theirs, pull_into

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.mark.parametrize("name", ["dest", "f"])
def test_a_link_of_his_leads_to_what_is_his(name: str, victim: Victim, tmp_path: Path) -> None:
    """Put there long before; the kernel would follow it."""
    theirs = make_theirs(tmp_path)
    away, own = theirs / "away", theirs / "own"
    away.symlink_to(victim.path)
    own.symlink_to(theirs / "dest")
    for link in (away, own):
        os.lchown(link, UID, UID)
    for copy in (pull_into, land_in):
        with pytest.raises(QgaError, match="another user's, and leads to what is not his") as error:
            copy(str(away))
        assert str(victim.path) in error.value.hint
        copy(str(own))
    assert victim.changed() == []
    assert (theirs / "dest" / "f").read_text() == "from the guest"
    ours = tmp_path / "ours"
    ours.symlink_to(theirs / "dest")
    land_in(str(ours))


@pytest.fixture
def process() -> Iterator[Callable[[str], str]]:
    """A process of the stranger's that holds a path open, as far as his rights go: its /proc."""
    started: list[subprocess.Popen[bytes]] = []

    def hold(path: str) -> str:
        code = "import os, sys; os.dup2(os.open(sys.argv[1], os.O_PATH), 9); print(1, flush=True); "
        command = [sys.executable, "-c", code + "sys.stdin.read()", path]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        one = subprocess.Popen(command, user=UID, group=UID, extra_groups=[], cwd="/", **pipes)  # type: ignore[call-overload]
        started.append(one)
        assert one.stdout.readline() == b"1\n"
        return f"/proc/{one.pid}"

    yield hold
    for one in started:
        one.communicate()


def test_a_link_of_his_into_proc_leads_nowhere(
    process: Callable[[str], str], victim: Victim, tmp_path: Path
) -> None:
    """What stands in the /proc of his process belongs to him, whatever it leads to, and he opens
    the path of anything (O_PATH): by it root would read what he may not, and write where he may
    not."""
    theirs = make_theirs(tmp_path)
    file, folder = process(str(victim.path / "shadow")), process(str(victim.path))
    aims = {"a": f"{file}/fd/9", "b": f"{folder}/fd/9", "c": f"{folder}/root"}
    for name, aim in aims.items():
        (theirs / name).symlink_to(aim)
        os.lchown(theirs / name, UID, UID)
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND):
        with pytest.raises(QgaError, match="leads to what is not his"):
            os.close(hostpath.open_file(f"{theirs}/a", flags))
    for copy in (pull_into, land_in):
        for name in ("b", "c"):
            with pytest.raises(QgaError, match="leads to what is not his"):
                copy(f"{theirs}/{name}")
    with pytest.raises(QgaError, match="leads to what is not his"):
        TarWriter({".": f"{theirs}/b"}, CopyOptions(), lambda text: None).read()
    (tmp_path / "ours").symlink_to(f"{file}/fd/9")
    os.close(hostpath.open_file(f"{tmp_path}/ours", os.O_RDONLY))
    assert victim.changed() == []


def test_two_dots_after_a_link_of_his_lead_nowhere_else(victim: Victim, tmp_path: Path) -> None:
    """`sudo qga cp VM:/f /home/eve/data/../f`, where data has become a link to /etc/cron.d."""
    theirs = make_theirs(tmp_path)
    (theirs / "away").symlink_to(victim.path / "sub")
    (theirs / "own").symlink_to(theirs / "dest" / "sub")
    for name in ("away", "own"):
        os.lchown(theirs / name, UID, UID)
    with pytest.raises(QgaError, match="leads to what is not his"):
        physical(Place("", f"{theirs}/away/../f"))
    assert physical(Place("", f"{theirs}/own/../f")).path == f"{theirs}/dest/f"
    assert physical(Place("", f"{theirs}/own/..")).path == f"{theirs}/dest/"


def test_a_part_of_another_file_of_roots_is_not_taken_over(victim: Victim, tmp_path: Path) -> None:
    """A hard link to it, where the kernel lets him make one (fs.protected_hardlinks=0)."""
    theirs = make_theirs(tmp_path)
    (victim.path / "prefix").write_bytes(b"from the")
    (victim.path / "prefix").chmod(0o600)
    before = victim.state()
    os.link(victim.path / "prefix", theirs / "dest" / ".f.fedcba9876543210.qga-part")
    land_in(f"{theirs}/dest", resume=True)
    assert (victim.path / "prefix").read_bytes() == b"from the"
    assert {path: told[-1] for path, told in victim.state().items()} == {
        path: told[-1] for path, told in before.items()
    }


def test_a_part_that_he_may_have_open_is_not_gone_on_with(tmp_path: Path) -> None:
    """A file of root's in his folder that begins like the next one: he renames it, and reads on."""
    theirs = make_theirs(tmp_path)
    part = theirs / "dest" / ".f.0123456789abcdef.qga-part"
    part.chmod(0o644)
    with part.open("rb") as his:
        land_in(f"{theirs}/dest", resume=True)
        assert his.read() == b"from "
    assert (theirs / "dest" / "f").read_bytes() == b"from the guest"
    assert not part.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("user", "set-password", "x", "root", "--password-file", "@"),
        ("ssh", "add", "x", "root", "@@"),
        ("exec", "--env-file", "@", "x", "--", "env"),
        ("script", "x", "@"),
    ],
)
def test_a_file_that_is_sent_is_not_another_one(
    fake: Callable[..., FakeAgent], words: tuple[str, ...], victim: Victim, tmp_path: Path
) -> None:
    """`sudo qga script VM /home/eve/fix.sh`, which is a link to /etc/shadow now."""
    theirs = make_theirs(tmp_path)
    (theirs / "given").symlink_to(victim.path / "shadow")
    os.lchown(theirs / "given", UID, UID)
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, *(word.replace("@", f"{theirs}/given", 1) if word == "@" else
              word.replace("@@", f"@{theirs}/given") for word in words))  # fmt: skip
    assert ran.code, ran.out
    assert "another user's, and leads to what is not his" in ran.err
    assert "secret" not in str(agent.requests) + ran.err + ran.out
    assert not any(request["execute"] == "guest-exec" for request in agent.requests)


def test_a_pipe_of_the_shell_is_a_file_to_read(fake: Callable[..., FakeAgent]) -> None:
    """`<(...)` is a link below /dev/fd, and one of /proc's that say no path."""
    agent = fake(lambda request: {})
    source, sink = os.pipe()
    os.write(sink, b"swordfish\n")
    os.close(sink)
    command = [
        sys.executable,
        "-m",
        "qga_cli",
        "-c",
        agent.uri,
        "user",
        "set-password",
        "x",
        "root",
    ]
    done = subprocess.run([*command, "--password-file", f"/dev/fd/{source}"], pass_fds=[source],
                          capture_output=True, check=False)  # fmt: skip
    os.close(source)
    assert (done.returncode, done.stderr) == (0, b"")
    assert wire.to_base64(b"swordfish") in str(agent.requests[-1]["arguments"])


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder such as /tmp, with things that the stranger has put there beforehand."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    (folder / "f").touch(0o666)
    os.mkfifo(folder / "fifo", 0o600)
    for name in ("f", "fifo"):
        os.chown(folder / name, UID, UID)
    return folder


def test_a_file_that_is_replaced_in_tmp_hands_nothing_on(shared: Path) -> None:
    """`sudo qga cp VM:/etc/shadow /tmp/f` would give him what comes."""
    options = CopyOptions(umask=0o077)
    landing = HostTarget(str(shared / "f"), options)
    landing.begin(FileFacts(size=2), None)
    landing.write(0, b"xy")
    landing.finish(FileFacts(size=2, mode=0o644), "")
    found = (shared / "f").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (0, 0o600)


def test_a_file_with_holes_that_is_replaced_in_tmp_hands_nothing_on(shared: Path) -> None:
    stage = Stage(str(shared / "f"))
    os.close(os.open("new", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=stage.folder))
    stage.hand_on("new")
    stage.settle("new")
    found = (shared / "f").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (0, 0o600)


@pytest.mark.parametrize("name", ["f", "fifo"])
def test_nothing_is_written_into_what_he_has_put_into_tmp(
    name: str, shared: Path, fake: Callable[..., FakeAgent]
) -> None:
    """The audit's lines, and what `qga cp VM:/etc/shadow /tmp/fifo` brings."""
    reader = os.open(shared / name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(FileError, match="another user's, in a folder where everybody"):
            open_special(str(shared / name), lambda: None, Interrupt())
        agent = fake(lambda request: {})
        ran = qga("-c", agent.uri, "--audit", str(shared / name), "ping", "x")
        assert (ran.code, agent.requests, os.read(reader, 9)) == (1, [], b""), ran.err
        assert str(shared / name) in ran.err
    finally:
        os.close(reader)


def test_the_folders_of_many_guests_are_made_nowhere_else(victim: Victim, tmp_path: Path) -> None:
    """`sudo qga cp 'web*':/f dest/` makes dest/web1; of another host, dest/HOST/web1."""
    theirs = make_theirs(tmp_path)
    for name in ("web1", "alpha"):
        (theirs / "dest" / name).symlink_to(victim.path)
        os.lchown(theirs / "dest" / name, UID, UID)
    for guest in ("alpha/web1", "web1"):
        with pytest.raises(OSError, match="Not a directory"):
            share_of(guest, [Place("web*", "/f")], Place("", f"{theirs}/dest"))
    assert victim.changed() == []
    share_of("beta/web1", [Place("web*", "/f")], Place("", f"{theirs}/dest"))
    assert (theirs / "dest" / "beta" / "web1").is_dir()


def test_what_lies_here_for_a_while_lies_where_nobody_can_exchange_it(tmp_path: Path) -> None:
    hostpath.check_temporary("/tmp")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", UID, UID)
    for name in ("open", "theirs"):
        with pytest.raises(QgaError, match="another user can replace"):
            hostpath.check_temporary(str(tmp_path / name))


def test_nor_is_any_folder_on_the_way_another_users(tmp_path: Path) -> None:
    """He renames the one between, or turns the link that has led to /tmp a moment ago."""
    tmp_path.chmod(0o755)
    (tmp_path / "theirs" / "ours").mkdir(parents=True)
    (tmp_path / "theirs" / "link").symlink_to("/tmp")
    (tmp_path / "link").symlink_to("/tmp")
    for name in ("theirs", "theirs/link"):
        os.lchown(tmp_path / name, UID, UID)
    with pytest.raises(QgaError, match="theirs: another user can replace"):
        hostpath.check_temporary(str(tmp_path / "theirs" / "ours"))
    with pytest.raises(QgaError, match="leads to what is not his"):
        hostpath.check_temporary(str(tmp_path / "theirs" / "link"))
    hostpath.check_temporary(str(tmp_path / "link"))
