"""Whose freeze it is: a watchdog ends its own only, and a second freeze is told of the first."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.errors import Frozen
from qga_cli.freeze.hold import FrozenGuest
from qga_cli.freeze.record import Record, new_token
from qga_cli.guests.targets import Target
from qga_cli.transports import connect
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.freezes import Filesystems, await_no_watchdog
from tests.kit.running import Started

Make = Callable[[Handler], FakeAgent]


@pytest.mark.slow
def test_a_watchdog_leaves_a_later_freeze_alone(fake: Make) -> None:
    """As after a reset, of which nobody tells it: the guest is frozen at every look."""
    filesystems = Filesystems(freeze=[lambda carry: carry(), lambda carry: 2])
    uri = fake(filesystems).uri
    assert qga("-c", uri, "fs", "freeze", "x", "--for", "6s").code == 0
    assert qga("-c", uri, "fs", "freeze", "x").code == 0
    until = time.monotonic() + 8
    while time.monotonic() < until:
        assert filesystems.frozen, filesystems.seen
        time.sleep(0.1)


def test_a_freeze_for_longer_than_poll_can_be_told(fake: Make) -> None:
    filesystems = Filesystems()
    uri = fake(filesystems).uri
    ran = qga("-c", uri, "fs", "freeze", "x", "--for", "30d")
    assert (ran.code, filesystems.frozen) == (0, True), ran.err
    assert qga("-c", uri, "fs", "thaw", "x").code == 0
    await_no_watchdog("x")
    ran = qga("-c", uri, "fs", "with-frozen", "--max", "30d", "x", "--", "echo", "ran")
    assert (ran.code, ran.out, ran.err) == (0, "ran\n", "")


def test_a_second_freeze_is_told_who_holds_the_first(fake: Make) -> None:
    filesystems = Filesystems()
    uri = fake(filesystems).uri
    first = Started("-c", uri, "fs", "with-frozen", "x", "--", "sh", "-c", "echo in; sleep 30")
    try:
        assert first.line() == "in"
        for words in (
            ("fs", "freeze", "x"),
            ("fs", "freeze-list", "x", "/"),
            ("fs", "with-frozen", "x", "--", "true"),
        ):
            ran = qga("-c", uri, *words)
            assert "another qga has frozen it and thaws it within " in ran.err
            assert "`qga wait x --for thawed`" in ran.err or "`qga wait VM --for" in ran.err
            assert filesystems.frozen
    finally:
        first.process.terminate()
        first.end()
    filesystems.await_thawed(5)


def test_a_socket_is_the_same_however_it_is_named(fake: Make, tmp_path: Path) -> None:
    agent = fake(Filesystems())
    (tmp_path / "link").symlink_to(agent.path)
    ways = (str(agent.path), os.path.relpath(agent.path), str(tmp_path / "link"))
    hosts = [connect(f"unix:{way}").open("x").identity() for way in ways]
    assert len(set(hosts)) == 1, hosts


def test_who_was_faster_is_told(fake: Make) -> None:
    """Two that begin in the same moment: both have seen that nothing was frozen."""
    filesystems = Filesystems()
    target = Target(fake(filesystems).uri, "x", "x")
    first, second = (FrozenGuest(target, lambda level, text: None) for _ in range(2))
    for one in (first, second):
        one.prepare(())
    first.freeze(30)
    with pytest.raises(Frozen) as raised:
        second.freeze(30)
    assert "another qga has frozen it and thaws it within " in raised.value.message
    assert "wait VM --for thawed" in raised.value.hint
    first.thaw()
    assert not filesystems.frozen
    for one in (first, second):
        one.close()


def test_a_later_freeze_is_not_thawed_and_what_was_made_is_not_consistent(fake: Make) -> None:
    filesystems = Filesystems()
    uri = fake(filesystems).uri
    again = f"for what in thaw freeze; do {sys.executable} -m qga_cli -c {uri} fs $what x; done"
    ran = qga("-c", uri, "fs", "with-frozen", "x", "--", "sh", "-c", again)
    assert (ran.code, filesystems.frozen) == (124, True)
    assert "another freeze has begun since" in ran.err
    assert "NOT consistent" in ran.err
    await_no_watchdog("x")
    assert filesystems.frozen


def test_a_freeze_of_nothing_is_none(fake: Make) -> None:
    filesystems = Filesystems(freeze=[lambda carry: 0])
    ran = qga("-c", fake(filesystems).uri, "fs", "freeze", "x")
    assert (ran.code, ran.out) == (1, "")
    assert "no filesystem could be frozen" in ran.err
    assert filesystems.seen[-1] == "thaw"


def test_a_freeze_that_takes_too_long_may_come_late(fake: Make) -> None:
    def slow(carry: Callable[[], object]) -> object:
        time.sleep(2)
        return carry()

    ran = qga("-c", fake(Filesystems(freeze=[slow])).uri, "fs", "freeze", "x", "--timeout", "1s")
    assert ran.code == 124
    assert "it may become frozen in a moment" in ran.err
    assert "`qga fs thaw x` thaws it" in ran.err


def test_the_note() -> None:
    record = Record(("test", new_token()))
    assert record.read() == {}
    assert not record.is_anothers("a")
    record.claim("a")
    assert record.guarded() == ""  # by no watchdog
    assert record.is_anothers("b")
    record.claim("b", frozen=False)
    assert not record.is_anothers("a")  # it may be refused yet
    record.claim("a")
    record.clear("b")
    assert record.read()["token"] == "a"
    record.clear("a")
    assert record.read() == {}


def test_a_note_that_cannot_be_written_leaves_none_of_another_freeze(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(note: object, file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    record = Record(("test", new_token()))
    record.claim("a")
    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", full)
        record.claim("b")
    assert not record.is_anothers("b")
    assert record.read() == {}
