"""The links of the chain from the host to the agent, each looked at by one function.

A check returns what it found; it raises the error that breaks the chain, hint included; it
returns a Concern when the chain holds all the same, and None when there is nothing to look at.
"""

from __future__ import annotations

import contextlib
import time

from qga_cli.agent import Agent
from qga_cli.agent.abilities import READING, Abilities
from qga_cli.agent.file import read_small
from qga_cli.agent.refusal import frozen, policy_hint
from qga_cli.commands.fs.list import NEVER_FILL
from qga_cli.commands.fs.status import COMMAND as FREEZE_STATUS
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.os.info import COMMAND as OS_INFO
from qga_cli.commands.ping import COMMAND as PING
from qga_cli.commands.time.get import COMMAND as TIME
from qga_cli.errors import (
    LinkDead,
    NotAnswering,
    NotConfigured,
    NotConnected,
    QgaError,
    Refused,
    Unsupported,
)
from qga_cli.format import duration
from qga_cli.health import advice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.guests.targets import Target
    from qga_cli.transports import HostConnection
    from qga_cli.transports.libvirt_xml import GuestFacts
    from qga_cli.verbs.job import Job

_CLOCK = 1.0  # seconds off that nobody minds
_FEW = 8  # commands that a table has room for
_CONFINED = "virt_qemu_ga_t"  # the agent's domain in the SELinux policies of Red Hat and Fedora


class Concern:
    """Something that breaks no chain but will be in the way."""

    __slots__ = ("finding", "fix")

    def __init__(self, finding: str, fix: str) -> None:
        self.finding = finding
        self.fix = fix


class CheckedGuest:
    """One guest, and what the checks have learned about it so far."""

    def __init__(self, job: Job, target: Target) -> None:
        self.job = job
        self.target = target
        self.info: dict[str, Any] = {}
        self.silence: QgaError | None = None  # why a ping failed that told of no dead link
        self._system = ""

    @property
    def host(self) -> HostConnection:
        """Its host, connected or not."""
        return self.job.hosts.host(self.target.uri)

    @property
    def agent(self) -> Agent:
        """Its agent; raises what keeps us from it."""
        agent = self.job.agent
        assert agent is not None  # the scope of doctor is guest
        return agent

    def facts(self) -> GuestFacts | None:
        """What the host knows at this moment; None for a bare socket."""
        return self.host.facts(self.target.name)

    def may(self, *wires: str) -> bool:
        """Whether the agent says that it takes these commands."""
        return Abilities(self.info).may(*wires)

    def system(self) -> str:
        """The guest's system, by its own words or by libosinfo's mark in the XML; may be ""."""
        if not self._system and self.may(OS_INFO.wire):
            with contextlib.suppress(Refused):  # the XML may know it too
                self._system = self.agent.call(OS_INFO).value.get("id", "")
        facts = None if self._system else self.facts()
        return self._system or (facts.system[0] if facts else "")


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
    if state in ("", "running", "blocked"):
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
    return "org.qemu.guest_agent.0" if facts else None


def ports(checked: CheckedGuest) -> str | Concern | None:
    """Ports of ours: those in use, those that wait for the next run, those left behind."""
    found = checked.agent.transport.ports()
    if found is None:
        return None
    from qga_cli.channel.ports import survey

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
            hint=advice.install(checked.system()),
        )
    return facts.channel if facts else None


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
            f"{advice.restart(checked.system())}",
        ) from error
    except QgaError as error:
        checked.silence = error
    return "in use"


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
            else f"wait if a freeze hook or a trim is running; else "
            f"{advice.restart(checked.system())}; a guest that hangs in its own freeze only "
            "`virsh reset VM` brings back",
        ) from error
    return f"answers in {(time.monotonic() - started) * 1000:.1f} ms"


def version(checked: CheckedGuest) -> str | Concern:
    """Its release, and with it everything that the later checks may ask."""
    try:
        checked.info = checked.agent.call(INFO).value
    except Refused:
        return Concern("guest-info is refused: nobody can tell what this agent does", "")
    return f"qemu-ga {checked.info['version']}"


