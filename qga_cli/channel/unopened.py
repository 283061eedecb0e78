"""What it means when nobody in the guest opens the ports that it was given, and what is done."""

from __future__ import annotations

from qga_cli.errors import NoChannel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

# QEMU drops what it has to say of a guest's ports while 32 such words wait in the guest
# (send_control_msg, hw/char/virtio-serial-bus.c), as in one that is paused. Then a port that was
# plugged is never shown; or one that was unplugged is shown still, and the next one in its place is
# not. Unplugging that one clears its place. Or the guest does not hear that the host's end is open:
# whoever writes there waits for ever (wait_port_writable, drivers/char/virtio_console.c).
TRIES = 3  # sets of ports that a guest is given before it is given up
NOT_SEEN = "the guest has not seen the new port"  # so says inside/channel/port.sh


class Unopened(NoChannel):
    """The guest has not opened these ports, and has started nothing; it may open others."""


class NoPorts(NoChannel):
    """This guest has no use for ports, now or later."""


def unopened(said: str) -> NoChannel:
    """What the words of a shell mean that has ended without its ports."""
    # Whoever has a port open still may let go of it: another one will do.
    if not said or NOT_SEEN in said or "busy" in said:
        return Unopened(said or "nobody in the guest has opened the port")
    return NoPorts(said)


def persist(start: Callable[[], T]) -> T:
    """Start something on ports, on others when the guest has not opened those."""
    for _ in range(TRIES - 1):
        try:
            return start()
        except Unopened:
            continue
    return start()
