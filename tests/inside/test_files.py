"""The scripts of `inside/files`."""

import hashlib
import io
import os
import signal
import subprocess
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from qga_cli.inside import script
from tests.inside.conftest import SHELLS, Run
from tests.kit.running import GUARD, eventually


def test_a_folder_is_listed_with_odd_names(sh: Run, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "two\nlines").write_text("12345")
    (folder / ".hidden").touch()
    (folder / "link").symlink_to("to where")
    done = sh("files/list", str(folder), "")
    assert (done.returncode, done.stderr) == (0, b"")
    records = sorted(record.split(b"/", 5)[3:] for record in done.stdout.split(b"\0")[:-1])
    names = [(size, rest.partition(b"//")) for size, _, rest in records]
    assert [(size, name, target) for size, (name, _, target) in names] == [
        (b"5", b"two\nlines", b""),
        (b"8", b"link", b"to where"),
    ]
    assert len(sh("files/list", str(folder), "1").stdout.split(b"\0")) == 4


def test_a_file_is_listed_alone_and_a_missing_one_is_named(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert sh("files/list", f"{tmp_path}/file", "").stdout.count(b"\0") == 1
    done = sh("files/list", f"{tmp_path}/nothing", "")
    assert done.returncode == 1
    assert b"No such file or directory" in done.stderr


def test_a_file_that_has_become_a_link_has_no_digest(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root's")
    (tmp_path / "file").symlink_to("secret")
    done = sh("files/digest", f"{tmp_path}/file", "4", "1")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"/file: was replaced while it was read\n")
    for path, plain in (("file", ""), ("secret", "1")):
        done = sh("files/digest", f"{tmp_path}/{path}", "4", plain)
        assert done.stdout[:128].decode() == hashlib.sha512(b"root").hexdigest()


def _hold(sh: Run, folder: Path, tick: str) -> str:
    """A process that holds a part, and looks every `tick` seconds whether the host lives."""
    (folder / "part").touch()
    done = sh(
        "files/enter",
        around=lambda text: f"sleep() {{ command sleep {tick}; }}\n{text}exec 8<. 9<>part; hold",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().strip()


def test_who_holds_a_copy_is_not_ended_with_all_that_sleep(sh: Run, tmp_path: Path) -> None:
    """`pkill -x sleep` in the guest ended it, and the copy; so did `pkill -x sh`."""
    holder = _hold(sh, tmp_path, "30")
    process = Path("/proc") / holder.partition(".")[0]
    assert (process / "comm").read_text() == "qga\n"
    seen: set[int] = set()
    for _ in range(4):  # and it did not count as silence of the host's
        assert eventually(lambda: bool(set(_below(process)) - seen))
        for pid in set(_below(process)) - seen:
            seen.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    time.sleep(0.3)
    assert process.exists()
    assert sh("files/enter+files/drop", holder, str(tmp_path), "").returncode == 0
    assert eventually(lambda: not process.exists())


def _below(process: Path) -> list[int]:
    """The pids of what it has started, and of what that has."""
    try:
        children = (process / "task" / process.name / "children").read_text()
    except OSError:
        return []
    found = [int(pid) for pid in children.split()]
    return found + [pid for one in found for pid in _below(Path("/proc") / str(one))]


@pytest.mark.slow
def test_what_holds_a_copy_ends_when_the_host_is_silent(sh: Run, tmp_path: Path) -> None:
    holder = _hold(sh, tmp_path, "1")
    process = Path("/proc") / holder.partition(".")[0]
    assert os.path.samefile(process / "fd" / "9", tmp_path / "part")
    until = time.monotonic() + 6  # twice its patience
    while time.monotonic() < until:
        assert sh("files/enter+files/beat", holder).returncode == 0
        time.sleep(0.3)
    assert process.exists()
    assert eventually(lambda: not process.exists())
    assert b"has ended" in sh("files/enter+files/beat", holder).stderr


@pytest.mark.slow
def test_what_holds_a_copy_is_ended_with_it(sh: Run, tmp_path: Path) -> None:
    holder = _hold(sh, tmp_path, "30")
    process = Path("/proc") / holder.partition(".")[0]
    assert sh("files/enter+files/drop", holder, str(tmp_path), "part").returncode == 0
    assert eventually(lambda: not process.exists())
    assert not (tmp_path / "part").exists()


def test_what_holds_a_copy_is_found_though_nobody_knows_its_number(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "part").touch()
    mark = f"qga-{os.urandom(8).hex()}"
    begin = f"LC_ALL=C; export LC_ALL\nset --\n# {mark}\n"  # as for a name that is no text
    done = sh("files/enter", around=lambda text: f"{begin}{text}exec 8<. 9<>part; hold")
    process = Path("/proc") / done.stdout.decode().partition(".")[0]
    assert sh("files/orphan", f"{mark}0").returncode == 9
    assert process.exists()
    assert sh("files/orphan", mark).returncode == 0
    assert eventually(lambda: not process.exists())


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_what_a_script_has_started_ends_with_it(shell: list[str], sh: Run, tmp_path: Path) -> None:
    mark = f"qga-{os.urandom(8).hex()}"
    text = f"LC_ALL=C; export LC_ALL\n# {mark}\nsum=$(echo >begun; head -c 9 | cat); echo more"
    with subprocess.Popen(
        [*shell, "-c", text], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert eventually(lambda: len(_below(Path("/proc") / str(process.pid))) >= 2)
        started = [Path("/proc") / str(pid) for pid in _below(Path("/proc") / str(process.pid))]
        assert sh("files/orphan", mark).returncode == 0
        assert process.stdout.read() == b""  # all have closed it
        assert process.wait(GUARD) == -signal.SIGTERM
        assert eventually(lambda: not any(_runs(one) for one in started))


def _runs(process: Path) -> bool:
    try:
        return bool((process / "cmdline").read_bytes())
    except OSError:
        return False


@pytest.mark.slow
def test_another_process_of_that_number_holds_nothing(sh: Run, tmp_path: Path) -> None:
    holder = _hold(sh, tmp_path, "30")
    process = Path("/proc") / holder.partition(".")[0]
    other = holder + "1"  # began at another time
    for names in ("files/enter+files/held", "files/enter+files/staged", "files/enter+files/beat"):
        done = sh(names, other, str(tmp_path), "part", "final")
        assert done.returncode == 1
        assert b"has ended" in done.stderr
    sh("files/enter+files/drop", other, str(tmp_path), "")
    assert process.exists()
    sh("files/enter+files/drop", holder, str(tmp_path), "")
    assert eventually(lambda: not process.exists())


@pytest.mark.root
@pytest.mark.parametrize("tools", ["busybox's", "GNU's"])
def test_a_tree_that_is_exchanged_while_tar_reads_brings_nothing_of_roots(
    tools: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """busybox's tar opens each file by its path: a folder that became a link led it to root's."""
    root, folder = tmp_path / "root", tmp_path / "his"
    for place, text in ((root, b"SECRET"), (folder / "sub", b"his")):
        place.mkdir(parents=True)
        for number in range(20):
            (place / f"{number}").write_bytes(text if number % 2 else bytes(1_000_000))
    for path in (folder, folder / "sub", *(folder / "sub").iterdir()):
        os.chown(path, 65534, 65534)
    shell, environment = ["dash"], dict(os.environ)
    if tools == "busybox's":
        applets = request.getfixturevalue("applets")
        shell, environment["PATH"] = [f"{applets}/busybox", "sh"], applets
    packed = script("files/needs") + script("files/pack")
    with subprocess.Popen(
        [*shell, "-c", packed, "qga", str(folder), ".", "", ""],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as packing:  # fmt: skip
        assert packing.stdout
        assert packing.stderr
        came = packing.stdout.read(300_000)  # the rest waits for room in the pipes
        os.rename(folder / "sub", folder / "aside")
        (folder / "sub").symlink_to(root)
        came += packing.stdout.read()
        said = packing.stderr.read()
    assert b"SECRET" not in came
    if tools == "busybox's":
        assert packing.returncode == 1
        assert b"others can write" in said


def test_a_tree_of_roots_alone_is_packed_by_any_tar(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True, mode=0o755)
    (tmp_path / "tree" / "sub" / "file").write_text("text")
    (tmp_path / "tree" / "link").symlink_to("sub")
    for name, follow in ((".", ""), ("./sub", ""), (".", "-h")):
        done = sh("files/needs+files/pack", str(tmp_path / "tree"), name, follow, "")
        assert done.returncode == 0, done.stderr
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
            assert any(member.name.endswith("sub/file") for member in packed)
    (tmp_path / "tree" / "sub").chmod(0o777)
    done = sh("files/needs+files/pack", str(tmp_path / "tree"), ".", "-h", "")
    assert done.returncode == 0  # with links followed it goes wherever they lead


@pytest.mark.parametrize("large", ["", "1"])
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("error syncing '/proc/self/fd/9': Input/output error", 1),
        ("error syncing '/proc/self/fd/9': No space left on device", 1),
        ("Max 0 arguments", 0),
        ("invalid option -- '-'", 0),
    ],
)
def test_a_copy_that_the_disk_does_not_take_is_none(
    sh: Run, tmp_path: Path, said: str, code: int, large: str
) -> None:
    """An error of fsync was passed over: sync(2), which has none, was done in its place."""
    data = b"some text"
    digest = hashlib.sha512(data).hexdigest()
    target = tmp_path / "file"
    target.write_bytes(b"old")
    fails = f'sync() {{ [ $# = 0 ] || {{ echo "sync: {said}" >&2; return 1; }}; }}\n'
    done = sh(
        "+".join(f"files/{name}" for name in ("enter", "part", "told", "small", "prove")),
        *(str(target), "", "", "", "", "", "644", large),
        stdin=b"part\n" + digest.encode() + b"\n\n" + data,
        around=lambda text: fails + text,
    )
    assert done.returncode == code
    assert (said.encode() in done.stderr) == bool(code)
    assert target.read_bytes() == (b"old" if code else data)
    assert list(tmp_path.iterdir()) == [target]
