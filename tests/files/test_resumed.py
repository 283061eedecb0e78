"""`--resume` into a guest that takes long to look at what an earlier copy has left."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli.files.copy_file.sources import HostFile
from qga_cli.files.copy_file.to_guest import GuestTarget
from qga_cli.files.copy_file.transfer import CopyOptions, transfer
from qga_cli.files.guest import holder
from qga_cli.files.guest.access import Access
from qga_cli.files.guest.patient_agent import PatientAgent
from qga_cli.guests.place import Place
from qga_cli.guests.targets import Target
from qga_cli.inside import script
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.kit.command import qga
from tests.kit.running import Started, eventually
from tests.lab.local_agent import agent as run_local_agent

DATA = os.urandom(300_000)
PART = ".data.0123456789abcdef.qga-part"


class Slow:
    """A guest whose sha512sum takes long, the first time that it is started after `delay`."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.uri = uri
        self.tools = folder / "bin"
        self.there = folder / "there"
        self.source = folder / "data"

    def ready(self, begun: int = 100_000) -> Path:
        """A file to copy, and what an earlier copy has left of it; that one's path."""
        shutil.rmtree(self.there, ignore_errors=True)
        self.there.mkdir()
        self.source.write_bytes(DATA)
        part = self.there / PART
        part.write_bytes(DATA[:begun])
        part.chmod(0o600)
        return part

    def delay(self, seconds: int) -> None:
        (self.tools / "seconds").write_text(str(seconds))

    @property
    def asleep(self) -> list[int]:
        """The processes that make it slow, as long as they run."""
        return [int(pid) for pid in re.findall(r"\d+", self._read("pids")) if self._runs(pid)]

    def _read(self, name: str) -> str:
        path = self.tools / name
        return path.read_text() if path.exists() else ""

    def _runs(self, pid: str) -> bool:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")
        except OSError:
            return False


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    folder = tmp_path_factory.mktemp("slow")
    tools = folder / "bin"
    tools.mkdir()
    program = tools / "sha512sum"
    program.write_text(
        f"#!/bin/sh\nif mv {tools}/seconds {tools}/taken 2>/dev/null; then\n"
        f"  read -r seconds <{tools}/taken\n  sleep $seconds & echo $! >>{tools}/pids; wait\nfi\n"
        f'exec {shutil.which("sha512sum")} "$@"\n'
    )
    program.chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}:{path}"
    try:
        with run_local_agent(folder, "slow") as agent:
            os.environ["PATH"] = path
            yield Slow(folder, f"unix:{agent.socket}")
    finally:
        os.environ["PATH"] = path


@pytest.mark.slow
def test_a_part_that_takes_longer_to_digest_than_silence_may_last_is_gone_on_with(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = script("files/enter").replace("sleep 15", "sleep 1")
    assert hurried != script("files/enter")
    monkeypatch.setattr(
        holder, "script", lambda name: hurried if name == "files/enter" else script(name)
    )
    monkeypatch.setattr(holder, "_BEAT", 0.3)
    part = slow.ready()
    inode = part.stat().st_ino
    agent = PatientAgent(connect(slow.uri).open("vm"), "vm")
    agent.target = Target(slow.uri, "vm", "vm")
    options = CopyOptions(resume=True)
    slow.delay(8)  # seconds, where 4 of silence are the end
    try:
        goal = GuestTarget(
            Access(agent, Interrupt()), Place("vm", f"{slow.there}/data"), "data", options
        )
        transfer(HostFile(str(slow.source)), goal, options, lambda: None, lambda count: None)
    finally:
        agent.transport.close()
    assert (slow.there / "data").read_bytes() == DATA
    assert (slow.there / "data").stat().st_ino == inode
    assert os.listdir(slow.there) == ["data"]


def test_a_part_that_is_looked_at_gets_its_place_back_when_the_copy_is_ended(slow: Slow) -> None:
    part = slow.ready()
    inode = part.stat().st_ino
    words = ["-c", slow.uri, "cp", "--resume", str(slow.source), f"vm:{slow.there}/data"]
    slow.delay(600)
    copy = Started(*words)
    assert eventually(lambda: slow.asleep)
    assert not part.exists()
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert (code, err) == (130, "qga: interrupted\n")
    assert eventually(lambda: not slow.asleep)
    assert os.listdir(slow.there) == [PART]
    assert qga(*words).code == 0
    assert (slow.there / "data").read_bytes() == DATA
    assert (slow.there / "data").stat().st_ino == inode
    assert os.listdir(slow.there) == ["data"]


def test_a_part_that_was_looked_at_when_the_guest_died_is_gone_on_with(slow: Slow) -> None:
    part = slow.ready()
    inode = part.stat().st_ino
    looked = slow.there / ".old.0123456789abcdef.qga-part"
    looked.mkdir(mode=0o700)
    part.rename(looked / part.name)
    done = qga("-c", slow.uri, "cp", "--resume", str(slow.source), f"vm:{slow.there}/data")
    assert (done.code, done.err) == (0, "")
    assert (slow.there / "data").stat().st_ino == inode
    assert os.listdir(slow.there) == ["data"]


def test_a_folder_called_old_takes_no_part_away(slow: Slow) -> None:
    part = slow.ready()
    looked = slow.there / ".old.0123456789abcdef.qga-part"
    looked.mkdir(mode=0o700)
    part.rename(looked / part.name)
    (slow.source.parent / "old").mkdir(exist_ok=True)
    qga("-c", slow.uri, "cp", "--resume", f"{slow.source.parent}/old", f"vm:{slow.there}/old")
    assert sorted(os.listdir(slow.there)) == [looked.name, "old"]
    assert os.listdir(looked) == [part.name]
