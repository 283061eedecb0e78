"""Files of real agents: one on this machine, one in a guest under libvirt."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.conftest import Ran, qga
from tests.lab.local_agent import agent as run_local_agent
from tests.running import Started, eventually
from tests.test_tar import everything, odd_tree

PART = 5_000_000  # bytes: several chunks, and a short last one
WAYS = {
    "both": (),
    "files only": ("-b", "guest-exec"),
    "exec only": ("-b", "guest-file-open"),
}


class Far:
    """A folder on an agent's side, and the way there."""

    def __init__(self, connect: str | None, name: str, folder: str) -> None:
        self.flags = ["-c", connect] if connect else []
        self.name = name
        self.folder = folder

    def __call__(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
        """Run qga; FAR in its words is the folder there."""
        place = f"{self.name}:{self.folder}"
        words = tuple(word.replace("FAR", place) for word in words)
        return qga(*self.flags, *words, stdin=stdin, env=env)

    def good(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        """The same; it must succeed, without a word on stderr. Returns its output."""
        done = self(*words, stdin=stdin, env=env)
        assert (done.code, done.err) == (0, ""), done.err
        return done.out

    def sh(self, script: str) -> str:
        """What a script in that folder prints. A socket has one client: we go past it here."""
        if self.flags:
            return subprocess.check_output(["sh", "-c", script], cwd=self.folder, text=True)
        return self.good("exec", self.name, "sh", "-c", f'cd "$0" && {script}', self.folder)


@pytest.fixture(params=["local", "guest"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    if request.param == "local":
        (tmp_path / "far").mkdir()
        yield Far(request.getfixturevalue("local_agent"), "vm", str(tmp_path / "far"))
        return
    guest: lab.Guest = request.getfixturevalue("guest")
    folder = f"/var/tmp/{tmp_path.name}"
    qga("mkdir", f"{guest.name}:{folder}")
    yield Far(None, guest.name, folder)
    qga("rm", "-rf", f"{guest.name}:{folder}")


@pytest.fixture
def near(local_agent: str, tmp_path: Path) -> Far:
    (tmp_path / "far").mkdir()
    return Far(local_agent, "vm", str(tmp_path / "far"))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    """An agent of this machine whose policy leaves this way only."""
    (tmp_path / "far").mkdir()
    with run_local_agent(tmp_path, "agent", *WAYS[request.param]) as running:
        yield Far(f"unix:{running.socket}", "vm", str(tmp_path / "far"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def test_a_file_goes_there_and_back(far: Far, here: Path) -> None:
    (here / "data").write_bytes(os.urandom(PART))
    far.good("cp", str(here / "data"), "FAR")
    far.good("cp", "FAR/data", str(here / "back"))
    assert (here / "back").read_bytes() == (here / "data").read_bytes()
    assert sorted(os.listdir(here)) == ["back", "data"]
    assert far.sh("ls -A") == "data\n"


def test_every_way_carries_the_same(way: Far, here: Path) -> None:
    data = os.urandom(3_000_000)
    (here / "data").write_bytes(data)
    way.good("cp", str(here / "data"), "FAR/data")
    way.good("cp", "FAR/data", str(here / "back"))
    assert (here / "back").read_bytes() == data
    assert Path(way.folder, "data").read_bytes() == data
    assert qga(*way.flags, "cat", f"vm:{way.folder}/data").stdout == data
    way.good("cp", str(here / "data"), "FAR")
    (here / "empty").touch()
    way.good("cp", str(here / "empty"), "FAR/data")
    assert Path(way.folder, "data").read_bytes() == b""
    assert "guest-exec" in way("-v", "cp", "FAR/data", str(here)).err


def test_a_folder_needs_programs(tmp_path: Path) -> None:
    with run_local_agent(tmp_path, "agent", "-b", "guest-exec") as running:
        done = qga("-c", f"unix:{running.socket}", "cp", f"vm:{tmp_path}", str(tmp_path))
    assert done.code == 6, done.err
    assert "copying a folder needs guest-exec" in done.err


def test_modes_and_times(far: Far, here: Path) -> None:
    (here / "run").write_text("#!/bin/sh\n")
    (here / "run").chmod(0o751)
    os.utime(here / "run", ns=(1, 1_600_000_000_123_456_789))
    far.good("cp", str(here / "run"), "FAR/new")
    far.good("cp", "-p", str(here / "run"), "FAR/kept")
    far.sh("touch old && chmod 600 old")
    far.good("cp", str(here / "run"), "FAR/old")
    modes = far.sh("stat -c '%a %n' new kept old; stat -c '%.9Y' kept")
    assert modes == "751 new\n751 kept\n600 old\n1600000000.123456789\n"
    far.good("cp", "-p", "FAR/kept", str(here / "back"))
    facts = (here / "back").stat()
    assert (facts.st_mode & 0o7777, facts.st_mtime_ns) == (0o751, 1_600_000_000_123_456_789)
    far.sh("chmod 4755 kept")
    far.good("cp", "-p", "FAR/kept", str(here / "plain"))
    far.good("cp", "-p", "--special", "FAR/kept", str(here / "special"))
    assert (here / "plain").stat().st_mode & 0o7777 == 0o755
    assert (here / "special").stat().st_mode & 0o7777 == 0o4755


def test_the_rules_of_docker_cp(near: Far, here: Path) -> None:
    (here / "d").mkdir()
    (here / "d" / "f").write_text("1")
    (here / "file").write_text("2")
    near.good("cp", str(here / "d"), "FAR/new")  # becomes it
    near.sh("mkdir there")
    near.good("cp", str(here / "d"), "FAR/there")  # goes into it
    near.good("cp", f"{here}/d/.", "FAR/there")  # its contents do
    near.good("cp", str(here / "file"), "FAR/there/")
    assert near.sh("find . -type f | sort") == "./new/f\n./there/d/f\n./there/f\n./there/file\n"
    for words in (
        ["cp", str(here / "file"), "FAR/none/"],
        ["cp", str(here / "file"), "FAR/none/file"],
        ["cp", str(here / "d"), "FAR/there/file"],
        ["cp", str(here / "file"), str(here / "file"), "FAR/none"],
    ):
        done = near(*words)
        assert done.code in (1, 2), words
        assert len(done.err.splitlines()) <= 2, done.err
    assert "write VM:PATH" in near("cp", "a", "b").err
    os.mkdir(here / "back")
    near.good("cp", "FAR/there", str(here / "back" / "new"))
    near.good("cp", "FAR/there", str(here / "back"))
    near.good("cp", "FAR/there/.", str(here / "back"))
    found = sorted(str(path.relative_to(here / "back")) for path in (here / "back").rglob("f*"))
    assert found == ["d/f", "f", "file", "new/d/f", "new/f", "new/file",
                     "there/d/f", "there/f", "there/file"]  # fmt: skip
    assert near("cp", "FAR/there", str(here / "file")).code == 1
    assert near("cp", "FAR/there", str(here / "none" / "x")).code == 1
    assert near("cp", "FAR/there/file", f"{here}/none/").code == 1
    assert near("cp", "FAR/none", str(here)).err.endswith("/none: No such file or directory\n")


def test_standard_streams(near: Far, here: Path) -> None:
    data = os.urandom(300_000)
    near.good("cp", "-", "FAR/data", stdin=data)
    assert near("cp", "FAR/data", "-").stdout == data
    assert near("cp", "-", "FAR", stdin=data).code == 1


@pytest.mark.parametrize(
    "name", ["sp ace", "-rf", "new\nline\n", "quo'te\"", "\udcff\udcfe", "$(id)", "é", "*", "\\x"]
)
def test_odd_names(near: Far, here: Path, name: str) -> None:
    (here / name).write_text(name, errors="surrogateescape")
    near.good("cp", f"{here}/{name}", "FAR")
    (here / "back").mkdir()
    near.good("cp", f"FAR/{name}", str(here / "back"))
    assert (here / "back" / name).read_text(errors="surrogateescape") == name
    assert os.listdir(here / "back") == [name]
    assert near("cat", f"FAR/{name}").stdout == name.encode(errors="surrogateescape")
    assert len(near.good("ls", "FAR").splitlines()) == 1
    near.good("mv", f"FAR/{name}", "FAR/other")
    near.good("rm", "FAR/other")


def test_holes_stay_holes(far: Far, here: Path) -> None:
    with open(here / "sparse", "wb") as out:
        out.truncate(30_000_000)
        out.seek(10_000_000)
        out.write(b"middle")
    far.good("cp", str(here / "sparse"), "FAR")
    far.good("cp", "FAR/sparse", str(here / "back"))
    assert (here / "back").read_bytes() == (here / "sparse").read_bytes()
    assert (here / "back").stat().st_blocks < 200
    assert int(far.sh("stat -c %b sparse")) < 200


def test_a_tree_with_odd_names_goes_round(far: Far, here: Path) -> None:
    odd_tree(here / "tree")
    with open(here / "tree" / "sparse", "wb") as out:
        out.truncate(1_000_000)
    os.link(here / "tree" / "sparse", here / "tree" / "sparse too")
    os.utime(here / "tree" / "plain", ns=(1, -1_500_000_000))
    os.utime(here / "tree", ns=(1, 1_500_000_000_987_654_321))
    far.good("cp", "-p", str(here / "tree"), "FAR")
    far.good("cp", "-p", "--special", "FAR/tree", str(here / "back"))
    assert everything(here / "back") == everything(here / "tree")
    assert far.sh("ls -A") == "tree\n"
    assert sorted(os.listdir(here)) == ["back", "tree"]


def test_links(near: Far, here: Path) -> None:
    near.sh("echo text >file; ln -s file link; ln -s nowhere dangling; mkdir d; ln -s ../file d/l")
    near.good("cp", "FAR/link", str(here))
    assert os.readlink(here / "link") == "file"
    near.good("cp", "-L", "FAR/link", str(here / "text"))
    assert (here / "text").read_text() == "text\n"
    near.good("cp", "-L", "FAR/d", str(here / "d"))
    assert (here / "d" / "l").read_text() == "text\n"
    near.good("cp", "FAR/dangling", str(here))
    near.good("cp", str(here / "dangling"), "FAR/again")
    assert near.sh("readlink again") == "nowhere\n"
    near.good("cp", str(here / "text"), "FAR/link")  # named itself: written through
    assert near.sh("readlink link") == "file\n"
    os.symlink("d", here / "to d")  # what ends with a slash is a folder, whatever led there
    near.good("cp", f"{here}/to d/.", "FAR/one")
    near.good("cp", f"{here}/to d/", "FAR/d")
    assert near.sh("cat one/l d/to*/l") == "text\ntext\n"
    near.good("cp", "FAR/one/.", str(here / "to d"))
    assert (here / "to d").is_symlink()


def test_several_small_files_at_once(near: Far, here: Path) -> None:
    paths = [here / f"f{number}" for number in range(20)]
    for path in paths:
        path.write_text(path.name)
    near.sh("mkdir into; echo old >into/f3")
    near.good("cp", *map(str, paths), "FAR/into")
    assert near.sh("cat into/f3 into/f19; ls -A into | wc -l").split() == ["f3f1920"]


@pytest.mark.parametrize("wish", ["gzip", "auto"])
def test_packed_on_the_way(near: Far, here: Path, wish: str) -> None:
    (here / "text").write_bytes(b"some text that packs well, line by line\n" * 300_000)
    (here / "noise").write_bytes(os.urandom(2_000_000))
    (here / "empty").touch()
    for name in ("text", "noise", "empty"):
        near.good("cp", "--compress", wish, str(here / name), "FAR")
        near.good("cp", "--compress", wish, f"FAR/{name}", str(here / "back"))
        assert (here / "back").read_bytes() == (here / name).read_bytes()
    near.good("cp", "--compress", wish, str(here), "FAR/tree")
    near.good("cp", "--compress", wish, "FAR/tree", str(here / "tree"))
    assert (here / "tree" / "text").read_bytes() == (here / "text").read_bytes()
    command = subprocess.run(
        [sys.executable, "-m", "qga_cli", *near.flags, "cp", "--compress", wish, "-vvv",
         str(here / "text"), f"vm:{near.folder}/again"], capture_output=True, check=True,
    )  # fmt: skip
    assert len(command.stderr) < 1_000_000  # of requests that would be 16 MB


def test_from_guest_to_guest(near: Far, here: Path) -> None:
    near.sh("mkdir d e; echo 1 >d/f; head -c 3000000 /dev/urandom >big")
    near.good("cp", "FAR/big", "FAR/copy")
    near.good("cp", "FAR/d", "FAR/e")
    assert near.sh("cmp big copy && cat e/d/f") == "1\n"


# Not on a socket of this machine: qemu-ga dies of SIGPIPE there when its client is killed.
@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_a_killed_push_never_shows_half_a_file(far: Far, here: Path) -> None:
    (here / "data").write_bytes(os.urandom(PART))
    far.sh("echo old >data")
    old = hashlib.sha256(b"old\n").hexdigest()
    new = hashlib.sha256((here / "data").read_bytes()).hexdigest()
    words = ["cp", str(here / "data"), f"{far.name}:{far.folder}/data"]
    for number in range(5):
        killed = Started(*words)
        time.sleep(0.15 + number * 0.06)
        killed.signal(signal.SIGKILL)
        killed.end()
        # It may have been faster than the signal.
        assert far.sh("sha256sum <data")[:64] in (old, new)
    far.good("cp", "--resume", *words[1:])
    far.good("cp", "FAR/data", str(here / "back"))
    assert (here / "back").read_bytes() == (here / "data").read_bytes()
    assert far.sh("ls -A") == "data\n"


def test_ctrl_c_keeps_what_has_come_and_tells(far: Far, here: Path) -> None:
    (here / "data").write_bytes(bytes(60_000_000))
    words = ["cp", str(here / "data"), f"{far.name}:{far.folder}/data"]
    copy = Started(*far.flags, *words)
    assert eventually(lambda: far.sh("find . -name '*.qga-part' -size +1000k"))
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert code == 130
    assert "--resume" in err
    assert far.sh("ls -A | grep -c qga-part") == "1\n"


def test_tail(near: Far) -> None:
    near.sh("seq 20000 >lines; printf last >>lines")
    for count in (0, 1, 2, 10, 15000, 30000):
        assert near.good("tail", "-n", str(count), "FAR/lines") == near.sh(f"tail -n {count} lines")
    assert near.good("tail", "FAR/lines") == near.sh("tail lines")
    assert near("tail", "FAR/none").code == 1


def test_tail_follows(far: Far) -> None:
    far.sh("echo one >log")
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *far.flags, "tail", "-f", "-n", "1",
         f"{far.name}:{far.folder}/log"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == b"one\n"
    far.sh("echo two >>log")
    assert process.stdout.readline() == b"two\n"
    far.sh("echo 3 >log")
    assert process.stdout.readline() == b"3\n"
    far.sh("mv log log.1; echo 4 >log")
    assert process.stdout.readline() == b"4\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert [line.rpartition(b": ")[2][:9] for line in err.splitlines()] == [
        b"file trun", b"file repl",
    ]  # fmt: skip


def test_cat_of_what_has_no_size(near: Far) -> None:
    assert near.good("cat", f"{near.name}:/proc/version", f"{near.name}:/proc/cmdline")
    assert "Is a directory" in near("cat", "FAR").err


def test_ls(far: Far) -> None:
    far.sh("echo 12345 >file; ln -s 'a b' link; mkdir dir; touch .hidden; chmod 640 file")
    assert far.good("ls", "FAR") == "dir\nfile\nlink\n"
    assert far.good("ls", "-a", "FAR/") == ".hidden\ndir\nfile\nlink\n"
    rows = [line.split("\t") for line in far.good("ls", "-l", "FAR").splitlines()]
    assert rows[0] == ["mode", "owner", "group", "size", "modified", "name", "target"]
    assert [row[0] for row in rows[1:]] == ["drwxr-xr-x", "-rw-r-----", "lrwxrwxrwx"]
    assert [row[3] for row in rows[2:]] == ["6", "3"]
    assert [row[-1] for row in rows[1:]] == ["-", "-", "a b"]
    assert far.good("ls", "FAR/file") == "file\n"
    assert far("ls", "FAR/none").code == 1


def test_ls_of_a_folder_whose_list_no_reply_carries(near: Far) -> None:
    for number in range(4500):  # 18 MB of targets: qemu-ga captures 16 MiB
        os.symlink("x" * 4000, os.path.join(near.folder, str(number)))
    assert near.good("ls", "FAR").split() == sorted(os.listdir(near.folder))


def test_edit(near: Far, here: Path) -> None:
    near.sh("echo old >file; chmod 640 file")
    edit = {"VISUAL": "sed -i s/old/new/", "TMPDIR": str(here)}
    near.good("edit", "FAR/file", env=edit)
    assert near.sh("cat file; stat -c %a file") == "new\n640\n"
    assert "not changed" in near("edit", "FAR/file", env=edit).err
    assert os.listdir(here) == []
    (here / "editor").write_text("#!/bin/sh\necho mine >$1\n")
    (here / "editor").chmod(0o755)
    near.good("edit", "FAR/made", env={**edit, "VISUAL": str(here / "editor")})
    assert near.sh("cat made") == "mine\n"
    theirs = f"echo theirs >{near.folder}/file"
    if not near.flags:
        theirs = f"{sys.executable} -m qga_cli exec {near.name} -- sh -c '{theirs}'"
    (here / "editor").write_text(f"#!/bin/sh\necho mine >$1\n{theirs}\n")
    done = near("edit", "FAR/file", env={**edit, "VISUAL": str(here / "editor")})
    assert done.code == 1
    assert "changed in the guest" in done.err
    assert near.sh("cat file") == "theirs\n"
    kept = Path(done.err.strip().rpartition(" ")[2])
    assert kept.read_text() == "mine\n"
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_mkdir_mv_rm(near: Far) -> None:
    assert near("mkdir", "FAR/a/b").code == 1
    near.good("mkdir", "-p", "FAR/a/b")
    near.good("mkdir", "FAR/c")
    near.good("mv", "FAR/a", "FAR/c")
    assert near.good("ls", "FAR/c") == "a\n"
    assert near("rm", "FAR/c").code == 1
    near.good("rm", "-r", "FAR/c")
    assert near("rm", "FAR/c").code == 1
    near.good("rm", "-f", "FAR/c")
    assert near("mv", "FAR/c", "other:/x").code == 2


def test_guests_that_fail_among_many_are_told_as_everywhere(tmp_path: Path) -> None:
    for name in "ab":  # sockets that nobody listens on any more
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(f"{tmp_path}/{name}.sock")
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "cp", __file__, "a,b:/tmp/")
    assert ran.code == 123
    lines = ran.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["qga", "hint", "qga", "hint", "qga"]
    assert lines[-1] == "qga: 0 ok, 2 failed"


def test_vi_is_not_started_without_a_terminal(tmp_path: Path) -> None:
    ran = qga(
        "-c", f"unix:{tmp_path}/a.sock", "edit", "a:/etc/hosts", env={"VISUAL": "", "EDITOR": ""}
    )
    assert (ran.code, "not a terminal" in ran.err) == (2, True)
