"""What a caller puts up with of a guest that does not run just now."""

from typing import Any, cast

import pytest

from qga_cli.agent import Agent
from qga_cli.agent.patience import Patience
from qga_cli.errors import NotRunning


class Guest:
    """A transport that knows its guest's state."""

    def __init__(self, state: str) -> None:
        self._state = state

    def state(self) -> str:
        return self._state


@pytest.mark.parametrize(
    ("state", "tolerated"),
    [
        ("migrating", True),
        ("paused", True),
        ("running", True),  # since the error
        ("gone", True),  # since the error: the next call has the words for it
        ("shut off", False),
        ("suspended", False),
    ],
)
def test_a_guest_that_may_run_again(state: str, tolerated: bool) -> None:
    patience = Patience(Agent(cast("Any", Guest(state)), "web1", print), away=0.0)
    assert patience.tolerates(NotRunning("guest is migrating")) is tolerated
