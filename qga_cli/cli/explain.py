"""`--explain`: what would be sent, and how virsh or socat would send the same. Nothing is sent."""

from __future__ import annotations

import math
import shlex

from qga_cli import spec, wire
from qga_cli.cli.options import for_command
from qga_cli.format import printable
from qga_cli.guests.targets import Target
from qga_cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_TRACE = "With -vv it tells each call as it makes it."


def explain(command: Command, given: dict[str, Any], targets: Sequence[Target]) -> str:
    """The text, for the values `given` on the command line."""
    if not command.wire:
        asks = any(arg.kind in (spec.GUEST, spec.PLACE) for arg in for_command(command))
        how = "composes several agent calls" if asks else "sends no command of its own"
        parts = [f"`qga {command.name}` {how}.", command.notes, _TRACE]
        return "\n\n".join(filter(None, parts)) + "\n"
    request = _request(command, given)
    seconds = math.ceil(given.get("timeout") or command.patience)
    lines = [request, *(_by_hand(target, request, seconds) for target in targets)]
    if command.run:
        lines.append(f"# `qga {command.name}` does more than this one call; -vvv shows it all")
    return "".join(f"{printable(line)}\n" for line in lines)  # names come from the host's list


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
    return wire.encode(command.wire, arguments)


def _by_hand(target: Target, request: str, seconds: int) -> str:
    scheme, _, path = (target.uri or "").partition(":")
    if scheme == "unix":
        socket = shlex.quote(f"UNIX-CONNECT:{path.replace('{vm}', target.name)}")
        return f"echo {shlex.quote(request)} | socat -t{seconds} - {socket}"
    if scheme == "vsock":
        place = path.replace("{vm}", target.name)
        return f"echo {shlex.quote(request)} | socat -t{seconds} - VSOCK-CONNECT:{place}"
    host = ["-c", target.uri] if target.uri else []
    words = ["virsh", *host, "qemu-agent-command", target.name, request, "--timeout", str(seconds)]
    return shlex.join(words)
