"""A guest without ports of ours."""

from collections.abc import Iterator

import pytest

from tests import lab
from tests.kit.channels import plugged, ports


@pytest.fixture
def tidy(guest: lab.Guest) -> Iterator[None]:
    """Each test begins, and leaves the guest, without a port of ours."""
    clear(guest)
    yield
    clear(guest)


def clear(guest: lab.Guest) -> None:
    for port in plugged(guest):
        ports(guest).unplug(port.name)
