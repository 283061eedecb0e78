"""A UNIX socket for a serial port of wine's: `bridge.py SOCKET LINK`.

LINK becomes a symbolic link to a pseudo-terminal, which stays open while clients come and go, one
at a time. What the agent says while nobody is there is thrown away, as QEMU does.
"""

import os
import select
import socket
import sys
import tty
from pathlib import Path

PIECE = 64 * 1024
AHEAD = 8 * 2**20  # bytes held for a client that does not read


class Bridge:
    """Carries bytes both ways."""

    def __init__(self, path: str, link: str) -> None:
        self.master, self.slave = os.openpty()  # the slave too: no EIO when the agent restarts
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        for name in (path, link):
            Path(name).unlink(missing_ok=True)
        os.symlink(os.ttyname(self.slave), link)
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(path)
        self.door.listen(16)
        self.client: socket.socket | None = None
        self.to_guest, self.to_host = bytearray(), bytearray()

    def run(self) -> None:
        """For ever."""
        while True:
            self.step()

    def step(self) -> None:
        """Wait until something can be moved, and move it."""
        read: list[socket.socket | int] = [self.master] if len(self.to_host) < AHEAD else []
        write: list[socket.socket | int] = [self.master] if self.to_guest else []
        if self.client is None:
            read.append(self.door)
        else:
            read += [self.client] if len(self.to_guest) < 2**20 else []
            write += [self.client] if self.to_host else []
        can_read, can_write, _ = select.select(read, write, [])
        if self.door in can_read:
            self.client, _ = self.door.accept()
            self.client.setblocking(False)
        if self.master in can_read:
            data = os.read(self.master, PIECE)
            if self.client:
                self.to_host += data
        if self.client in can_read:
            self.receive()
        if self.client and self.client in can_write and self.to_host:
            self.send()
        if self.master in can_write:
            del self.to_guest[: os.write(self.master, bytes(self.to_guest[:4096]))]

    def receive(self) -> None:
        """Take what the client says."""
        assert self.client
        try:
            data = self.client.recv(PIECE)
        except OSError:
            data = b""
        if data:
            self.to_guest += data
        else:
            self.drop()

    def send(self) -> None:
        """Give it what the agent says."""
        assert self.client
        try:
            del self.to_host[: self.client.send(bytes(self.to_host[: 4 * PIECE]))]
        except OSError:
            self.drop()

    def drop(self) -> None:
        """The client has gone."""
        assert self.client
        self.client.close()
        self.client = None
        self.to_host.clear()


if __name__ == "__main__":
    Bridge(*sys.argv[1:]).run()
