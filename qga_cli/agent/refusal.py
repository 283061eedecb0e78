"""Why an agent said no, and what would make it say yes.

The same text means different things across releases: 5.2 says "has been disabled for this
instance" both when frozen and when blocked by policy, 10.0 "the command is not allowed" for
both, 7.2 names a freeze that may be over. So a refusal is explained by asking
guest-fsfreeze-status and guest-info, which every freeze and most policies let through
(qga/main.c, ga_command_is_allowed).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from qga_cli.errors import CONFINED, DENIED, Frozen, Refused, Unsupported
from qga_cli.spec import Command, release

Ask = Callable[[str], object]  # the result of a wire command without arguments; None if it has none

_UNKNOWN = re.compile(r"The command \S+ has not been found$")
_NAME = re.compile(r"[a-z0-9-]+")  # of a command, which may stand in a line to be typed
_DISABLED = re.compile(r"(?:The c|C)ommand \S+ has been disabled")

# What to do about errors whose text does not tell.
_CURES = (
    (DENIED, CONFINED),
    ("fsfreeze hook", "look at /etc/qemu/fsfreeze-hook in the guest, and at what it runs and logs"),
    ("requested suspend mode is not supported", "the guest needs systemd or pm-utils for it"),
    # What the agent says where these refuse, for the kernel's own way knows no hybrid
    # (linux_sys_state_suspend in qga/commands-posix.c).
    (
        "unknown guest suspend mode",
        "the guest could not: `systemctl hybrid-sleep` there says why, say for want of swap space",
    ),
    (
        "commit persistent state",
        "the agent opens no file while the folder of its state is full or has gone: look at "
        "`df /run` in the guest, or restart qemu-guest-agent there",
    ),
    ("hardware clock", "the guest's system clock is set; hwclock (util-linux) sets the other one"),
)

_RED_HAT = ("rhel", "centos", "rocky", "almalinux", "ol", "eurolinux", "circle", "virtuozzo")
# What exec, cp, cat, shell and their kin are made of: a policy that blocks one blocks them all.
_TOGETHER = ("guest-exec", "guest-exec-status", "guest-file-open", "guest-file-close",
             "guest-file-read", "guest-file-write", "guest-file-seek",
             "guest-file-flush")  # fmt: skip
_SYSCONFIG = "/etc/sysconfig/qemu-ga"
_RESTART = "then `systemctl restart qemu-guest-agent`"
_CONF = "/etc/qemu/qemu-ga.conf"
# Configuration file, the service's arguments, and how it is started again.
_PLACES = {
    "": (_CONF, "`systemctl cat qemu-guest-agent`", _RESTART),
    "alpine": (
        _CONF, "/etc/conf.d/qemu-guest-agent", "then `rc-service qemu-guest-agent restart`",
    ),
    "freebsd": (
        "/usr/local" + _CONF, "qemu_guest_agent_flags of /etc/rc.conf",
        "then `service qemu-guest-agent restart`",
    ),
}  # fmt: skip


def explain(ask: Ask, command: Command, desc: str) -> Refused:
    """The error to raise for the agent's refusal `desc` of `command`; `ask` asks that agent."""
    desc = desc.strip()
    if _DISABLED.match(desc):
        if _is_frozen(ask, command):
            return frozen(desc)
        return _blocked(ask, command, desc)
    if _UNKNOWN.match(desc):
        return _not_known(ask, command, desc)
    hint = next((cure for text, cure in _CURES if text in desc), "")
    # The agent prints errno even where none was set.
    return Refused(desc.removesuffix(": Success"), desc=desc, hint=hint)


def is_over(ask: Ask, command: Command, desc: str) -> bool:
    """Whether a freeze refused it that has ended since: a policy would refuse it still.

    Raises Frozen when it has not ended. The state comes first: were it thawed between the two
    questions, the list of commands would look like a policy.
    """
    if not _DISABLED.match(desc.strip()):
        return False
    if _is_frozen(ask, command):
        raise frozen(desc)
    return _listed(ask).get(command.wire) is True


def is_unknown(desc: str) -> bool:
    """Whether the agent's error was of the class CommandNotFound, which libvirt drops."""
    return bool(_UNKNOWN.match(desc) or _DISABLED.match(desc))


def frozen(desc: str) -> Frozen:
    """The error for any command that waits for a thaw."""
    return Frozen(
        "the guest's filesystems are frozen",
        desc=desc,
        hint="if no backup holds them, `qga fs thaw VM` thaws them",
    )


