"""What a contributor types: `make clean` leaves nothing that was made."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests import REPO
from tests.lab import LabError, cache, guest, hypervisor
from tests.lab.process import is_over, run


def test_the_readme_has_the_two_commands_that_a_stranger_types() -> None:
    lines = [line.split("#")[0].strip() for line in (REPO / "README.md").read_text().splitlines()]
    demo, test = lines.index("make demo"), lines.index("make test")
    assert demo < test  # what it is for, before how it is checked
    assert (REPO / ".ci" / "run").read_text().rstrip().endswith(lines[test])


def test_make_clean_removes_all_that_git_ignores(tmp_path: Path) -> None:
    shutil.copy(REPO / "Makefile", tmp_path)
    for pattern in (REPO / ".gitignore").read_text().split():
        made = tmp_path / pattern.replace("*", "some").rstrip("/")
        made.mkdir()
        (made / "file").touch()
    (tmp_path / "qga_cli" / "__pycache__").mkdir(parents=True)
    (tmp_path / "qga_cli" / "kept.py").touch()
    subprocess.run(["make", "-C", tmp_path, "clean", "LAB=true"], check=True, capture_output=True)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"Makefile", "qga_cli", "qga_cli/kept.py"}


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A process that the lab has noted as a daemon of its own."""
    monkeypatch.setenv("QGA_LAB_CACHE", str(tmp_path / "cache"))
    # Nobody asks a real daemon here: which guests run under it is not this test's subject.
    monkeypatch.setattr(hypervisor, "_resolved", lambda: None)
    note = cache.folder("daemons") / "libvirtd"
    script = 'echo $$ >"$0"; exec sleep 971 >/dev/null 2>&1'
    run("setsid", "--fork", "sh", "-c", script, str(note))
    end = time.monotonic() + 10
    while not (note.exists() and note.read_text().endswith("\n")):
        assert time.monotonic() < end
        time.sleep(0.01)
    pid = int(note.read_text())
    hypervisor._note(note, pid)
    return pid


def test_purge_ends_the_daemon_it_started(daemon: int, tmp_path: Path) -> None:
    guest.purge()
    assert hypervisor._birth(daemon) == "" or is_over(daemon)
    assert not (tmp_path / "cache").exists()


def test_purge_leaves_a_process_that_only_has_the_number(daemon: int) -> None:
    note = cache.folder("daemons") / "libvirtd"
    note.write_text(f"{daemon} 1\n")
    guest.purge()
    assert not is_over(daemon)
    os.kill(daemon, 9)


def test_purge_leaves_daemons_that_others_need(
    daemon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypervisor, "_resolved", lambda: "qemu:///session")
    monkeypatch.setattr(hypervisor, "virsh", lambda *words: "somebodys-guest\n")
    hypervisor.stop_daemons()
    assert not is_over(daemon)
    os.kill(daemon, 9)


def test_a_daemon_that_does_not_end_is_told(daemon: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.kill(daemon, 19)  # SIGSTOP: SIGTERM waits
    clock = iter([0.0, 100.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(LabError, match="does not end"):
        hypervisor._end("libvirtd", daemon)
    os.kill(daemon, 9)


def test_a_program_that_complains_on_stdout_is_heard() -> None:
    with pytest.raises(LabError, match="ended with 3: no such script"):
        run("sh", "-c", "echo no such script; exit 3")
