"""Copies into a folder of another user of the guest, who renames and links at every step.

A real agent runs here as root, and each program that a script of ours starts is preceded by one act
of that user: so the act comes at every moment in turn, and not by luck.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command import Ran, qga
from tests.lab.local_agent import agent as run_local_agent

USER = 65534
PROGRAMS = (
    "cat chmod chown cp dd df find gzip head id kill ln ls mkdir mkfifo mv readlink rm rmdir"
    " sha512sum sleep stat sync tail tar tee touch"
).split()
pytestmark = [pytest.mark.root, pytest.mark.slow]

# What the user does before the program of this number: whatever of ours is in the folder gets
# another name, and a link to what is root's gets its old one.
SWAP = r"""
cd "$1" || exit
for part in .*qga-part* site/.*qga-part* site/sub; do
  [ -e "$part" ] && [ ! -L "$part" ] || continue
  mv "$part" "$part.$$"
  if [ -d "$part.$$" ]; then ln -s "$2/folder" "$part"; else ln -s "$2/file" "$part"; fi
done
"""


class Bench:
    """A folder of the user's, one of root's, and a guest between whose programs the user acts."""

    def __init__(self, folder: Path, uri: str, *, interferes: bool) -> None:
        self.interferes = interferes
        self.home = folder / "home"
        self.root = folder / "root"
        self.source = folder / "source"
        self._counter = folder / "counter"
        self._moment = folder / "moment"
        self._uri = uri
        self._folder = folder

    def ready(self, moment: int) -> None:
        """All as at the beginning; the user will act before that program."""
        for path in (self.home, self.root, self.source):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        self._counter.write_text("0")
        self._moment.write_text(str(moment))
        (self.root / "file").write_text("root's")
        (self.root / "file").chmod(0o600)
        (self.root / "folder").mkdir()
        (self.root / "folder" / "kept").write_text("root's")
        (self.source / "app.conf").write_text("new")
        (self.source / "large").write_bytes(os.urandom(200_000))
        (self.source / "site").mkdir()
        (self.source / "site" / "sub").mkdir()
        (self.source / "site" / "sub" / "page").write_text("page")
        (self.source / "site" / "kept").write_text("changed")
        (self.source / "link").symlink_to("nowhere")
        for name in ("app.conf", "large"):
            (self.home / name).write_text("old")
        for path in (self.home, *self.home.iterdir()):
            os.chown(path, USER, USER)

    def site(self) -> None:
        """The user has a folder of that name already."""
        for path in (self.home / "site", self.home / "site" / "sub"):
            path.mkdir()
            os.chown(path, USER, USER)

    def left(self) -> None:
        """Earlier copies have left a part, and one that was looked at."""
        looked = self.home / ".old.0123456789abcdef.qga-part"
        looked.mkdir(mode=0o700)
        for folder, count in ((self.home, 100_000), (looked, 120_000)):
            part = folder / f".large.{count:016}.qga-part"
            part.write_bytes((self.source / "large").read_bytes()[:count])
            part.chmod(0o600)

    def __call__(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
        words = tuple(
            word.replace("HOME", f"vm:{self.home}").replace("SOURCE", str(self.source))
            for word in words
        )
        return qga("-c", self._uri, *words, stdin=stdin, env=env)

    def told(self) -> list[tuple[str, int, int, int, bytes]]:
        """What is root's, with modes and owners."""
        found = []
        for path in sorted(self.root.rglob("*")):
            facts = path.lstat()
            data = path.read_bytes() if path.is_file() else b""
            found.append((path.name, facts.st_mode, facts.st_uid, facts.st_nlink, data))
        return found

    @property
    def count(self) -> int:
        """How many programs were run."""
        return int(self._counter.read_text())


# The shell, and the tools. busybox's shell starts its own without looking for them, so nobody
# can act before them there: it is seen to do the work, as bash is, and its tools are attacked
# below dash.
SHELLS = ["dash", "dash, busybox", "bash --posix", "busybox sh"]


