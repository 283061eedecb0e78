"""Agents on UNIX sockets of the host: `unix:/path/qga.sock` or `unix:/run/{vm}.qga`."""

from __future__ import annotations

import os
import socket
import stat
import time

from qga_cli.errors import Busy, Denied, NoGuest, Unreachable, UsageError
from qga_cli.transports import ListedGuest
from qga_cli.transports.stream import SocketHost, StreamTransport, unreachable

_NAME = "{vm}"
_PATIENCE = 30.0  # seconds for a turn, as libvirt's for a guest's lock
_PAUSE = 0.02  # seconds until a full queue is tried again


class UnixHost(SocketHost):
    """One socket, whatever the guest is called, or a folder of them named by a template."""

    def __init__(self, path: str) -> None:
        if not path:
            raise UsageError("unix: needs a path", hint="for example unix:/run/qga/{vm}.sock")
        self.uri = f"unix:{path}"
        self._path = path

    def guests(self) -> list[ListedGuest]:
        """The sockets that match the template; a plain path is one guest named by its file."""
        before, mark, after = self._path.partition(_NAME)
        if not mark:
            name = os.path.basename(self._path)
            return [ListedGuest(name)] if _is_socket(self._path) else []
        folder, prefix = os.path.split(before)
        inner = after.partition("/")[0]  # {vm} may name a folder: /run/{vm}/qga.sock
        try:
            entries = os.listdir(folder or ".")
        except OSError as error:
            raise unreachable(folder, error, "the template's folder cannot be read") from error
        names = [
            entry[len(prefix) : len(entry) - len(inner)]
            for entry in entries
            if entry.startswith(prefix) and entry.endswith(inner)
            and len(entry) > len(prefix) + len(inner)
        ]  # fmt: skip
        paths = {name: self._path.replace(_NAME, name) for name in sorted(names)}
        return [ListedGuest(name) for name, path in paths.items() if _is_socket(path)]

    def open(self, name: str, called: str = "") -> StreamTransport:
        """The agent on the socket, connected at the first call. `called`: if not by `name`."""
        if _NAME in self._path and ("/" in name or name in (".", "..")):
            raise NoGuest(f"no guest named {name!r}: a name in a socket template is no path")
        path = self._path.replace(_NAME, name)
        if _NAME in self._path and not os.path.exists(path):
            raise NoGuest(f"no socket {path}", hint="is the guest running?")
        guest = (called or name) if _NAME in self._path else ""
        where = os.path.realpath(path)  # the same for all who name it in other ways
        return StreamTransport(lambda timeout: connect(path, timeout), path, guest, where)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False  # it has gone, or stands in a folder that is not for us


def connect(path: str, timeout: float) -> socket.socket:
    """A connection to the socket. Raises Unreachable; Busy if others wait there all the time.

    `timeout` in seconds: a full queue refuses at once, and nothing tells when there is room.
    """
    timeout = min(timeout, _PATIENCE)
    deadline = time.monotonic() + timeout
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(timeout)
    while True:
        try:
            channel.connect(path)
            return channel
        except BlockingIOError as error:
            if (left := deadline - time.monotonic()) <= 0:
                channel.close()
                raise Busy(
                    f"no turn at {path} within {timeout:.3g} s: other callers wait for this agent",
                    hint="a QEMU socket serves one client at a time: libvirt, or another tool, "
                    "may hold it",
                ) from error
            time.sleep(min(_PAUSE, left))
        except OSError as error:
            channel.close()
            raise _why(path, error) from error


def _why(path: str, error: OSError) -> Unreachable:
    if isinstance(error, PermissionError):
        hint = "run as a user who may write to the socket"
        return Denied(f"cannot connect to {path}: {error.strerror}", hint=hint)
    if "too long" in str(error):
        return Unreachable(f"socket path is too long: {path}")
    gone = isinstance(error, FileNotFoundError)
    hint = "no such socket: is the agent or QEMU running?" if gone else "nobody listens there now"
    return unreachable(path, error, hint)
