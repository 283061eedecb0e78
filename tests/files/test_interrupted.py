"""Copies that are cut off: never half a file under its name, and --resume completes them."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qga_cli.files.guest import holder
from qga_cli.guests.targets import Target
from tests.kit.command import Far
from tests.kit.fake import AgentFault
from tests.kit.fake_files import DATA, READ, FakeFiles, Start, copy
from tests.kit.running import GUARD, Started, eventually

PART = 5_000_000  # bytes: more than goes before the signal


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


# What holds a part in the guest: it ends with a copy that is killed, and not while one waits long
# for its input.
HELD = "for f in /proc/[0-9]*/fd/9; do readlink $f; done | grep -c FAR.*qga-part || :"


@pytest.mark.slow
@pytest.mark.parametrize("far", ["guest"], indirect=True)
def test_what_a_killed_copy_holds_is_let_go(far: Far, here: Path) -> None:
    def held() -> int:
        return int(far.sh(HELD.replace("FAR", far.folder)))

    words = [sys.executable, "-m", "qga_cli", "cp", "-"]
    killed, waiting = (
        subprocess.Popen([*words, f"{far.name}:{far.folder}/{name}"], stdin=subprocess.PIPE)
        for name in ("killed", "waiting")
    )
    assert waiting.stdin
    waiting.stdin.write(b"first ")
    waiting.stdin.flush()
    assert eventually(lambda: held() == 2)
    killed.kill()
    began = time.monotonic()
    killed.communicate()
    assert eventually(lambda: held() == 1, 10)
    time.sleep(max(0.0, began + 100 - time.monotonic()))  # it must wait, not only be alive
    waiting.communicate(b"last", timeout=GUARD)
    assert waiting.returncode == 0
    assert far.sh("cat waiting") == "first last"
    assert held() == 0


def test_what_outlives_us_finds_a_socket_that_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(holder, "Survivor", lambda module, words: told.extend(words))
    monkeypatch.chdir(tmp_path)
    for uri in ("unix:run/{vm}.sock", "unix:/run/x", "qemu:///system", None):
        target = Target(uri, "x", "x")
        transport = SimpleNamespace(audit=[])
        holder.Holder(cast("Any", SimpleNamespace(agent=SimpleNamespace(
            target=target, transport=transport))))  # fmt: skip
    assert told[::4] == [f"unix:{tmp_path}/run/{{vm}}.sock", "unix:/run/x", "qemu:///system", ""]


@pytest.mark.slow
def test_ctrl_c_keeps_what_has_come_and_tells(far: Far, here: Path) -> None:
    (here / "data").write_bytes(bytes(60_000_000))
    words = ["cp", str(here / "data"), f"{far.name}:{far.folder}/data"]
    copy = Started(*far.flags, *words)
    assert eventually(lambda: far.sh("find . -name '*.qga-part' -size +1000k"))
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert code == -signal.SIGINT
    assert "--resume" in err
    assert far.sh("ls -A | grep -c qga-part") == "1\n"


def test_an_agent_that_has_forgotten_its_handles_was_restarted(fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})
    reads: list[str] = []

    def forget(name: str, reply: Any) -> Any:
        reads.extend([name] * (name == READ))
        if len(reads) == 3:  # one measures the file, one brings a megabyte
            raise AgentFault("handle '1001' has not been found")
        return reply

    files.twist = forget
    agent = fake(files)
    done = copy(agent, "vm:/data", str(here))
    assert done.code == 5
    assert "the agent was restarted" in done.err
    assert "--resume" in done.err
    files.twist = lambda name, reply: reply
    assert copy(agent, "--resume", "vm:/data", str(here)).code == 0
    assert (here / "data").read_bytes() == DATA
    assert os.listdir(here) == ["data"]


def test_an_interrupted_push_is_completed_by_resume(fake: Start, here: Path) -> None:
    files = FakeFiles({"/copy": DATA[:1_000_000]})
    written: list[int] = []

    def count(name: str, reply: Any) -> Any:
        if name == "guest-file-write":
            written.append(reply["count"])
        return reply

    files.twist = count
    (here / "data").write_bytes(DATA)
    agent = fake(files)
    done = copy(agent, "--resume", str(here / "data"), "vm:/copy")
    assert done.code == 0, done.err
    assert files.files["/copy"] == DATA
    assert sum(written) == len(DATA) - 1_000_000
    files.files["/copy"] = bytearray(b"x" + DATA[1:1_000_000])
    written.clear()
    assert copy(agent, "--resume", str(here / "data"), "vm:/copy").code == 0
    assert files.files["/copy"] == DATA
    assert sum(written) == len(DATA)


def test_an_interrupted_pull_is_completed_by_resume(fake: Start, here: Path) -> None:
    files = FakeFiles({"/data": DATA})
    good = here / (".data." + "0" * 16 + ".qga-part")
    good.write_bytes(DATA[:1_000_000])
    bad = here / (".data." + "1" * 16 + ".qga-part")
    bad.write_bytes(b"x" * 2_000_000)
    trap = here / (".data." + "2" * 16 + ".qga-part")
    trap.symlink_to(here.parent / "victim")
    done = copy(fake(files), "--resume", "--no-verify", "vm:/data", str(here))
    assert done.code == 0, done.err
    assert (here / "data").read_bytes() == DATA
    assert sorted(os.listdir(here)) == [trap.name, "data"]
    assert not (here.parent / "victim").exists()


def test_what_a_killed_copy_left_running_writes_no_more(near: Far, here: Path) -> None:
    data = os.urandom(300_000)
    (here / "data").write_bytes(data)
    part = Path(near.folder) / ".data.0123456789abcdef.qga-part"
    part.write_bytes(data[:100_000])
    with open(part, "ab") as appending:
        left = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=appending)
    assert left.stdin
    try:
        near.good("cp", "--resume", str(here / "data"), "FAR")
        assert left.wait(GUARD) == -signal.SIGKILL
        assert (Path(near.folder) / "data").read_bytes() == data
        assert not part.exists()
    finally:
        left.stdin.close()
        left.kill()
        left.wait()


def test_ctrl_c_in_a_folder_promises_no_rest_of_a_file(near: Far, here: Path) -> None:
    """A file with holes goes by itself, and what has come of it goes with its folder."""
    (here / "tree").mkdir()
    (here / "tree" / "holes").write_bytes(os.urandom(2**20))
    os.truncate(here / "tree" / "holes", 4 * 2**30)
    copy = Started(*near.flags, "cp", str(here / "tree"), f"vm:{near.folder}/tree")
    parts = Path(near.folder).glob
    assert eventually(lambda: any(one.stat().st_size for one in parts(".*/tree/.holes.*")), 30)
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert (code, err) == (-signal.SIGINT, "qga: interrupted\n")
    assert eventually(lambda: os.listdir(near.folder) == [])
