"""Ports of ours that a guest has plugged: who uses them, and what becomes of those of the dead."""

from __future__ import annotations

from qga_cli.channel import PREFIX, memory
from qga_cli.transports.ports import Plugged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qga_cli.transports.ports import Ports


def ours(ports: Ports) -> list[Plugged]:
    """Our ports. One that the guest has just closed is that, whatever libvirt says still."""
    plugged = ports.plugged(PREFIX)
    closed = memory.closed_lately() if any(port.is_open for port in plugged) else ()
    return [
        Plugged(port.name, is_open=port.is_open and port.name not in closed) for port in plugged
    ]


def sweep(ports: Ports, trace: Callable[[int, str], None], but: Collection[str] = ()) -> None:
    """Unplug the ports of qgas that have died."""
    for name in abandoned(ports, but):
        # Its owner may only just be closing it, and the next one have it a moment later.
        if ports.unplug_unused(name, left_open=True):
            trace(1, f"port {name} was left behind: unplugged")


def abandoned(ports: Ports, but: Collection[str] = ()) -> list[str]:
    """Ports of ours that are open in the guest, and have no stream on the host."""
    return [
        port.name
        for port in ours(ports)
        if port.is_open and port.name not in but and not ports.is_used(port.name)
    ]


def survey(ports: Ports) -> tuple[list[str], list[str], list[str]]:
    """Our ports by name: those in use, those that are free, those left open by the dead."""
    used: list[str] = []
    idle: list[str] = []
    left: list[str] = []
    for port in ours(ports):
        state = used if ports.is_used(port.name) else left if port.is_open else idle
        state.append(port.name)
    return used, idle, left
