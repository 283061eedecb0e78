"""What an agent that answers may still lack: its policy, SELinux, the clock, a root disk."""

from __future__ import annotations

import time

from qga_cli.agent.abilities import READING, Abilities
from qga_cli.agent.file import read_small
from qga_cli.agent.refusal import frozen, policy_hint
from qga_cli.commands.fs.list import NEVER_FILL
from qga_cli.commands.fs.status import COMMAND as FREEZE_STATUS
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.time.get import COMMAND as TIME
from qga_cli.errors import DENIED, Refused, Unsupported
from qga_cli.format import duration
from qga_cli.health.checked import CheckedGuest, Concern
from qga_cli.health.readiness import freeze_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLOCK = 1.0  # seconds off that nobody minds
_FEW = 8  # commands that a table has room for
_CONTEXT = 2  # colons at least in one of SELinux's: user, role and type; AppArmor says "unconfined"
_CONFINED = "virt_qemu_ga_t"  # the agent's domain in the SELinux policies of Red Hat and Fedora


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
    state = freeze_state(checked.agent)
    if isinstance(state, Refused):
        return Concern(
            f"this agent cannot freeze: {state.message}",
            "in the guest, start the service `QEMU Guest Agent VSS Provider` of virtio-win's "
            "qemu-ga, and `VSS`; then `Restart-Service QEMU-GA`",
        )
    if state == "frozen":
        from qga_cli.freeze.record import Record
        from qga_cli.freeze.steps import held

        raise held(frozen(""), Record(checked.agent.transport.identity()))
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
    also = blocked if len(blocked) <= _FEW else ()
    hint = policy_hint(checked.agent.ask, command, also) if command else ""
    if len(blocked) > _FEW:
        return Concern(f"{len(blocked)} commands are blocked: `qga info VM` lists them", hint)
    return Concern(f"blocked: {', '.join(blocked)}", hint)


def confinement(checked: CheckedGuest) -> str | Concern | None:
    """SELinux lets the agent's children do what root may."""
    if not checked.may(*READING) or Abilities(checked.info).windows:
        return None
    try:
        domain = read_small(checked.agent, "/proc/self/attr/current").decode("ascii", "replace")
    except Unsupported:
        raise
    except Refused:
        return "no SELinux"
    domain = domain.strip("\0\n")
    if domain.count(":") < _CONTEXT:
        return "no SELinux"
    try:
        enforced = read_small(checked.agent, "/sys/fs/selinux/enforce").strip() == b"1"
    except Refused as error:  # which Fedora's policy keeps from the agent, too
        enforced = error.desc.endswith(DENIED)
    if not enforced or _CONFINED not in domain:
        return f"SELinux does not confine the agent ({domain})"
    return Concern(
        f"SELinux confines the agent and the programs it starts ({domain})",
        "in the guest: `setsebool -P virt_qemu_ga_read_nonsecurity_files on` for files to be read, "
        f"`semanage permissive -a {_CONFINED}` for all; `ausearch -m avc` shows denials",
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
