"""Copies into and out of a folder of another user of this host, who exchanges what is in it.

He strikes at every step in turn, in several ways; nothing outside his folder may change, and
nothing outside it may be read.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from qga_cli import hostpath, wire
from qga_cli.agent.program import Completed
from qga_cli.errors import FileError, QgaError
from qga_cli.files.copier import physical
from qga_cli.files.copy_file.sources import HostFile
from qga_cli.files.copy_file.to_host import HostTarget, inside
from qga_cli.files.copy_file.to_stream import open_special
from qga_cli.files.copy_file.transfer import CopyOptions
from qga_cli.files.copy_tree.pull import pull
from qga_cli.files.copy_tree.stage import Stage
from qga_cli.files.copy_tree.tar_writer import TarWriter
from qga_cli.files.guest.facts import FileFacts
from qga_cli.files.places_of_many import share_of
from qga_cli.guests.place import Place
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.strangers import UID, Victim, strike_at
from tests.kit.trees import archive, entry

pytestmark = [pytest.mark.root, pytest.mark.slow]

TREE = archive(
    entry(".", tarfile.DIRTYPE, mode=0o777),
    entry("./sub", tarfile.DIRTYPE, mode=0o777),
    entry("./sub/f", mode=0o666, uid=UID, gid=UID),
    entry("./f", mode=0o4755, uid=UID, gid=UID),
    entry("./link", tarfile.SYMTYPE, linkname="sub"),
    entry("./new", tarfile.DIRTYPE, mode=0o777),
    entry("./new/f", mode=0o666),
    data=b"from the guest",
)
TROUBLE = suppress(QgaError, OSError)  # that is what he may make
MOST = 400  # steps; more than any of these copies has


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    return Victim(tmp_path / "root")


class Fed:
    """A guest that sends this tree."""

    agent: Any = type("Agent", (), {"name": "vm"})
    cmd = None

    def needs_exec(self, what: str) -> None:
        """It has that."""

    def stream(self, *words: str, stdout: Callable[[bytes], object], **named: object) -> Completed:
        """Send it in pieces."""
        for at in range(0, len(TREE), 4096):
            stdout(TREE[at : at + 4096])
        said = wire.to_base64(hashlib.sha512(TREE).hexdigest().encode())
        return Completed({"exitcode": 0, "err-data": said})


def make_theirs(top: Path) -> Path:
    """A folder of the stranger's, in another one of his, with some things in it."""
    theirs = top / "theirs"
    for folder in (theirs, theirs / "dest", theirs / "dest" / "sub"):
        folder.mkdir(mode=0o755)
    (theirs / "dest" / "f").write_text("old\n")
    (theirs / "dest" / "sub" / "f").write_text("old\n")
    left = theirs / "dest" / ".f.0123456789abcdef.qga-part"
    left.write_bytes(b"from ")
    left.chmod(0o600)
    for path in (theirs, *theirs.rglob("*")):
        if path != left:
            os.chown(path, UID, UID)
    return theirs


def exchange(folder: Path, target: Path) -> None:
    """Each thing in it becomes a link to `target`."""
    for name in os.listdir(folder):
        os.rename(folder / name, folder.parent / f"moved-{name}")
        os.symlink(target, folder / name)


def exchange_below(folder: Path, target: Path) -> None:
    """Each folder in it becomes one of his own, full of links to `target`."""
    for name in os.listdir(folder):
        if (folder / name).is_dir():
            os.rename(folder / name, folder.parent / f"moved-{name}")
            os.mkdir(folder / name, 0o777)
            for inner in ("f", "sub", "new", "link", name):
                os.symlink(target, folder / name / inner)


def exchange_whole(folder: Path, target: Path) -> None:
    """The folder itself becomes a link to `target`."""
    os.rename(folder, folder.parent / "moved")
    os.symlink(target, folder)


def exchange_below_one(folder: Path, target: Path) -> None:
    """`sub` alone becomes one: what shall be filled."""
    os.rename(folder / "sub", folder.parent / "moved-sub")
    os.symlink(target, folder / "sub")


WAYS = (exchange, exchange_below, exchange_whole, exchange_below_one)


def pull_into(dest: str, **options: Any) -> None:
    """`cp -r VM:/data/. DEST`."""
    final = inside(Place("", dest), "", needed=False)
    pull(cast(Any, Fed()), "/data", ".", final, CopyOptions(**options), lambda count: None, print)


