"""`--resume` into a guest that takes long to look at what an earlier copy has left."""

import os
import signal

import pytest

from qga_cli.files.copy_file.sources import HostFile
from qga_cli.files.copy_file.to_guest import GuestTarget
from qga_cli.files.copy_file.transfer import CopyOptions, transfer
from qga_cli.files.guest import holder
from qga_cli.guests.place import Place
from qga_cli.inside import script
from tests.kit.command import qga
from tests.kit.running import Started, eventually
from tests.kit.slow import DATA, PART, Slow


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
    options = CopyOptions(resume=True)
    slow.delay(8)  # seconds, where 4 of silence are the end
    with slow.access() as access:
        goal = GuestTarget(access, Place("vm", f"{slow.there}/data"), "data", options)
        transfer(HostFile(str(slow.source)), goal, options, lambda: None, lambda count: None)
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
    assert (code, err) == (-signal.SIGINT, "qga: interrupted\n")
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
