"""Agents on vsock: `vsock:{vm}:PORT`, where the guest's name is its context id (CID)."""

from __future__ import annotations

import socket

from qga_cli.errors import NoGuest, UsageError
from qga_cli.transports import ListedGuest
from qga_cli.transports.stream import SocketHost, StreamTransport, unreachable

_MOST = 2**32 - 2  # as a CID or port: the kernel's are 32 bits, of which Python keeps the low ones


class VsockHost(SocketHost):
    """Agents started with `qemu-ga -m vsock-listen -p CID:PORT`."""

    def __init__(self, address: str) -> None:
        cid, _, port = address.rpartition(":")
        if not _is_number(port) or not cid:
            raise UsageError(
                f"cannot read vsock:{address}", hint="write vsock:{vm}:PORT or vsock:CID:PORT"
            )
        self.uri = f"vsock:{address}"
        self._cid = cid
        self._port = int(port)

    def guests(self) -> list[ListedGuest]:
        """vsock has no directory of guests; only a fixed CID is known."""
        return [ListedGuest(self._cid)] if _is_number(self._cid) else []

    def open(self, name: str) -> StreamTransport:
        """The agent of this CID; it is connected at the first call."""
        cid = self._cid.replace("{vm}", name)
        if not _is_number(cid):
            raise NoGuest(f"{cid!r} is not a vsock context id", hint="a CID is a number above 2")
        number = int(cid)
        label = f"vsock:{number}:{self._port}"
        return StreamTransport(
            lambda timeout: _connect(number, self._port, timeout), label, str(number)
        )


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 20 and int(text) <= _MOST


def _connect(cid: int, port: int, timeout: float) -> socket.socket:
    channel = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    channel.settimeout(timeout)
    try:
        channel.connect((cid, port))
    except OSError as error:
        channel.close()
        hint = "does the guest run, with a vsock device and qemu-ga -m vsock-listen?"
        raise unreachable(f"vsock:{cid}:{port}", error, hint) from error
    return channel
