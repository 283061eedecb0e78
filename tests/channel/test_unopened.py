"""What is done when a guest does not open the ports that it was given, or lets go of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.channel.ports import lost
from qga_cli.channel.unopened import NOT_SEEN, TRIES, NoPorts, Unopened, persist, unopened
from qga_cli.errors import NoChannel, NotConnected, OutcomeUnknown


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", Unopened),
        (NOT_SEEN, Unopened),
        ("sh: 3: cannot create /dev/vport1p2: Device or resource busy", Unopened),
        ("this guest shows no ports", NoPorts),
        ("sh: 3: cannot create /dev/vport1p2: Operation not permitted", NoPorts),
    ],
)
def test_others_may_be_opened(said: str, kind: type[NoChannel]) -> None:
    error = unopened(said)
    assert type(error) is kind
    assert (error.message, error.kind) == (said or error.message, "no-channel")


@pytest.mark.parametrize("fails", range(TRIES + 1))
def test_it_is_given_others(fails: int) -> None:
    begun = 0

    def start() -> int:
        nonlocal begun
        begun += 1
        if begun <= fails:
            raise Unopened(str(begun))
        return begun

    if fails < TRIES:
        assert persist(start) == fails + 1
    else:
        with pytest.raises(Unopened, match=str(TRIES)):
            persist(start)
        assert begun == TRIES


def test_what_a_guest_will_never_open_is_given_once() -> None:
    begun: list[int] = []

    def start() -> None:
        begun.append(1)
        raise NoPorts("none")

    with pytest.raises(NoPorts):
        persist(start)
    assert begun == [1]


def test_what_is_gone_may_come_back() -> None:
    """It said to start the agent, in a shell in which `reboot` had been typed."""

    def call(command: object) -> None:
        raise NotConnected("guest agent is not connected", hint="start it")

    agent: Any = SimpleNamespace(call=call)
    error = lost(agent, OutcomeUnknown("the port is gone"))
    assert isinstance(error, NotConnected)
    assert error.hint == "it was stopped, or the guest is restarting: `qga wait VM` waits for it"
