"""What `--resume` goes on with in a guest."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.inside.conftest import Run
from tests.kit.running import eventually

OLD = "0123456789abcdef"
NEW = b"fedcba9876543210.qga-part\n"
# What has a part open, and says so as a copy does that is under way, or says nothing any more.
HAS = {
    "writes": "exec 9>>{part}; while sleep 0.1; do echo more >&9; done",
    "is silent": "exec 9>>{part}; read line",
}


@pytest.mark.parametrize("has", HAS)
def test_a_part_in_a_guest_is_a_leftover_if_nobody_writes_it(
    has: str, sh: Run, tmp_path: Path
) -> None:
    part = tmp_path / f".data.{OLD}.qga-part"
    part.write_bytes(b"begun")
    part.chmod(0o600)
    other = subprocess.Popen(["sh", "-c", HAS[has].format(part=part)], stdin=subprocess.PIPE)
    link = Path(f"/proc/{other.pid}/fd/9")
    assert eventually(lambda: link.exists() and os.readlink(link) == str(part))
    try:
        done = sh(
            "files/enter+files/part+files/idle+files/leftovers", str(tmp_path / "data"), "", "",
            stdin=NEW, around=lambda text: f"sleep() {{ command sleep 0.2; }}\n{text}",
        )  # fmt: skip
    finally:
        other.kill()
        other.communicate()
    assert (done.returncode, done.stderr) == (0, b"")
    told = done.stdout.split(b"\0")
    assert part.exists() == (has == "writes")
    assert (part.name.encode() in told) == (has != "writes")
