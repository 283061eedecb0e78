"""What is asked of an agent to freeze it, and for how long."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import OutcomeUnknown, Refused
from qga_cli.freeze import steps


@pytest.mark.parametrize("most", [0.5, 1, 8, 8.1, 9, 10, 10.5, 18, 18.1, 19, 20, 21, 30, 60])
def test_no_freeze_waits_as_long_as_libvirt_may_by_itself(most: float) -> None:
    """For 5 or 10 seconds libvirt waits without having sent anything: such a freeze could not be
    told from one that has no answer. `--max 10s` and `--max 20s` made it so."""
    limits = list[float]()

    def call(command: object, arguments: object = None, timeout: float = 0) -> Any:
        if arguments is None:
            return SimpleNamespace(value="thawed")
        limits.append(timeout)
        raise OutcomeUnknown("no reply")

    with pytest.raises(Refused, match="nothing is frozen"):
        steps.freeze(SimpleNamespace(call=call), [], 1, most)  # type: ignore[arg-type]
    (limit,) = limits
    assert 0 < limit <= most / 2  # the rest is for asking
    assert limit >= most / 2 - 1
    assert math.ceil(limit) not in (5, 10), "libvirt counts whole seconds, rounded up"
