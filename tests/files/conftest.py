"""What tests of the hosts' files have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.slow import Slow, slow_agent
from tests.kit.strangers import Victim


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    return Victim(tmp_path / "root")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    with slow_agent(tmp_path_factory.mktemp("slow")) as guest:
        yield guest
