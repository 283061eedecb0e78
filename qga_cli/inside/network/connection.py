"""One connection of a tunnel, and what it has on this side: a socket, or two descriptors."""

import _socket
import errno
import os
import select

from qga_cli.inside.network.frames import GRANTED, LONGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_AGAIN = (errno.EAGAIN, errno.EINTR)
_ABORT = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 seconds


class TunnelConnection:
    """One connection. `reader` and `writer` are descriptors, of `socket` if it is one."""

    def __init__(self, number: int, socket: "Any" = None) -> None:
        self.number = number
        self.socket = socket
        self.reader = self.writer = socket.fileno() if socket else -1
        self.candidates: list[tuple[int, Any]] = []  # addresses that are not tried yet
        self.why = ""  # the first of them failed
        self.dialing = False
        self.waiting = False  # for the other side's OPENED
        self.credit = self.allowed = GRANTED  # bytes that we may send, that may come
        self.taken = 0  # bytes passed on and not granted anew yet
        self.most = GRANTED  # bytes of one write: fewer where a write may wait
        self.trouble: OSError | None = None  # of its own
        self.pending = bytearray()
        self.sent_end = self.ended = False  # no more from here; no more from the other side

    @property
    def may_send(self) -> bool:
        """Whether the other side takes more, and there may be more."""
        return self.credit > 0 and not (self.waiting or self.sent_end)

    def wanted(self, room: bool) -> "dict[int, int]":
        """Poll events that it waits for, by descriptor; `room`: the link takes more."""
        if self.dialing:
            return {self.writer: select.POLLOUT} if self.writer >= 0 else {}
        found: dict[int, int] = {}
        if room and self.may_send:
            found[self.reader] = select.POLLIN
        if self.pending:
            found[self.writer] = found.get(self.writer, 0) | select.POLLOUT
        return found

    def read(self) -> "bytes | None":
        """Read from its peer, as much as is granted; b"" at the end, None if nothing yet."""
        try:
            data = os.read(self.reader, min(LONGEST, self.credit))
        except OSError as error:
            if error.errno in _AGAIN:
                return None
            raise
        self.credit -= len(data)
        return data

    def write_pending(self) -> int:
        """Write to its peer what has come, until that would wait. Returns bytes to grant anew."""
        while self.pending and self._has_room():
            try:
                count = os.write(self.writer, self.pending[: self.most])
            except OSError as error:
                if error.errno in _AGAIN:
                    break
                raise
            del self.pending[:count]
            self.taken += count
        if self.ended or self.taken < GRANTED // 2:
            return 0
        count, self.taken = self.taken, 0
        self.allowed += count
        return count

    def _has_room(self) -> bool:
        """Whether a write waits for nobody: what is not ours alone may be no non-blocking one."""
        if self.most >= GRANTED:
            return True
        look = select.poll()
        look.register(self.writer, select.POLLOUT)
        return bool(look.poll(0))

    def end_writing(self) -> None:
        """Close the way to its peer, which finds the end; the way back stays open."""
        if self.socket is None:
            os.close(self.writer)
        else:
            try:
                self.socket.shutdown(_socket.SHUT_WR)
            except OSError:
                pass  # it has gone: reading will tell
        self.writer = -1

    def close(self, abort: bool = False) -> None:
        """Close its socket; with `abort` its peer meets an error."""
        if self.socket is None:
            return
        if abort:
            try:
                self.socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, _ABORT)
            except OSError:
                pass  # of a UNIX socket, or broken already
        self.socket.close()
