"""The links of the chain from the host to the agent, each looked at by one function."""

from __future__ import annotations

import time

from qga_cli.commands.ping import COMMAND as PING
from qga_cli.errors import LinkDead, NotAnswering, NotConfigured, NotConnected, QgaError
from qga_cli.health import advice
from qga_cli.health.checked import CheckedGuest, Concern
from qga_cli.transports import RUNNING


def host(checked: CheckedGuest) -> str:
    """It can be reached."""
    from qga_cli.transports.libvirt import LibvirtHost

    if checked.target.error:
        raise checked.target.error
    one = checked.host
    return one.about() if isinstance(one, LibvirtHost) else one.uri


def guest(checked: CheckedGuest) -> str:
    """It exists."""
    _ = checked.agent
    return checked.target.name


def running(checked: CheckedGuest) -> str | None:
    """Its CPUs run."""
    state = checked.agent.transport.state()
    if state in RUNNING:
        return state or None
    from qga_cli.transports.libvirt_errors import not_running

    raise not_running(state)


def channel(checked: CheckedGuest) -> str | None:
    """Its XML has the agent's channel."""
    facts = checked.facts()
    if facts and facts.channel == "missing":
        from qga_cli.transports.libvirt_channel import NEW

        raise NotConfigured(
            "the guest has no agent channel",
            hint=f"`qga doctor --fix VM` adds it; by hand, under <devices>: {NEW}",
        )
    return "the device org.qemu.guest_agent.0 is there" if facts else None


def ports(checked: CheckedGuest) -> str | Concern | None:
    """qga's own ports: in use, kept for the next run, or left by a qga that was killed."""
    found = checked.agent.transport.ports()
    if found is None:
        return None
    from qga_cli.channel.plugged import survey

    used, idle, left = survey(found)
    told = f"{len(used)} in use, {len(idle)} idle" if used or idle else "none of qga's"
    if left:
        return Concern(
            f"{told}, {len(left)} left behind by a qga that was killed",
            "`qga doctor --fix VM` unplugs them",
        )
    return told


def connected(checked: CheckedGuest) -> str | None:
    """A program in the guest has opened the channel."""
    facts = checked.facts()
    if facts and facts.channel != "connected":
        raise NotConnected(
            "nobody in the guest has opened the channel: the agent does not run there",
            hint="`qga doctor --fix VM` replugs the channel: systemd then starts an agent that is "
            f"installed; or {advice.install(checked.system(), console=True)}",
        )
    return "a program in the guest has opened it" if facts else None


def link(checked: CheckedGuest) -> str | None:
    """libvirt still uses the channel."""
    if checked.facts() is None:
        return None
    try:
        checked.agent.call(PING)
    except LinkDead as error:
        raise LinkDead(
            "libvirt has given up on the channel: a reply was larger than 10 MiB, or no JSON",
            hint=f"`qga doctor --fix VM` replugs the channel; or "
            f"{advice.restart(checked.system(), console=True)}",
        ) from error
    except QgaError as error:
        checked.silence = error
    return "libvirt passes on what the agent sends"


def ping(checked: CheckedGuest) -> str:
    """The agent answers."""
    started = time.monotonic()
    try:
        if checked.silence:
            raise checked.silence
        checked.agent.call(PING)
    except NotAnswering as error:
        from qga_cli.freeze.record import RESET, Record

        hung = Record(checked.agent.transport.identity()).unanswered()
        raise NotAnswering(
            "the channel is open, and the agent says nothing: "
            + (hung or "it is busy, stopped or hung"),
            hint=RESET
            if hung
            else "wait if a freeze hook or a trim is running; else "
            f"{advice.restart(checked.system(), console=checked.facts() is not None)}; "
            "a guest that hangs in its own freeze only `virsh reset VM` brings back",
        ) from error
    return f"answers in {(time.monotonic() - started) * 1000:.1f} ms"
