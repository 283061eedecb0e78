"""The bare loops' way to an agent: libvirt-python, or a socket with the least that works."""

import json
import socket
from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]


def open_call(where: str) -> Call:
    """A function (command, **arguments) -> result, for a domain's name or unix:PATH."""
    if where.startswith("unix:"):
        return _socket(where[5:])
    import libvirt

    return over_libvirt(libvirt.open(None).lookupByName(where))


def over_libvirt(domain: Any) -> Call:
    """The same for a libvirt.virDomain."""
    import libvirt_qemu

    def call(command: str, **arguments: object) -> Any:
        request = json.dumps({"execute": command, "arguments": arguments})
        return json.loads(libvirt_qemu.qemuAgentCommand(domain, request, 30, 0))["return"]

    return call


def _socket(path: str) -> Call:
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(path)
    replies = channel.makefile("rb", buffering=1 << 20)

    def call(command: str, **arguments: object) -> Any:
        channel.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        return json.loads(replies.readline())["return"]

    return call
