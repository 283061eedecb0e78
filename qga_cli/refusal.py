"""Why an agent said no, and what would make it say yes.

The same text means different things across releases: 5.2 says "has been disabled for this
instance" both when frozen and when blocked by policy, 10.0 "the command is not allowed" for
both, 7.2 names the freeze. So a refusal is explained by asking guest-fsfreeze-status and
guest-info, which every policy and every freeze let through (qga/main.c, ga_command_is_allowed).
"""

import re

from qga_cli import wire
from qga_cli.errors import Frozen, QgaError, Refused, Unsupported
from qga_cli.spec import Arg, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.agent import Agent

_UNKNOWN = re.compile(r"^The command \S+ has not been found$")
_DISABLED = re.compile(r"^(?:The c|C)ommand \S+ has been disabled")
_UNEXPECTED = re.compile(r"^(?:Parameter|QMP input member) '([^']+)' is unexpected$")
_PATIENCE = 5.0  # seconds for each question


def explain(agent: "Agent", command: Command, desc: str) -> Refused:
    """The error to raise for the agent's refusal `desc` of `command`."""
    if _DISABLED.match(desc):
        if _ask(agent, "guest-fsfreeze-status") == "frozen":
            return frozen(desc)
        return _blocked(agent, command, desc)
    if _UNKNOWN.match(desc):
        return _not_known(agent, command, desc)
    unexpected = _UNEXPECTED.match(desc)
    if unexpected:
        return _too_new(agent, command, unexpected[1], desc)
    return Refused(desc.strip(), desc=desc)


def frozen(desc: str) -> Frozen:
    """The error for any command that waits for a thaw."""
    return Frozen(
        "the guest's filesystems are frozen", desc=desc, hint="`qga fs thaw VM` thaws them"
    )


def _blocked(agent: "Agent", command: Command, desc: str) -> Unsupported:
    if command.systems and "Linux" not in command.systems and _system(agent) != "mswindows":
        # Up to 9.x a foreign system's commands exist, switched off (qga/commands-posix.c).
        return _foreign(command, desc)
    return Unsupported(
        f"{command.wire} is blocked by the guest's policy",
        desc=desc,
        hint=policy_hint(agent, command),
    )


def policy_hint(agent: "Agent", command: Command) -> str:
    """Where the guest's policy is written, as far as the guest's own words tell."""
    system, version = _system(agent), _version(agent)
    if system in ("rhel", "centos", "rocky", "almalinux", "ol", "fedora"):
        where = "/etc/sysconfig/qemu-ga"
        change = f"allow {command.wire} in FILTER_RPC_ARGS"
        if version < (9, 0):
            change = f"remove {command.wire} from BLACKLIST_RPC or BLOCK_RPCS"
        return f"in the guest, {change} in {where}; then restart qemu-guest-agent"
    return (
        f"in the guest, look for {command.wire} in block-rpcs (or its absence from allow-rpcs) of "
        "/etc/qemu/qemu-ga.conf and of the service's command line; then restart qemu-guest-agent"
    )


def _not_known(agent: "Agent", command: Command, desc: str) -> Unsupported:
    version = _version(agent)
    if version and version < _parts(command.since):
        return Unsupported(
            f"{command.wire} needs qemu-ga {command.since}, this guest runs {_dotted(version)}",
            desc=desc,
            hint="update qemu-guest-agent in the guest",
        )
    if command.systems and "Linux" not in command.systems and _system(agent) != "mswindows":
        return _foreign(command, desc)
    ran = f" {_dotted(version)}" if version else ""
    return Unsupported(
        f"the guest's qemu-ga{ran} does not have {command.wire}",
        desc=desc,
        hint="it was built without it; `qga info VM` lists what it has",
    )


def _foreign(command: Command, desc: str) -> Unsupported:
    return Unsupported(
        f"{command.wire} works on {' and '.join(command.systems)} guests only", desc=desc
    )


def _too_new(agent: "Agent", command: Command, name: str, desc: str) -> Refused:
    arg: Arg | None = next((arg for arg in command.args if arg.wire == name), None)
    if arg is None or not arg.since:
        return Refused(desc, desc=desc)
    version = _version(agent)
    ran = f", this guest runs {_dotted(version)}" if version else ""
    return Unsupported(f"{command.wire} {name} needs qemu-ga {arg.since}{ran}", desc=desc)


def _ask(agent: "Agent", name: str) -> object:
    """The result of a question asked only to explain; None when it has no answer either."""
    try:
        return wire.decode(agent.exchange(wire.encode(name, {}), _PATIENCE))
    except QgaError as error:
        agent.trace(1, f"{name}, asked to explain the refusal, failed too: {error.message}")
        return None


def _version(agent: "Agent") -> tuple[int, ...]:
    info = _ask(agent, "guest-info")
    version = info.get("version") if isinstance(info, dict) else None
    return _parts(version) if isinstance(version, str) else ()


def _system(agent: "Agent") -> str:
    info = _ask(agent, "guest-get-osinfo")
    system = info.get("id") if isinstance(info, dict) else None
    return system if isinstance(system, str) else ""


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:3])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
