"""The process that unplugs the ports of a qga that has died: `URI GUEST AUDIT-FILE... -- PORT...`.

libvirt may not have noticed yet that their owner is gone. A port that was about to be plugged
(`+PORT`) may come later: what a dead client has asked for goes on in libvirt's daemon.
"""

import os
import sys
import syslog
import time

from qga_cli.channel import COMING, PREFIX
from qga_cli.errors import QgaError
from qga_cli.transports import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.transports.ports import Ports

_SOON = 3.0  # seconds in which libvirt has noticed, unless its host has too much to do
_TAKEN = 30.0  # seconds after which a port that is in use is another one's by now
_COMING = 35.0  # seconds for a port that is not there yet: libvirt waits 30 for a guest's lock
_PAUSE = 0.05


def main(argv: "Sequence[str]") -> None:
    """Unplug them, and log it."""
    at = argv.index("--")
    uri, guest, *audit = argv[:at]
    syslog.openlog("qga", syslog.LOG_PID, syslog.LOG_DAEMON)
    try:
        transport = connect(uri or None).open(guest)
        if audit:
            from qga_cli.policy.audit import Audit
            from qga_cli.policy.guard import Guard

            transport = Guard(None, Audit(audit)).wrap(transport, uri or None, guest)
        ports = transport.ports()
        assert ports is not None  # they were plugged by the same way
        reap(ports, argv[at + 1 :], guest)
    except QgaError as error:  # the guest has gone with its ports, or its host cannot be reached
        syslog.syslog(syslog.LOG_NOTICE, f"{guest}: ports are left alone: {error}")


def reap(ports: "Ports", words: "Sequence[str]", guest: str) -> None:
    """Unplug each port that nobody uses."""
    names = {word.removeprefix(COMING) for word in words}
    coming = names.difference(words)
    began = time.monotonic()
    while names:
        waited = time.monotonic() - began
        there = {port.name for port in ports.plugged(PREFIX)} & names
        for name in there:
            if ports.unplug_unused(name):
                syslog.syslog(syslog.LOG_NOTICE, f"{guest}: {name}: its owner has died: unplugged")
                names.discard(name)
            elif waited > _TAKEN:
                names.discard(name)
        coming &= names - there
        names &= there | (coming if waited < _COMING else set())
        if names:
            time.sleep(_PAUSE if there and waited < _SOON else _PAUSE * 10)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)
