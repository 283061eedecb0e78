"""exec, script and terminals in a guest whose other user is hostile (tests/attackers.py)."""

from pathlib import Path

from tests import lab
from tests.attackers import PLANT, Mallory
from tests.conftest import qga

SECRET = b"the-secret-of-root"


def test_a_script_is_read_by_nobody_else(guest: lab.Guest, tmp_path: Path) -> None:
    script = tmp_path / "honest.sh"
    script.write_bytes(b"# " + SECRET + b"\necho honest; id -u\n")
    with Mallory(guest, PLANT) as mallory:
        for _ in range(3):
            ran = qga("--timeout", "20", "script", "-n", guest.name, str(script))
            assert SECRET not in mallory.loot()
            assert (ran.code, ran.out) == (0, "honest\n0\n"), ran.err


def test_streams_of_root_are_read_by_nobody_else(guest: lab.Guest) -> None:
    given = (SECRET + b"\n") * 50_000
    count = "sleep 1; echo the-secret-of-root; wc -c"
    with Mallory(guest, PLANT) as mallory:
        for _ in range(2):
            ran = qga("--timeout", "20", "exec", guest.name, "--", "sh", "-c", count, stdin=given)
            assert SECRET not in mallory.loot()
            assert (ran.code, ran.out.split()) == (0, [SECRET.decode(), str(len(given))]), ran.err
