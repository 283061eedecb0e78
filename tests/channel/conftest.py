"""A guest without ports of ours, one that may be ill-used, and a file to copy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab
from tests.kit.channels import plugged, ports


@pytest.fixture
def tidy(guest: lab.Guest) -> Iterator[None]:
    """Each test begins, and leaves the guest, without a port of ours."""
    clear(guest)
    yield
    clear(guest)


@pytest.fixture(scope="package")
def victim() -> Iterator[lab.Guest]:
    """A guest of these tests' own, that loses its agent, its ports and its memory."""
    with lab.up(f"qga-ports-{os.getpid()}") as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file that takes a second to copy."""
    (tmp_path / "data").write_bytes(os.urandom(32 * 2**20))
    return tmp_path / "data"


def clear(guest: lab.Guest) -> None:
    for port in plugged(guest):
        ports(guest).unplug(port.name)
