"""cat, tail, ls, edit, mkdir, mv and rm, on real agents."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.command import Far, qga
from tests.kit.running import GUARD


@pytest.mark.slow
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
    _, err = process.communicate(timeout=GUARD)
    assert process.returncode == -signal.SIGINT
    assert [line.rpartition(b": ")[2][:9] for line in err.splitlines()] == [
        b"file trun", b"file repl",
    ]  # fmt: skip


def test_cat_of_what_has_no_size(near: Far) -> None:
    assert near.good("cat", f"{near.name}:/proc/version", f"{near.name}:/proc/cmdline")
    assert "Is a directory" in near("cat", "FAR").err
    for folder in ("/", "/dev/shm"):  # one on a disk, one in memory
        assert "Is a directory" in near("tail", f"{near.name}:{folder}").err


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


# find, as where SELinux hides a name from root.
HIDING = (
    """
import runpy, sys
from qga_cli.files import ls
find = """
    + repr("""find() {
  [ "$2" = -maxdepth ] || { command find "$@"; echo "find: './x': Permission denied" >&2; exit 1; }
}
""")
    + """
script = ls.script
ls.script = lambda name: find + script(name).replace("exec find", "find")
runpy.run_module("qga_cli", run_name="__main__", alter_sys=True)
"""
)


def test_ls_of_a_folder_with_a_name_that_nobody_may_look_at(near: Far) -> None:
    def listed(*words: str) -> tuple[int, str, str]:
        argv = [sys.executable, "-c", HIDING, *near.flags, "ls", *words, f"vm:{near.folder}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=GUARD)
        return done.returncode, done.stdout, done.stderr

    lack = "qga: vm: find: './x': Permission denied\n"
    near.sh("echo 12345 >file")
    assert listed() == (1, "file\n", lack)
    code, out, err = listed("-o", "json")
    assert (code, len(json.loads(out)), err) == (1, 1, lack)
    near.sh("rm file")
    code, out, err = listed()
    assert (code, out) == (1, "")
    assert err.startswith(f"{lack}hint: `qga doctor vm`")


@pytest.mark.slow
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


def test_vi_is_not_started_without_a_terminal(tmp_path: Path) -> None:
    ran = qga(
        "-c", f"unix:{tmp_path}/a.sock", "edit", "a:/etc/hosts", env={"VISUAL": "", "EDITOR": ""}
    )
    assert (ran.code, "not a terminal" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("editor", "code", "told"),
    [
        ("'vi", 2, "EDITOR: No closing quotation: 'vi"),
        (" ", 2, "not a terminal"),
        ("sh -c 'echo mine >$0; kill -9 $$'", 1, "sh was killed by signal 9"),
    ],
)
def test_editors_that_are_none(
    near: Far, tmp_path: Path, editor: str, code: int, told: str
) -> None:
    """A quote without its end was a bug of qga's, and so was a blank."""
    near.sh("echo yours >file")
    words = {"VISUAL": "", "EDITOR": editor, "TMPDIR": str(tmp_path)}
    done = near("edit", "FAR/file", env=words)
    assert (done.code, told in done.err) == (code, True), done.err
    assert near.sh("cat file") == "yours\n"


@pytest.mark.slow
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


def test_edit_follows_a_link_in_the_guest_and_never_here(far: Far, here: Path) -> None:
    edit = {"VISUAL": "sed -i s/old/new/", "TMPDIR": str(here)}
    far.sh("echo old >file; ln -s $PWD/file link; ln -s nowhere dangling; mkdir folder")
    far.good("edit", "FAR/link", env=edit)
    assert far.sh("readlink link; cat file") == f"{far.folder}/file\nnew\n"
    (here / "editor").write_text("#!/bin/sh\n[ ! -L $1 ] && echo made >$1\n")
    (here / "editor").chmod(0o755)
    far.good("edit", "FAR/dangling", env={**edit, "VISUAL": str(here / "editor")})
    assert far.sh("readlink dangling; cat nowhere") == "nowhere\nmade\n"
    done = far("edit", "FAR/folder", env=edit)
    assert (done.code, done.err) == (
        1,
        f"qga: {far.name}:{far.folder}/folder: is a folder, not a file\n",
    )


@pytest.mark.slow
def test_a_mode_and_an_owner_of_a_copy(far: Far, here: Path) -> None:
    (here / "f").write_text("f")
    (here / "f").chmod(0o644)
    look = "stat -c '%a %u:%g' "
    far.good("cp", "--mode", "600", "--owner", "nobody:1", str(here / "f"), "FAR/new")
    assert far.sh(look + "new") == "600 65534:1\n"
    far.good("cp", "--mode", "4755", str(here / "f"), "FAR/new")  # the owner stays
    assert far.sh(look + "new") == "4755 65534:1\n"
    far.good("cp", "--owner", "2", str(here / "f"), "FAR/new")
    # The mode stays, but for the bit that was set for another owner.
    assert far.sh(look + "new").split()[0] == "755"
    assert far.sh(look + "new").split()[1].split(":")[0] == "2"
    far.good("cp", "--mode", "0640", "--owner", "3:4", "FAR/new", str(here / "back"))
    found = (here / "back").stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o640, 3, 4)
    far.good("cp", "--mode", "600", str(here / "f"), str(here / "back"), "FAR")
    assert far.sh("stat -c %a f back") == "600\n600\n"
    far.good("cp", "--mode", "600", "-", "FAR/stdin", stdin=b"x")
    assert far.sh("stat -c %a stdin") == "600\n"
    assert far("cp", "--owner", "nosuchuser", str(here / "f"), "FAR/bad").code == 1
    assert far("cp", "--owner", "nosuchuser", "FAR/f", str(here / "bad")).code == 2
    assert far.sh("ls -A").split() == ["back", "f", "new", "stdin"]
    assert sorted(os.listdir(here)) == ["back", "f"]
    for words in (
        ("--mode", "u+x", str(here / "f"), "FAR"),
        ("--mode", "77777", str(here / "f"), "FAR"),
        ("--owner", "", str(here / "f"), "FAR"),
        ("--owner", "-x", str(here / "f"), "FAR"),
        ("--mode", "600", str(here), "FAR"),
        ("--mode", "600", "FAR/f", "-"),
    ):
        assert far("cp", *words).code == 2, words