def thawed(checked: CheckedGuest) -> str | Concern | None:
    """The filesystems are not frozen."""
    if not checked.may(FREEZE_STATUS.wire):
        return None
    try:
        status = checked.agent.call(FREEZE_STATUS).value
    except Unsupported:
        raise
    except Refused as error:
        from qga_cli.agent.abilities import is_windows

        if not is_windows(checked.agent):
            raise
        return Concern(
            f"this agent cannot freeze: {error.message}",
            "in the guest, start the service `QEMU Guest Agent VSS Provider` of virtio-win's "
            "qemu-ga, and `VSS`; then `Restart-Service QEMU-GA`",
        )
    if status == "frozen":
        raise frozen("")
    return "not frozen"


def policy(checked: CheckedGuest) -> str | Concern | None:
    """No command is blocked."""
    from qga_cli import catalog

    if not checked.info or not callable(INFO.rows):
        return None
    rows: Any = INFO.rows(checked.info)
    blocked = [row["wire"] for row in rows if row["state"] == "blocked by policy"]
    if not blocked:
        return "no command is blocked"
    first = "guest-exec" if "guest-exec" in blocked else blocked[0]
    command = catalog.by_wire(first)
    hint = policy_hint(checked.agent.ask, command) if command else ""
    if len(blocked) > _FEW:
        return Concern(f"{len(blocked)} commands are blocked: `qga info VM` lists them", hint)
    return Concern(f"blocked: {', '.join(blocked)}", hint)


def confinement(checked: CheckedGuest) -> str | Concern | None:
    """SELinux lets the agent's children do what root may."""
    if not checked.may(*READING) or Abilities(checked.info).windows:
        return None
    try:
        enforced = read_small(checked.agent, "/sys/fs/selinux/enforce").strip() == b"1"
        domain = read_small(checked.agent, "/proc/self/attr/current").decode("ascii", "replace")
    except Unsupported:
        raise
    except Refused:
        return "no SELinux"
    domain = domain.strip("\0\n")
    if not enforced or _CONFINED not in domain:
        return f"SELinux does not confine the agent ({domain})"
    return Concern(
        f"SELinux confines the agent and the programs it starts ({domain})",
        "in the guest: `setsebool -P virt_qemu_ga_run_unconfined on` for programs, "
        "`virt_qemu_ga_read_nonsecurity_files on` for files; `ausearch -m avc` shows denials",
    )


def clock(checked: CheckedGuest) -> str | Concern | None:
    """The guest's clock agrees with this machine's."""
    if not checked.may(TIME.wire):
        return None
    before = time.time()
    told = checked.agent.call(TIME).value / 1e9
    after = time.time()
    offset = told - (before + after) / 2
    text = f"{duration(abs(offset))} {'ahead of' if offset > 0 else 'behind'} this machine's"
    if abs(offset) <= _CLOCK + (after - before) / 2:
        return text
    return Concern(text, "`qga time set VM now` sets it; a time service in the guest keeps it so")


def root(checked: CheckedGuest) -> str | Concern | None:
    """The root filesystem can be written to."""
    if not checked.may(*READING) or Abilities(checked.info).windows:
        return None
    try:
        lines = read_small(checked.agent, "/proc/mounts").decode("utf-8", "replace").splitlines()
    except Unsupported:
        raise
    except Refused:
        return None  # no Linux
    mounts = [line.split() for line in lines]
    last = next((one for one in mounts[::-1] if len(one) > 3 and one[1] == "/"), None)
    if last is None:
        return None
    device, _, type, options = last[:4]
    what = f"/ is {device}, {type}"
    if "ro" not in options.split(","):
        return f"{what}, writable"
    if type in NEVER_FILL or type == "overlay":
        return f"{what}, read-only by design"
    return Concern(
        f"{what}, mounted read-only",
        "in the guest: `dmesg` tells whether its disk failed; then fsck, and "
        "`mount -o remount,rw /`",
    )


CHECKS = (
    host, guest, running, channel, ports, connected, link, ping, version, thawed, policy,
    confinement, clock, root,
)  # fmt: skip
