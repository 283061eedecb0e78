"""What others in the guest see of a copy among the words of processes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.kit.command import qga

pytestmark = pytest.mark.slow

# Takes the place of the guest's own, and so runs beside the script that proves a copy.
WATCH = """\
cd /usr/bin && mv sha512sum sha512sum.away && mkdir /root/watched && printf '%s\\n' '#!/bin/sh' \\
  'cat /proc/[0-9]*/cmdline >>/root/seen' 'exec sha512sum.away "$@"' >sha512sum &&
  chmod +x sha512sum
"""


@pytest.fixture
def watched(guest: lab.Guest) -> Iterator[str]:
    """A folder of the guest's; each sha512sum notes there who runs."""
    assert qga("exec", guest.name, "--", "sh", "-c", WATCH).code == 0
    yield f"{guest.name}:/root/watched"
    undo = "mv /usr/bin/sha512sum.away /usr/bin/sha512sum && rm -r /root/seen /root/watched"
    assert qga("exec", guest.name, "--", "sh", "-c", undo).code == 0


@pytest.mark.parametrize("size", [20, 300_000])
def test_a_digest_is_no_word_of_a_process(
    guest: lab.Guest, watched: str, tmp_path: Path, size: int
) -> None:
    """Who could guess what is in a short file would learn by it whether he is right."""
    first, second = os.urandom(size).hex().encode(), b"edited\n"
    (tmp_path / "file").write_bytes(first)
    assert qga("cp", str(tmp_path / "file"), f"{watched}/file").code == 0
    edit = {"EDITOR": "sh -c 'echo edited >$1' sh", "TMPDIR": str(tmp_path)}
    ran = qga("edit", f"{watched}/file", env={**os.environ, **edit})
    assert (ran.code, ran.err) == (0, "")
    assert qga("cat", f"{watched}/file").stdout == second
    seen = qga("cat", f"{guest.name}:/root/seen").stdout
    assert b"sha512sum" in seen
    for content in (first, second):
        assert hashlib.sha512(content).hexdigest().encode() not in seen
