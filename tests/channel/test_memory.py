"""Guests that had no use for a port are remembered, and forgotten."""

import os
import time
from pathlib import Path

import pytest

from qga_cli.channel import memory


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "qga"


def test_what_is_known_of_a_start_lasts_an_hour(cache: Path) -> None:
    assert memory.forbids("uuid.1") == ""
    memory.note("uuid.1", "no /proc")
    assert memory.forbids("uuid.1") == "no /proc"
    assert memory.forbids("uuid.2") == ""
    (note,) = cache.iterdir()
    for moment in (time.time() - 3700, time.time() + 3700):  # and a clock that was set back
        os.utime(note, (moment, moment))
        assert memory.forbids("uuid.1") == ""


def test_what_counts_no_more_is_removed_and_nothing_else(cache: Path) -> None:
    """Each start of a guest has a note of its own, and may have been its last."""
    for number in range(3):
        memory.note(f"uuid.{number}", "no /proc")
    (cache / "answers").touch()  # to a TAB
    (cache / "no-channel.uuid.3.1").touch()  # of a qga that was killed as it wrote
    for path in cache.iterdir():
        if path.name not in ("answers", "no-channel.uuid.2"):
            os.utime(path, (1, 1))
    memory.note("uuid.4", "no /proc")
    left = sorted(path.name for path in cache.iterdir())
    assert left == ["answers", "no-channel.uuid.2", "no-channel.uuid.4"]
