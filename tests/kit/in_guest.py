"""Ways to look at a real guest from inside, and to wait for it."""

import time

from tests import lab
from tests.kit.command import Ran, qga


def inside(guest: lab.Guest, *argv: str) -> str:
    """What a program in the guest prints."""
    ran = qga("exec", guest.name, "--", *argv)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def done(guest: lab.Guest, *words: str, stdin: bytes = b"") -> Ran:
    """Run a command that must succeed."""
    ran = qga(*(word.replace("VM", guest.name) for word in words), stdin=stdin)
    assert ran.code == 0, ran.err
    return ran


def await_state(guest: lab.Guest, state: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while guest.state() != state:
        assert time.monotonic() < until, f"{guest.name} is {guest.state()}, not {state}"
        time.sleep(0.2)


def await_agent(guest: lab.Guest, seconds: float = 60) -> bool:
    """Whether it answers in that time."""
    until = time.monotonic() + seconds
    while qga("ping", guest.name).code:
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
