"""What qga keeps on this host between runs, where another user could have put something there."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli import private
from qga_cli.channel import memory
from qga_cli.errors import FileError
from qga_cli.network import known_hosts
from qga_cli.windows.ledger import Ledger

UID = 65534
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDJ0dHBzOi8vZXhhbXBsZS5vcmcvMDEyMzQ1Njc4\n"

pytestmark = pytest.mark.root


def within(seconds: float, work: Callable[[], object]) -> object:
    """What `work` returns; it must not wait for ever."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, "it hangs"
    return found[0]


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of another user's, which root works with, as under `sudo -E`."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "qga").mkdir(mode=0o755)
    for path in (home, home / "qga"):
        os.chown(path, UID, UID)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home


def test_what_is_known_of_ports_is_not_read_from_another(theirs: Path) -> None:
    note = theirs / "qga" / "no-channel.boot"
    note.write_text("a line of his")
    os.chown(note, UID, UID)
    assert memory.forbids("boot") == ""
    note.unlink()
    os.mkfifo(note)
    assert within(5, lambda: memory.forbids("boot")) == ""
    memory.note("boot", "why")
    assert stat.S_ISFIFO(note.stat().st_mode)


def test_what_is_known_of_ports_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory.note("boot/1", "why")
    assert memory.forbids("boot/1") == "why"
    assert memory.forbids("boot/2") == ""
    (kept,) = (tmp_path / "cache" / "qga").iterdir()
    os.utime(kept, (0, 0))
    assert memory.forbids("boot/1") == ""


def test_ports_that_a_guest_has_just_closed_are_known_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    now = 1000.0006  # which, rounded, is later than now
    monkeypatch.setattr("time.monotonic", lambda: now)
    assert memory.closed_lately() == set()
    memory.note_closed(["port.1"])
    memory.note_closed(["port.2", "port.3"])
    assert memory.closed_lately() == {"port.1", "port.2", "port.3"}
    now += 1.4
    assert memory.closed_lately() == {"port.1", "port.2", "port.3"}
    now += 0.2
    assert memory.closed_lately() == set()
    now = 0.0  # the host was started anew
    assert memory.closed_lately() == set()
    for number in range(2000):
        memory.note_closed([f"org.qga-cli.port.{number:016x}"])
    assert (tmp_path / "qga" / "closed-ports").stat().st_size < 20_000
    assert f"org.qga-cli.port.{1999:016x}" in memory.closed_lately()


def test_ports_that_another_user_calls_closed_are_not(theirs: Path) -> None:
    note = theirs / "qga" / "closed-ports"
    note.write_text(f"port.1 {time.monotonic()}\n")
    os.chown(note, UID, UID)
    assert memory.closed_lately() == set()
    memory.note_closed(["port.2"])
    assert note.read_text().count("\n") == 1


@pytest.mark.parametrize("name", ["known_hosts.lock", "known_hosts.new", "known_hosts"])
def test_host_keys_are_not_written_through_anothers_link(theirs: Path, name: str) -> None:
    """A file of root's was emptied, or got the keys."""
    shadow = theirs.parent / "shadow"
    shadow.write_text("root's")
    (theirs / "qga" / name).symlink_to(shadow)
    with pytest.raises(FileError, match="another user"):
        known_hosts.remember("web1", KEY)
    assert shadow.read_text() == "root's"


def test_host_keys_are_kept_in_a_folder_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "local" / "state"))
    for guest in ("web1", "WÄB2", "web1"):
        known_hosts.remember(guest, KEY)
    lines = Path(known_hosts.path()).read_text("utf-8").splitlines()
    assert sorted(line.partition(" ")[0] for line in lines) == ["web1.qga", "wÄb2.qga"]
    for name in ("web1.qga", "wÄb2.qga"):
        look = ["ssh-keygen", "-F", name, "-f", known_hosts.path()]
        assert subprocess.run(look, stdout=subprocess.DEVNULL).returncode == 0


def test_a_ledger_of_anothers_names_nothing_to_remove(theirs: Path) -> None:
    """What it names is removed in the guest; a FIFO held the run for ever."""
    told: list[str] = []
    agent: Any = SimpleNamespace(
        transport=SimpleNamespace(identity=lambda: ("host", "guest")),
        trace=lambda level, text: told.append(text),
    )
    (theirs / "qga" / "windows").mkdir()
    os.chown(theirs / "qga" / "windows", UID, UID)
    Ledger(agent).close(keep=False)
    for folder in (theirs / "qga" / "windows").iterdir():
        (folder / "1-left").write_text("file C:\\Users\\all of it\n")
        os.mkfifo(folder / "2-left")
    ledger = Ledger(agent)
    left = within(5, lambda: [found.files for _, found in ledger.left()])
    ledger.close(keep=False)
    assert left == []
    assert "another user" in told[-1]


@pytest.mark.parametrize("variables", [{}, {"XDG_STATE_HOME": "state"}])
def test_without_a_home_nothing_is_kept_where_we_happen_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """A user whom no database knows, as in a container: a folder named ~ was made."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    with pytest.raises(OSError, match="no home"):
        private.open_folder(private.base("XDG_STATE_HOME", ".local/state"), "qga", make=True)
    assert os.listdir(tmp_path) == []


def test_a_ledger_of_a_guest_whose_socket_is_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    where = os.fsdecode(b"/run/\xff.sock")
    agent: Any = SimpleNamespace(
        transport=SimpleNamespace(identity=lambda: (where, "")), trace=lambda level, text: None
    )
    Ledger(agent).close(keep=False)
    assert len(list((tmp_path / "qga" / "windows").iterdir())) == 1
