"""The guest's end of a tunnel: dials what the host names, listens where it says.

The link is our standard input and output. When the host goes, the input ends, and so do we with
all that is open.
"""

import os
import select

from qga_cli.inside.network.connection import TunnelConnection
from qga_cli.inside.network.frames import FAILED, LISTEN, OPENED, Broken
from qga_cli.inside.network.mux import Mux

_PIECE = 65536


class TunnelRelay(Mux):
    """Serves one host."""

    def asked(self, number: int, payload: bytes) -> None:
        """`tcp PORT HOST`, `unix PATH`."""
        kind, _, rest = payload.partition(b" ")
        if kind == b"unix":
            self.dial_path(number, rest)
            return
        port, _, host = rest.partition(b" ")
        self.dial(number, host.decode("utf-8", "replace"), int(port))

    def command(self, kind: int, number: int, payload: bytes) -> None:
        """`PORT HOST` to listen at."""
        if kind != LISTEN:
            raise Broken("a frame of an unknown kind")
        port, _, host = payload.partition(b" ")
        try:
            name, found = self.listen(host.decode(), int(port), number)
        except OSError as error:
            self.send(FAILED, number, str(error.strerror or error).encode())
        else:
            self.send(OPENED, number, f"{found} {name}".encode())

    def accepted(self, connection: TunnelConnection, listener: int) -> bytes:
        """Tell the host which LISTEN this connection belongs to."""
        return listener.to_bytes(4, "big")


def serve() -> None:
    """Run until the host closes the link."""
    relay = TunnelRelay()
    relay.send(OPENED, 0)  # we are there
    os.set_blocking(0, False)
    os.set_blocking(1, False)
    try:
        while turn(relay):
            pass
    finally:
        os.set_blocking(1, True)  # a shell says how we ended there
        relay.drop_all()


def turn(relay: TunnelRelay) -> bool:
    """Wait for events and handle them; False when the host has closed the link."""
    poll = relay.watch()
    poll.register(0, select.POLLIN)
    if relay.out:
        poll.register(1, select.POLLOUT)
    events = poll.poll()
    # First what the poll has found: a new connection may have the descriptor of one that goes.
    relay.serve(events)
    if 0 in dict(events):
        data = come()
        if data is not None:
            if not data:
                return False
            relay.feed(data)
    try:
        while relay.out:  # a port takes 32 KiB at a time
            del relay.out[: os.write(1, relay.out[:_PIECE])]
    except BlockingIOError:
        pass  # the host reads no faster
    return True


def come() -> "bytes | None":
    """What has come: empty at the end, None if nothing has. A port gives a page at a time
    (fill_readbuf in Linux's virtio_console.c), and a turn for each would take too long."""
    pieces = b""
    try:
        while len(pieces) < _PIECE:
            data = os.read(0, _PIECE)
            if not data:
                break
            pieces += data
    except BlockingIOError:
        return pieces or None
    return pieces
