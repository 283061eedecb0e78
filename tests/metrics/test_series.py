"""What a guest's words become: labels, in bounds, and never another guest's."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli import catalog
from qga_cli.cli.run import Run
from qga_cli.guests.targets import Target
from qga_cli.metrics.bounds import Bounds
from qga_cli.metrics.collector import Look
from qga_cli.metrics.exposition import text
from qga_cli.metrics.families import families
from qga_cli.metrics.family import GAUGE, Family
from qga_cli.metrics.reading import Reading
from tests.health.test_list import Scripted
from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.prometheus import FILESYSTEM, by, samples


def looked(*filesystems: dict[str, object], vm: str = "x") -> Look:
    """A look at one guest that has these filesystems."""
    reading = Reading(Target(None, vm, vm, "running"))
    reading.agent = "answering"
    reading.told["guest-get-fsinfo"] = filesystems
    return Look({}, [reading])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), min_size=3, max_size=3), st.integers(0, 2**64 - 1))
def test_any_text_of_a_guest_is_a_label_and_no_more(words: list[str], size: int) -> None:
    mountpoint, device, vm = words
    row = FILESYSTEM | {"mountpoint": mountpoint, "name": device, "total-bytes": size}
    shown = text(families(looked(row, vm=vm)))
    assert all(line.isprintable() and len(line) < 1500 for line in shown.splitlines())
    (labels,) = samples(shown)["qga_filesystem_size_bytes"]
    assert {name for name, _ in labels} == {"vm", "mountpoint", "device", "fstype"}
    assert samples(shown)["qga_filesystem_size_bytes"][labels] == float(size)


def test_labels_are_escaped_cut_and_stay_different() -> None:
    family = Family("qga_x", GAUGE, ("a",), "Help.")
    for label in ('C:\\"', "tab\there", "\x1b[2J", "é", "x" * 500 + "1", "x" * 500 + "2"):
        family.add(1, label)
    assert [line for line in text([family]).splitlines() if line[0] != "#"][:4] == [
        r'qga_x{a="C:\\\""} 1',
        r'qga_x{a="tab\\there"} 1',
        r'qga_x{a="\\x1b[2J"} 1',
        'qga_x{a="é"} 1',
    ]
    assert len(family.samples) == 6
    assert max(len(label) for (label,) in family.samples) == 120


def test_a_series_comes_once_and_many_are_left_out() -> None:
    over = [FILESYSTEM | {"used-bytes": used} for used in (1, 2)]  # one mounted over the other
    many = [FILESYSTEM | {"mountpoint": f"/{number}"} for number in range(1000)]
    found = samples(text(families(looked(*over, *many))))
    assert len(found["qga_filesystem_used_bytes"]) == 63
    assert (
        found["qga_filesystem_used_bytes"][
            (("device", "vda1"), ("fstype", "ext4"), ("mountpoint", "/"), ("vm", "x"))
        ]
        == 2
    )
    assert by(found, "qga_left_out", "what") == {"filesystem": 1002 - 64}


def test_a_guest_that_renames_what_it_has_fills_no_prometheus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds, told = Bounds(), set()
    for number in range(100):
        rows = [FILESYSTEM | {"mountpoint": f"/{number}/{one}"} for one in range(60)]
        made = families(looked(*rows))
        bounds.apply(made)
        told |= {(family.name, labels) for family in made for labels in family.samples}
    assert 1000 < len(told) <= 2010
    assert by(samples(text(made)), "qga_left_out", "what") == {"series": 180}
    assert by(samples(text(made)), "qga_up") == {"x": 1}
    other = families(looked(FILESYSTEM, vm="y"))
    bounds.apply(other)
    assert by(samples(text(other)), "qga_filesystem_used_bytes") == {"y": 25}
    later = time.monotonic() + 90000
    monkeypatch.setattr(time, "monotonic", lambda: later)
    made = families(looked(FILESYSTEM))
    bounds.apply(made)
    assert by(samples(text(made)), "qga_filesystem_used_bytes") == {"x": 25}


def test_the_time_of_each_guest_does_not_end_the_exporter(local_agent: str) -> None:
    for name, ends in (("list", True), ("exporter", False), ("top", False), ("metrics", False)):
        command = catalog.load((name,))
        run = Run(command, {"connect": local_agent, "timeout": "5s"})
        fleet = run._start([Target(None, "", "")], lambda index, target: None)
        assert (fleet._limit is not None) == ends, name


def test_what_is_always_full_is_told_on_request(tmp_path: Path) -> None:
    snap = FILESYSTEM | {"type": "squashfs", "mountpoint": "/snap/x", "used-bytes": 100}
    agent = FakeAgent(tmp_path / "x.sock", Scripted(guest_get_fsinfo=[FILESYSTEM, snap]))
    for words, mountpoints in (((), {"/"}), (("--all-filesystems",), {"/", "/snap/x"})):
        found = samples(qga("-c", agent.uri, "metrics", *words).out)
        assert set(by(found, "qga_filesystem_used_bytes", "mountpoint")) == mountpoints
    agent.close()
