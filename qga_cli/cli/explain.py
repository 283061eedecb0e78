"""`--explain`: what would be sent, and how virsh or socat would send the same. Nothing is sent."""

from __future__ import annotations

import math
import os
import shlex

from qga_cli import spec, wire
from qga_cli.cli.options import for_command
from qga_cli.commands.sync import ID
from qga_cli.commands.sync_delimited import COMMAND as SYNC_DELIMITED
from qga_cli.errors import UsageError
from qga_cli.format import printable, size
from qga_cli.guests.targets import Target
from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_PROGRAM = "guest-exec, guest-exec-status, guest-file-open, -read, -write, -seek, -flush, -close"
_FILES = f"guest-info, guest-get-osinfo, {_PROGRAM}"
# Of verbs that are neither programs nor files; "" where no agent is asked.
_CALLS = {
    "exec": _PROGRAM,
    "shell": _PROGRAM,
    "connect": _PROGRAM,
    "forward": _PROGRAM,
    "rsh": _PROGRAM,
    "edit": _FILES,
    "exec-status": "guest-exec-status",
    "list": "guest-info, guest-fsfreeze-status, guest-get-osinfo, guest-network-get-interfaces, "
            "guest-get-load",
    "wait": "guest-ping, or what --for names",
    "doctor": "guest-ping, guest-info, guest-fsfreeze-status, guest-get-time, guest-get-fsinfo, "
              "guest-exec",
    "net address": "guest-network-get-interfaces",
    "fs freeze": "guest-get-fsinfo, guest-fsfreeze-status",
    "fs freeze-list": "guest-get-fsinfo, guest-fsfreeze-status",
    "fs with-frozen": "guest-get-fsinfo, guest-fsfreeze-status, guest-fsfreeze-freeze, "
                      "guest-fsfreeze-thaw",
    "raw": "the one that you name",
    "batch": "those of each line",
    "metrics": "those that only read",
    "exporter": "those that only read",
    "top": "those that only read",
    "ssh config": "",
    "completion": "",
    "config show": "",
    "help": "",
}  # fmt: skip


def explain(command: Command, given: dict[str, Any], targets: Sequence[Target]) -> str:
    """The text, for the values `given` on the command line."""
    if not command.wire:
        return _verb(command, given)
    try:
        request = _request(command, given)
    except UsageError:
        if not any(arg.kind == spec.WORDS for arg in command.args):
            raise
        return _verb(command, given)  # a program gets bytes, too, that no request can hold
    seconds = math.ceil(given.get("timeout") or command.patience)
    lines = [request, *(_by_hand(target, request, seconds) for target in targets)]
    if command.run:
        lines.append(f"# more calls may follow: {_calls(command)}")
    return "".join(f"{printable(line)}\n" for line in lines)  # names come from the host's list


def _verb(command: Command, given: dict[str, Any]) -> str:
    """What a verb would do, in a sentence, and the calls that it is made of."""
    what = command.summary[:1].lower() + command.summary[1:]
    words = [
        shlex.join(map(str, value)) if isinstance(value, list) else str(value)
        for arg in for_command(command)
        if arg.positional and (value := given.get(arg.name))
    ]
    if command.scope == "places" and len(given["places"]) > 1:
        *sources, target = map(str, given["places"])
        words = [f"{', '.join(map(_sized, sources))} to {target}"]
    about = printable(f": {' '.join(words)}") if words else ""
    calls = _calls(command)
    sent = f"Calls: {calls}; -vv tells each as it is made." if calls else "It asks no agent."
    return f"Would {what}{about}\n{sent}\n"


def _sized(place: str) -> str:
    """A source, with its size if it is a file of this host."""
    return f"{place} ({size(os.path.getsize(place))})" if os.path.isfile(place) else place


def _calls(command: Command) -> str:
    """Wire names that the command is made of, the usual ones."""
    if command.scope in ("places", "inside") or command.name == "script":
        return _FILES if command.scope != "guest" else _PROGRAM
    return _CALLS.get(command.name, "guest-info")


def _request(command: Command, given: dict[str, Any]) -> str:
    """The request; what is secret or read from standard input is named only."""
    arguments: dict[str, object] = {}
    for arg in command.args:
        if arg.wire and arg.kind in (spec.STDIN, spec.SECRET):
            arguments[arg.wire] = f"<{arg.name}>"
        elif arg.kind == spec.WORDS:
            program, *rest = given[arg.name]
            arguments |= dict(zip(arg.wire.split(), (program, rest), strict=True))
        elif arg.wire and arg.name in given:
            arguments[arg.wire] = given[arg.name]
    if ID in command.args:  # without one it is a random number, and the agent wants one
        arguments.setdefault(ID.name, 42)
    return wire.encode(command.wire, arguments)


def _by_hand(target: Target, request: str, seconds: int) -> str:
    scheme, _, path = (target.uri or "").partition(":")
    if target.uri == "pve":
        scheme, path = "unix", "/var/run/qemu-server/VMID.qga"
        path = path.replace("VMID", target.name) if target.name.isdecimal() else path
    if scheme == "unix":
        socket = shlex.quote(f"UNIX-CONNECT:{path.replace('{vm}', target.name)}")
        return f"echo {shlex.quote(request)} | socat -t{seconds} - {socket}"
    if scheme == "vsock":
        place = path.replace("{vm}", target.name)
        return f"echo {shlex.quote(request)} | socat -t{seconds} - VSOCK-CONNECT:{place}"
    if wire.name_of(request) == SYNC_DELIMITED.wire:
        return "# its 0xFF byte ends the guest's agent link of libvirt: see `qga sync`"
    host = ["-c", target.uri] if target.uri else []
    words = ["virsh", *host, "qemu-agent-command", target.name, request, "--timeout", str(seconds)]
    return shlex.join(words)