def land_in(dest: str, **given: Any) -> None:
    """`cp VM:/f DEST`, as transfer does it."""
    options = CopyOptions(**given)
    landing = HostTarget(inside(Place("", dest), "f"), options)
    facts = FileFacts(size=14, mode=0o4777, uid=UID, gid=UID, mtime=10**18)

    def prove(length: int) -> str:
        return hashlib.sha512(b"from the guest"[:length]).hexdigest()

    try:
        start = landing.begin(facts, prove if options.resume else None)
        landing.write(start, b"from the guest"[start:])
        landing.finish(facts, prove(14))
    except BaseException:
        landing.abandon(keep=False)
        raise


COPIES: dict[str, Callable[[Path], None]] = {
    "tree, filling": lambda theirs: pull_into(f"{theirs}/dest"),
    "tree, filling, -p": lambda theirs: pull_into(f"{theirs}/dest", preserve=True, special=True),
    "tree, filling, --resume": lambda theirs: pull_into(f"{theirs}/dest", resume=True),
    "tree, new": lambda theirs: pull_into(f"{theirs}/dest/fresh"),
    "tree, new, -p": lambda theirs: pull_into(f"{theirs}/dest/fresh", preserve=True, special=True),
    "file": lambda theirs: land_in(f"{theirs}/dest"),
    "file, -p": lambda theirs: land_in(f"{theirs}/dest/f", preserve=True, special=True),
    "file, --resume": lambda theirs: land_in(f"{theirs}/dest", resume=True),
    "file, new": lambda theirs: land_in(f"{theirs}/dest/sub/fresh"),
}


def moments(act: Callable[[int], bool]) -> Iterator[int]:
    """Each step, until the body has no more of them."""
    for step in range(1, MOST):
        if not act(step):
            return
        yield step
    raise AssertionError("more steps than were thought")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("aim", ["", "shadow"])
@pytest.mark.parametrize("copy", COPIES)
def test_nothing_outside_changes_whenever_it_is_exchanged(
    copy: str, way: Callable[[Path, Path], None], aim: str, victim: Victim, tmp_path: Path
) -> None:
    if aim and way is exchange_whole:
        return  # a folder that has become a file: the same as below it

    def once(step: int) -> bool:
        (tmp_path / str(step)).mkdir(mode=0o755)
        theirs = make_theirs(tmp_path / str(step))
        target = victim.path / aim
        with strike_at(step, lambda: way(theirs / "dest", target)) as strike, TROUBLE:
            COPIES[copy](theirs)
        assert victim.changed() == [], f"step {step}"
        return strike.struck

    assert len(list(moments(once))) > 5


@pytest.mark.parametrize("copy", COPIES)
def test_left_alone_it_is_copied(copy: str, victim: Victim, tmp_path: Path) -> None:
    theirs = make_theirs(tmp_path)
    COPIES[copy](theirs)
    found = [path for path in theirs.rglob("*") if path.is_file()]
    assert any(path.read_text() == "from the guest" for path in found)
    assert not any("qga-part" in path.name for path in found if copy == "file, --resume")
    assert victim.changed() == []


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


def read_tree(theirs: Path, *, follow: bool) -> bytes:
    """What `cp -r` would send of it."""
    return TarWriter({".": f"{theirs}/dest"}, CopyOptions(follow=follow), lambda text: None).read()


def read_file(theirs: Path, *, follow: bool) -> bytes:
    """What `cp` would send of a file that it has looked at."""
    made = HostFile(f"{theirs}/dest/f", follow=follow)
    return b"".join(data for _, data in made.pieces(0, 2**20))


@pytest.mark.parametrize("read", [read_tree, read_file])
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("aim", ["", "shadow"])
def test_nothing_outside_is_read_whenever_it_is_exchanged(
    read: Callable[..., bytes],
    way: Callable[[Path, Path], None],
    aim: str,
    victim: Victim,
    tmp_path: Path,
    *,
    follow: bool,
) -> None:
    def once(step: int) -> bool:
        (tmp_path / str(step)).mkdir(mode=0o755)
        theirs = make_theirs(tmp_path / str(step))
        sent = b""
        target = victim.path / aim
        with strike_at(step, lambda: way(theirs / "dest", target)) as strike, TROUBLE:
            sent = read(theirs, follow=follow)
        assert b"secret of root's" not in sent, f"step {step}"
        return strike.struck

    list(moments(once))


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
            open_special(str(shared / name), lambda: None)
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
