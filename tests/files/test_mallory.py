"""Copies into a folder of another user's in a real guest, who swaps what comes for a link.

`test_files_attacked` has that user act at every step in turn, on this machine; here he is a process
of his own, beside whatever a guest's shell and tools do.
"""

from pathlib import Path

import pytest

from tests import lab
from tests.kit.attackers import HOME, Mallory
from tests.kit.command import qga

ROOT = "/root/qga-victim"
# Whatever comes under a name of ours is moved aside, and a link to what is root's gets its name.
SWAP = f"""
os.chdir("{HOME}")
while True:
    for name in os.listdir("."):
        if name.startswith(".") and name.endswith("qga-part") and not os.path.islink(name):
            folder = os.path.isdir(name)
            try:
                os.rename(name, "aside.%d" % time.monotonic_ns())
                os.symlink("{ROOT}/" + ("folder" if folder else "file"), name)
                say("swapped ")
            except OSError:
                pass
"""
MAKE = (
    f"rm -rf {ROOT}; mkdir -m 700 {ROOT}; cd {ROOT}; umask 077; mkdir folder; echo old >file; "
    f"rm -rf {HOME}; mkdir {HOME}; echo his >{HOME}/app.conf; chown -R 1234:1234 {HOME}"
)
TELL = f"cd {ROOT}; find . -printf '%p %M %U %G %l\\n' | sort; sha256sum file"


@pytest.mark.parametrize("name", ["small", "app.conf", "site"])
def test_what_is_swapped_leads_nowhere(guest: lab.Guest, tmp_path: Path, name: str) -> None:
    (tmp_path / "small").write_text("new")
    (tmp_path / "app.conf").write_bytes(bytes(range(256)) * 1200)
    (tmp_path / "site").mkdir()
    for number in range(50):
        (tmp_path / "site" / str(number)).write_text("page")

    def sh(script: str) -> str:
        ran = qga("exec", guest.name, "--", "sh", "-c", script)
        assert ran.code == 0, ran.err
        return ran.out

    sh(MAKE)
    before = sh(TELL)
    with Mallory(guest, SWAP) as mallory:
        for _ in range(3):
            ran = qga("--timeout", "50", "cp", "-r", f"{tmp_path}/{name}", f"{guest.name}:{HOME}/")
            assert sh(TELL) == before
            assert ran.code in (0, 1), ran.err
        # A small one is there for milliseconds; the others he has met.
        assert name == "small" or b"swapped" in mallory.loot()
    sh(f"rm -rf {ROOT} {HOME}")