def policy_hint(ask: Ask, command: Command, also: Sequence[str] = ()) -> str:
    """The file with the guest's policy, guessed from what the guest says of its system.

    Programs and files need several commands: all that are blocked are named, with one edit;
    `also` are others that shall be unblocked with it.
    """
    system, system_release = _system(ask)
    names = dict.fromkeys([*_blocked_together(ask, command.wire), *also])
    blocked = list(filter(_NAME.fullmatch, names))  # the guest's words may be anything
    name = ",".join(blocked)
    # RHEL 9.4 turned a list of what is blocked into a list of what is allowed; CentOS Stream, which
    # has no minor release, followed.
    allows = system in _RED_HAT and (system_release >= (9, 4) or system_release == (9,))
    change = ""
    if allows:
        change = f"add {name} to --allow-rpcs of FILTER_RPC_ARGS"
    elif system in _RED_HAT:
        lists = "BLOCK_RPCS or FILTER_RPC_ARGS" if system_release >= (9,) else "BLACKLIST_RPC"
        change = f"remove {name} from {lists}"
    elif system == "fedora":
        change = f"remove {name} from QEMU_GA_ARGS or BLACKLIST_RPC"
    elif system.startswith(("opensuse", "sle")):
        change = f"set FILTER_RPC_ARGS, without {name} in --block-rpcs,"
    if change and len(blocked) > 1:
        without = rf"/^[^#]/s/\b({'|'.join(blocked)})\b,?//g"  # off every list
        edit = f"s/^[^#]*--allow-rpcs=/&{name},/" if allows else without
        return f"in the guest, `sed -Ei '{edit}' {_SYSCONFIG}`; {_RESTART}"
    if change:
        return f"in the guest, {change} in {_SYSCONFIG}; {_RESTART}"
    if system == "mswindows":
        where = "the command line of the service QEMU-GA (`sc qc QEMU-GA` shows it)"
        return f"in the guest, remove {name} from {where}; then restart that service"
    version = _version(ask)
    lists = "block-rpcs" if version >= (7, 2) else "blacklist"
    lists += " (or its absence from allow-rpcs)" if version >= (8, 1) or not version else ""
    file, service, restart = _PLACES.get(system, _PLACES[""])
    return f"in the guest, look for {name} in {lists} of {file}, and in {service}; {restart}"


def _blocked_together(ask: Ask, wire: str) -> list[str]:
    """`wire`, and what else of programs and files is blocked, if it is one of those."""
    if wire not in _TOGETHER:
        return [wire]
    listed = _listed(ask)
    return [one for one in _TOGETHER if one == wire or listed.get(one) is False]


def _listed(ask: Ask) -> dict[object, object]:
    """Whether each command is enabled, as guest-info tells: an answer that nobody has checked."""
    info = ask("guest-info")
    told = info.get("supported_commands") if isinstance(info, dict) else None
    rows = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return {str(row.get("name")): row.get("enabled") for row in rows}


def _is_frozen(ask: Ask, command: Command) -> bool:
    """Whether a freeze may be what refuses it: none refuses a thaw, but a policy may.

    7.2 still says "the agent is in frozen state" of what is blocked after a thaw.
    """
    status = "" if command.wire == "guest-fsfreeze-thaw" else ask("guest-fsfreeze-status")
    return status == "frozen"


def _blocked(ask: Ask, command: Command, desc: str) -> Unsupported:
    # Up to 9.x the commands of other systems exist, switched off (qga/commands-posix.c).
    return _foreign(ask, command, desc) or Unsupported(
        f"{command.wire} is blocked by the guest's policy",
        desc=desc,
        hint=policy_hint(ask, command),
    )


def _not_known(ask: Ask, command: Command, desc: str) -> Unsupported:
    version = _version(ask)
    if version and version < release(command.since):
        return Unsupported(
            f"{command.wire} needs qemu-ga {command.since}, this guest runs {_dotted(version)}",
            desc=desc,
            hint="update qemu-guest-agent in the guest",
        )
    ran = f" {_dotted(version)}" if version else ""
    return _foreign(ask, command, desc) or Unsupported(
        f"the guest's qemu-ga{ran} does not have {command.wire}",
        desc=desc,
        hint="`qga info VM` lists what it has",
    )


def _foreign(ask: Ask, command: Command, desc: str) -> Unsupported | None:
    """The error for a command that the guest's system does not have at all."""
    if not command.systems:
        return None
    system = {"mswindows": "Windows", "freebsd": "FreeBSD"}.get(_system(ask)[0], "Linux")
    if system in command.systems:
        return None
    only = " and ".join(command.systems)
    return Unsupported(
        f"{command.wire} works on {only} guests only, this one runs {system}", desc=desc
    )


def _version(ask: Ask) -> tuple[int, ...]:
    info = ask("guest-info")
    version = info.get("version") if isinstance(info, dict) else None
    return release(version) if isinstance(version, str) else ()


def _system(ask: Ask) -> tuple[str, tuple[int, ...]]:
    """The id and release of the guest's system, as in os-release; "" when it does not tell."""
    info = ask("guest-get-osinfo")
    if not isinstance(info, dict):
        return "", ()
    return str(info.get("id", "")), release(str(info.get("version-id", "")))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
