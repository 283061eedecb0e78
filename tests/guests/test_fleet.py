"""Many at once: nobody waits for the slow, nothing is lost."""

import signal
import threading

import pytest

from qga_cli.errors import Interrupted, NotConnected, TimedOut
from qga_cli.guests.fleet import Fleet, Outcome
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt

TARGETS = [Target(None, name, name) for name in "abcd"]


def run(fleet: Fleet) -> dict[str, Outcome]:
    return {outcome.target.name: outcome for _, outcome in fleet.outcomes()}


def test_so_many_at_a_time_and_no_more() -> None:
    now, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(2)

    def work(index: int, target: Target) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait(5)
        with lock:
            now -= 1
        return target.name

    done = run(Fleet(TARGETS, work, Interrupt(), parallel=2))
    assert {name: outcome.value for name, outcome in done.items()} == dict(
        zip("abcd", "abcd", strict=True)
    )
    assert most == 2


def test_one_that_hangs_is_left_behind_and_holds_nobody() -> None:
    hang = threading.Event()

    def work(index: int, target: Target) -> None:
        if target.name == "a":
            hang.wait(30)
        if target.name == "b":
            raise NotConnected("not connected", hint="ask VM")

    done = run(Fleet(TARGETS, work, Interrupt(), parallel=1, limit=0.2))
    hang.set()
    assert isinstance(done["a"].error, TimedOut)
    assert isinstance(done["b"].error, NotConnected)
    assert done["b"].error.guest is TARGETS[1]
    assert (done["b"].error.hint, done["b"].error.advice) == ("ask VM", "ask b")
    assert done["c"].error is done["d"].error is None


def test_stop_begins_nobody_new() -> None:
    fleet = Fleet(TARGETS, lambda index, target: None, Interrupt(), parallel=1)
    outcomes = fleet.outcomes()
    next(outcomes)
    fleet.stop()
    assert len(list(outcomes)) <= 1


def test_a_signal_ends_the_wait_and_begins_nobody_new() -> None:
    interrupt, begun = Interrupt(), []
    hang = threading.Event()

    def work(index: int, target: Target) -> None:
        begun.append(target.name)
        interrupt.set(signal.SIGINT)
        hang.wait(30)

    with pytest.raises(Interrupted):
        run(Fleet(TARGETS, work, interrupt, parallel=1))
    hang.set()
    assert begun == ["a"]


def test_shielded_work_is_waited_for_and_heard() -> None:
    interrupt = Interrupt()
    heard = []

    def work(index: int, target: Target) -> str:
        with interrupt.shield():
            seen = interrupt.count
            interrupt.set(signal.SIGINT)
            assert interrupt.sleep(5, seen)
        return "cleaned up"

    fleet = Fleet(TARGETS, work, interrupt, parallel=1)

    def listen() -> None:
        for _, outcome in fleet.outcomes():
            heard.append(outcome.value)

    with pytest.raises(Interrupted):
        listen()
    assert heard == ["cleaned up"]
    assert fleet.unfinished == 3
