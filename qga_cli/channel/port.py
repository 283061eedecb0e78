"""One port that we have opened, to read or to write."""

from __future__ import annotations

import collections
import os
import select
import threading
import time

from qga_cli.errors import NoChannel, QgaError
from qga_cli.interrupt import POLL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.ports import PortStream

_AHEAD = 4  # pieces of at most 256 KiB that wait here for who reads; then the guest waits
_MOST = 4 * 2**20  # bytes before the nonce, of an earlier user or a guest that floods
# Seconds for a call of libvirt's to end once its port has been unplugged. One that wrote to a guest
# which floods the port was seen not to, and a connection cannot be closed under it: thread and
# connection are left behind then, and end with us.
_STUCK = 5.0
_LINE = 100  # bytes of the line that the end begins


class OutPort:
    """A port whose guest's end is read; all that is sent to it goes to the guest."""

    def __init__(self, name: str, stream: PortStream) -> None:
        self.name = name
        self._stream = stream
        self._busy = threading.Lock()

    @property
    def at_rest(self) -> bool:
        """Whether no write is under way."""
        return not self._busy.locked()

    def write(self, data: bytes) -> None:
        """Send all of it, waiting for the guest to take it. Raises OutcomeUnknown."""
        with self._busy:
            self._stream.write(data)

    def close(self) -> None:
        """Let go of it, once it is at rest or unplugged."""
        if not self._busy.acquire(timeout=_STUCK):
            return
        try:
            self._stream.close()
        finally:
            self._busy.release()


class InPort:
    """A port that the guest writes. A thread fetches a few pieces ahead of us.

    A guest's program is there once it has said `nonce`, on a line of its own: what comes before
    that is of an earlier user. It ends with a line that begins with `end`: then nothing is read
    any more. `fileno` is for select: readable while there is something to read.
    """

    def __init__(self, name: str, stream: PortStream) -> None:
        self.name = name
        self.nonce = os.urandom(16).hex()
        self.end = f"qga.{os.urandom(16).hex()} "
        self._stream = stream
        self._pieces: collections.deque[bytes | QgaError] = collections.deque()
        self._room = threading.Semaphore(_AHEAD)
        self._told, self._tell = os.pipe()
        self._said, self._dropped = b"", 0  # before the nonce
        self._closed = self._ended = False
        self._thread = threading.Thread(target=self._fetch, daemon=True)
        self._thread.start()

    @property
    def at_rest(self) -> bool:
        """Whether the guest has sent its end mark: nothing more comes."""
        return self._ended

    def fileno(self) -> int:
        """For select."""
        return self._told

    def greet(self, seconds: float) -> None:
        """Wait for the guest's nonce. Raises NoChannel, also when the port is lost meanwhile.

        This may be called again: when it was only too late, or until another port's has come too.
        """
        until = time.monotonic() + seconds
        wanted = self.nonce.encode() + b"\n"
        try:
            while wanted not in self._said:
                self._dropped += max(0, len(self._said) - len(wanted))
                piece = self.read(until - time.monotonic())
                self._said = self._said[-len(wanted) :] + piece
                if self._dropped > _MOST or (not piece and time.monotonic() > until):
                    raise NoChannel("nobody in the guest has opened the port")
        except NoChannel:
            raise
        except QgaError as error:
            raise NoChannel(error.message) from error
        rest, self._said = self._said.partition(wanted)[2], wanted
        if rest:
            self.put_back(rest)

    def put_back(self, data: bytes) -> None:
        """Have the next `read` return it."""
        self._pieces.appendleft(data)
        os.write(self._tell, b"!")

    def read(self, seconds: float) -> bytes:
        """The next piece; empty when none comes in time. Raises OutcomeUnknown."""
        waiter = select.poll()
        waiter.register(self._told, select.POLLIN)
        if not waiter.poll(max(0.0, min(seconds, POLL)) * 1000):
            return b""
        os.read(self._told, 1)
        piece = self._pieces.popleft()
        self._room.release()
        if isinstance(piece, QgaError):
            self._pieces.append(piece)  # for whoever asks again
            os.write(self._tell, b"!")
            raise piece
        return piece

    def close(self) -> None:
        """Let go of it, once it is at rest or unplugged."""
        self._closed = True
        self._room.release(_AHEAD)
        self._thread.join(_STUCK)
        if self._thread.is_alive():
            return
        self._stream.close()
        os.close(self._told)
        os.close(self._tell)

    def _fetch(self) -> None:
        end, tail = self.end.encode(), b""
        while not self._closed:
            piece: bytes | QgaError
            try:
                piece = self._stream.read()
                tail = (tail + piece)[-_LINE - len(piece) :]
            except QgaError as error:
                piece = error
            lost = isinstance(piece, QgaError)
            self._ended = lost or (end in tail and b"\n" in tail.partition(end)[2])
            self._room.acquire()
            self._pieces.append(piece)
            os.write(self._tell, b"!")
            if self._ended:
                return
