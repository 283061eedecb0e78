"""The second Ctrl-C ends qga within a second, even if the agent or the hypervisor hangs.

The first one is for the work, which cleans up in the guest. That needs an agent that answers, and
a main thread that is not inside a call of libvirt's: Python runs no signal handler before such a
call returns. Python's wake-up descriptor is written to even then, and a thread of ours reads it.
"""

from __future__ import annotations

import os
import sys

from qga_cli import outlet
from qga_cli.interrupt import die_of_ctrl_c
from qga_cli.threads import Bell, start, until

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from qga_cli.interrupt import Interrupt
else:
    import _signal as signal  # the same without enums of every number, which are 3 ms of each run

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 0.6  # seconds that the work has after the second signal to end as it should
_TELLING = 0.2  # seconds to tell what is left


def handle(interrupt: Interrupt) -> None:
    """From now on, signals that end us are the work's to act on, and end waiting for readers.

    Those that whoever started us ignores stay so: nohup, a script's background, `trap '' INT`.
    """
    outlet.heed(interrupt)
    for signum in ENDING:
        if signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, lambda signum, frame: interrupt.set(signum))


def heeded(interrupt: Interrupt, tell: Callable[[int, str], str]) -> AbstractContextManager[None]:
    """Around all work. `tell` words the last message: of the signal, and of what is left."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    over = Bell()
    start(_watch, ours, interrupt, tell, over)

    def end() -> None:
        signal.set_wakeup_fd(-1)
        over.ring()
        os.close(theirs)

    return until(end)


def _watch(bell: int, interrupt: Interrupt, tell: Callable[[int, str], str], over: Bell) -> None:
    count = 0
    with os.fdopen(bell, "rb", 0) as signals:
        while number := signals.read(1):
            # One that came just before the main thread fell asleep would be heard after a TICK.
            interrupt.wake()
            if number[0] in ENDING and not interrupt.ceded:
                count += 1
            if count == 2:
                break
        else:
            return
    if not over.wait(_GRACE):
        # The output may be stuck as well: it holds us no longer than all else.
        told = Bell()
        start(_say, interrupt, tell, number[0], told)
        told.wait(_TELLING)
        if number[0] == signal.SIGINT:
            die_of_ctrl_c()
        os._exit(128 + number[0])


def _say(interrupt: Interrupt, tell: Callable[[int, str], str], signum: int, told: Bell) -> None:
    left = "; ".join(filter(None, (one() for one in interrupt.leaving())))
    os.write(2, tell(signum, left).encode(errors="backslashreplace"))
    sys.stdout.flush()
    told.ring()
