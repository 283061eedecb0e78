"""libvirt's events: a guest started or stopped, its agent opened or closed the channel.

libvirt's event loop must be registered before a connection is opened, or that connection never
hears of anything: so events have a connection of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

from qga_cli.transports.libvirt_binding import load_whole
from qga_cli.transports.libvirt_link import open_connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def watch(uri: str | None, wake: Callable[[str], None]) -> bool:
    """Call `wake` with the name of a guest that changed, from now on and from another thread.

    False when this hypervisor's driver has no such events. Raises Unreachable.
    """
    libvirt = load_whole()
    _run_loop()
    connection = libvirt.virConnect(_obj=open_connection(uri).hand_over())

    def changed(_connection: object, domain: Any, *_details: object) -> None:
        wake(domain.name())

    try:
        for event in (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                      libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE):  # fmt: skip
            connection.domainEventRegisterAny(None, event, changed, None)
    except libvirt.libvirtError:
        return False  # the caller asks at intervals instead
    return True


@cache  # one loop for the process: libvirt registers it globally
def _run_loop() -> threading.Thread:
    libvirt = load_whole()
    libvirt.virEventRegisterDefaultImpl()

    def loop() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread
