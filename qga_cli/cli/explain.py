"""`--explain`: what would be sent, and how virsh or socat would send the same. Nothing is sent."""

import math
import shlex
import sys

from qga_cli import spec, wire
from qga_cli.agent import Agent
from qga_cli.cli import values
from qga_cli.spec import Command
from qga_cli.targets import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Verb = Callable[[Agent], object]


class _Curtain(BaseException):
    """Ends a rehearsal at its first request. No QgaError: a verb would try its next way."""


class _Rehearsal:
    """A transport to nowhere that keeps the request."""

    read_chunk = write_chunk = 2**16

    def __init__(self) -> None:
        self.request = ""

    def call(self, text: str, timeout: float) -> str:
        self.request = self.request or text
        raise _Curtain

    def resync(self) -> None:
        """Nothing was sent."""

    def state(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing is held."""


def explain(
    command: Command, given: "dict[str, Any]", targets: "Sequence[Target]", verb: "Verb"
) -> str:
    """The text. `verb` runs a verb with the agent it is given."""
    if command.scope == "none":
        return f"`qga {command.name}` calls no agent\n"
    if not command.wire:
        about = [f"`qga {command.name}` composes several agent calls.", command.notes,
                 "With -vv it tells each call as it makes it."]  # fmt: skip
        return "\n\n".join(filter(None, about)) + "\n"
    request = _rehearse(targets[0], verb) if command.run else _request(command, given)
    if not request:
        return f"`qga {command.name}` would send nothing with these arguments\n"
    seconds = math.ceil(given.get("timeout") or command.patience)
    lines = [request, *(_by_hand(target, request, seconds) for target in targets)]
    if command.run:
        lines.append(f"# the first of several calls; see `qga help {command.name}`")
    return "".join(f"{line}\n" for line in lines)


def _request(command: Command, given: "dict[str, Any]") -> str:
    """The request of a wire command; what is secret or read from standard input is named only."""
    hidden: dict[str, object] = {arg.wire: f"<{arg.name}>" for arg in command.args
              if arg.wire and arg.kind in (spec.STDIN, spec.SECRET)}  # fmt: skip
    return wire.encode(command.wire, values.wire_arguments(command, given, hidden))


def _rehearse(target: Target, verb: "Verb") -> str:
    rehearsal = _Rehearsal()
    try:
        verb(Agent(rehearsal, target.label))
    except _Curtain:
        sys.stdout.flush()
    return rehearsal.request


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