@pytest.fixture(scope="module", params=SHELLS)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A guest with each of the shells and tools."""
    shell, _, others = request.param.partition(", ")
    folder = Path("/var/tmp") / f"qga-attacked-{os.getpid()}"
    folder.mkdir(mode=0o755)
    tools = folder / "bin"
    tools.mkdir()
    (folder / "swap").write_text(SWAP)
    (tools / "sh").write_text(f'#!/bin/dash\nexec {shell} "$@"\n')
    for program in PROGRAMS:
        real = shutil.which(program)
        assert real
        if others:
            real = f"{others} {program}"
        (tools / program).write_text(
            "#!/bin/dash\n"
            f"read -r count <{folder}/counter; count=$((count + 1))\n"
            f"echo $count >{folder}/counter\n"
            f"read -r moment <{folder}/moment\n"
            f'[ "$count" != "$moment" ] || setpriv --reuid {USER} --regid {USER} --clear-groups '
            f"dash {folder}/swap {folder}/home {folder}/root 2>/dev/null\n"
            f'exec {real} "$@"\n'
        )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}:{path}"
    try:
        with run_local_agent(tmp_path_factory.mktemp("attacked"), "attacked") as agent:
            os.environ["PATH"] = path
            yield Bench(folder, f"unix:{agent.socket}", interferes=shell == "dash")
    finally:
        os.environ["PATH"] = path
        shutil.rmtree(folder)


COMMANDS = {
    "a file": ("cp", "SOURCE/app.conf", "HOME/app.conf"),
    "a new file": ("cp", "SOURCE/app.conf", "HOME/new"),
    "a large file": ("cp", "SOURCE/large", "HOME/large"),
    "a large file packed": ("cp", "--compress", "gzip", "SOURCE/large", "HOME/large"),
    "a file with its owner": ("cp", "-p", "SOURCE/app.conf", "HOME/app.conf"),
    "a file in a folder": ("cp", "SOURCE/app.conf", "HOME/"),
    "a file resumed": ("cp", "--resume", "SOURCE/large", "HOME/large"),
    "a file gone on with": ("cp", "--resume", "SOURCE/large", "HOME/large"),
    "several files": ("cp", "SOURCE/app.conf", "SOURCE/large", "HOME/"),
    "a folder": ("cp", "-r", "SOURCE/site", "HOME/new"),
    "a folder over one": ("cp", "-r", "SOURCE/site", "HOME/"),
    "a folder resumed": ("cp", "-r", "--resume", "SOURCE/site", "HOME/"),
    "a link": ("cp", "SOURCE/link", "HOME/new"),
    "a link with its owner": ("cp", "-p", "SOURCE/link", "HOME/new"),
    "edit": ("edit", "HOME/app.conf"),
    "mkdir": ("mkdir", "-p", "HOME/site/sub/new/more"),
    "mv": ("mv", "HOME/app.conf", "HOME/site/sub/"),
    "rm": ("rm", "-r", "HOME/site"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_nothing_outside_changes_whatever_is_swapped(case: str, bench: Bench) -> None:
    editor = bench.home.parent / "editor"
    editor.write_text('#!/bin/sh\necho more >>"$1"\n')
    editor.chmod(0o755)
    moment, count = 0, 1
    while moment <= count:  # at 0 nobody interferes
        bench.ready(moment)
        if "over one" in case or case in ("mkdir", "mv", "rm"):
            bench.site()
        if "gone on" in case:
            bench.left()
        before = bench.told()
        env = {"VISUAL": str(editor), "TMPDIR": str(editor.parent)}  # what he spoils is kept there
        done = bench(*COMMANDS[case], env=env)
        assert bench.told() == before, (moment, done.err)
        assert done.code in (0, 1), done.err
        if moment == 0:
            assert done.code == 0, done.err
            assert "qga-part" not in " ".join(os.listdir(bench.home))
            count = bench.count if bench.interferes else 0
            assert count or not bench.interferes  # the bench sees what is started
        moment += 1


@pytest.mark.parametrize("words", [("app.conf",), ("large",), ("app.conf", "large")])
def test_a_file_that_is_replaced_in_tmp_hands_nothing_on(
    words: tuple[str, ...], bench: Bench
) -> None:
    """The user has put one there under that name, and would have been given what comes."""
    bench.ready(0)
    os.chown(bench.home, 0, 0)
    bench.home.chmod(0o1777)
    for name in words:
        (bench.home / name).chmod(0o666)
    sources = [f"SOURCE/{name}" for name in words]
    done = bench("cp", *sources, "HOME/" if len(words) > 1 else f"HOME/{words[0]}")
    assert done.code == 0, done.err
    for name in words:
        found = (bench.home / name).stat()
        assert (found.st_uid, found.st_mode & 0o022) == (0, 0)
        assert (bench.home / name).read_bytes() == (bench.source / name).read_bytes()


def test_a_file_that_is_replaced_in_another_folder_hands_on_what_it_has(bench: Bench) -> None:
    bench.ready(0)
    bench.home.chmod(0o1770)  # as crontabs' folder is: sticky, but not everybody's
    (bench.home / "app.conf").chmod(0o640)
    assert bench("cp", "SOURCE/app.conf", "HOME/app.conf").code == 0
    found = (bench.home / "app.conf").stat()
    assert (found.st_uid, found.st_mode & 0o7777) == (USER, 0o640)


@pytest.mark.parametrize("name", ["app.conf", "large"])
def test_a_set_user_id_bit_is_not_handed_on_to_another_owner(name: str, bench: Bench) -> None:
    """The user's own, on an empty file; with `--owner root` the copy was root's program for him."""
    for owner, mode in (("0:0", 0o755), (f"{USER}:{USER}", 0o755), ("", 0o4755)):
        bench.ready(0)
        (bench.home / name).chmod(0o4755)
        options = ["--owner", owner] if owner else []
        assert bench("cp", *options, f"SOURCE/{name}", f"HOME/{name}").code == 0
        assert (bench.home / name).stat().st_mode & 0o7777 == mode


def test_a_part_that_the_user_may_have_open_is_not_gone_on_with(bench: Bench) -> None:
    bench.ready(0)
    part = bench.home / ".large.0123456789abcdef.qga-part"
    part.write_bytes((bench.source / "large").read_bytes()[:100_000])
    part.chmod(0o644)
    with part.open("rb") as his:
        done = bench("cp", "--resume", "SOURCE/large", "HOME/large")
        assert done.code == 0, done.err
        assert len(his.read()) <= 100_000
    assert not part.exists()
