"""What tests of the hosts' files have in common."""

from pathlib import Path

import pytest

from tests.kit.strangers import Victim


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    return Victim(tmp_path / "root")
