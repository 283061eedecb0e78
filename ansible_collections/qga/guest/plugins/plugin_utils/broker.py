# Apache License 2.0 (see LICENSE of qga)
"""Holds one guest open between tasks, as ssh's ControlPersist does: a process of its own.

Each task is a process of Ansible's own. It finds this one by a socket, sends what is to be run and
reads how that goes. Here are the connection and two ports to the guest; at their other end waits a
Python that forks for each task (qga_cli/inside/tasks/runner.py).

    task                      broker                              guest
      b"S" or b"P" ─────────▶  gives it a number ──────────────▶  runs it
                   ◀───────── b"O" b"E" b"X" ◀─────────────────
      is gone                  b"K" ───────────────────────────▶  ends it, and what it has started
                   ◀───────── b"N": not sent, run it another way
                   ◀───────── b"U": not sent, there is no way
                   ◀───────── b"L": sent, and no end was heard

It ends when no task has come for a while, or when the guest is lost. However it ends, the runner in
the guest then ends its tasks and itself.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
import time

from qga_cli import connect
from qga_cli.errors import NoChannel, NotDelivered, QgaError, Refused, TimedOut, Unsupported
from qga_cli.inside import modules
from qga_cli.inside.tasks import FILES, START
from qga_cli.inside.tasks.frames import HEAD, HELLO, SIZE

_BEGIN = 60.0  # seconds for Python in the guest to start
_LOOK = 1.0  # seconds between two looks whether this one is wanted
_QUIET = 2.0  # seconds of silence before a look whether the guest is there still
_MOST = 2**20  # bytes of one frame; the runner sends 64 KiB at a time
_STUCK = struct.pack("@ll", 60, 0)  # seconds for a task to take what it asked for
_TAKES = 90.0  # seconds for the guest to take a piece: it may wait for such a task meanwhile


class Broker:
    """One guest. `listener` is the socket that tasks come to at `path`, `persist` in seconds.

    `timeout`: seconds that the agent may take to answer.
    """

    def __init__(self, listener: socket.socket, path: str, persist: float, timeout: float) -> None:
        self._listener = listener
        self._path = path
        self._inode = os.stat(path).st_ino
        self._persist = persist
        self._timeout = timeout
        self._refusal = b"N"
        self._lock = threading.Lock()  # around the stream's writing, and calls of libvirt's
        self._writing_since = 0.0
        self._tasks: dict[int, socket.socket] = {}
        self._count = 0
        self._talking: set[socket.socket] = set()
        self._idle_since = time.monotonic()
        self._ready = threading.Event()
        self._obstacle = ""
        self._python = ""
        self._stream = None

    def serve(self, uri: str, guest: str, python: str) -> None:
        """Until nobody wants it any more. `python` is the guest's, as tasks name it."""
        self._python = python
        threading.Thread(target=self._open, args=(uri, guest, python), daemon=True).start()
        self._listener.settimeout(_LOOK)
        while not self._is_stuck():
            try:
                task = self._listener.accept()[0]
            except TimeoutError:
                idle = time.monotonic() - self._idle_since > self._persist
                if self._talking or (self._is_found() and not idle):
                    continue
                if self._hide():
                    continue  # for one that found the socket just before
                return
            self._talking.add(task)
            threading.Thread(target=self._task, args=(task,), daemon=True).start()

    def _is_stuck(self) -> bool:
        """Whether the guest takes nothing any more; then all who wait are told."""
        since = self._writing_since  # once: whoever writes may end just now
        if not since or time.monotonic() - since < _TAKES:
            return False
        why = b"the program in the guest takes nothing any more"
        unsent = self._talking - set(self._tasks.values())
        self._lose(why.decode())
        for task in unsent:
            with contextlib.suppress(OSError):
                task.sendall(HEAD.pack(b"N", 0, len(why)) + why)
        return True

    def _is_found(self) -> bool:
        """Whether tasks that look for a broker find this one."""
        try:
            return os.stat(self._path).st_ino == self._inode
        except FileNotFoundError:
            return False

    def _hide(self) -> bool:
        """Be found no more; whether that changes anything."""
        if self._is_found():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
                return True
        return False

    def close(self) -> None:
        """Let the guest go."""
        if self._stream:
            # libvirt may lose one of two calls at a time. What is stuck is not waited for.
            self._lock.acquire(timeout=_LOOK)
            self._stream.close()

    def _open(self, uri: str, guest: str, python: str) -> None:
        text = modules("tasks", *FILES).encode()
        try:
            self._guest = connect(uri or None).guest(guest)
            self._guest.ping(self._timeout)
            stream = self._guest.open_stream([python, "-c", START, str(len(text))], prompt=True)
            stream.write(text)
            said = b""
            until = time.monotonic() + _BEGIN
            while len(said) < HEAD.size:
                piece = stream.read(until - time.monotonic())
                if not piece:
                    raise TimedOut(f"{python} in the guest ended at once")
                said += piece
            if said[:1] != HELLO:
                raise TimedOut(f"{python} in the guest says something else")
            self._stream = stream
        except QgaError as error:
            if isinstance(error, NotDelivered) and not isinstance(error, NoChannel):
                self._refusal = b"U"
                self._hide()  # the next one may have more luck
            self._obstacle = ". ".join(filter(None, (error.said(), error.advice)))
            return
        except Exception as error:  # no thread or descriptor is left: another way may need fewer
            self._obstacle = _said(error)
            return
        finally:
            self._ready.set()
        self._hear(said[HEAD.size :])

    def _hear(self, said: bytes) -> None:
        """Pass on what comes from the guest. In the thread that opened it."""
        while not self._obstacle:
            try:
                piece = self._stream.read(_QUIET)
                if not piece:
                    self._lose("the program in the guest has ended")
                said += piece
            except TimedOut:
                self._look()
                continue
            except Exception as error:
                self._lose(_said(error))
            while len(said) >= HEAD.size:
                kind, number, size = HEAD.unpack_from(said)
                if kind not in b"OEX" or size > _MOST or (kind == b"X" and size != SIZE.size):
                    self._lose("the program in the guest says what ours never would")
                    return
                if len(said) < HEAD.size + size:
                    break
                if kind == b"X" and not _has_ended(SIZE.unpack_from(said, HEAD.size)[0]):
                    self._lose("the program in the guest says what ours never would")
                    return
                self._tell(number, said[: HEAD.size + size])
                said = said[HEAD.size + size :]

    def _tell(self, number: int, frame: bytes) -> None:
        task = self._tasks.get(number)
        if task is None:
            return
        try:
            task.sendall(frame)
            if frame[:1] == b"X":
                self._tasks.pop(number, None)
        except OSError:  # it is gone, or takes nothing: its own thread has it ended
            with contextlib.suppress(OSError):
                task.shutdown(socket.SHUT_RDWR)

    def _look(self) -> None:
        """A guest that was reset says nothing: libvirt knows. Who writes just now hears of it."""
        if not self._lock.acquire(blocking=False):
            return  # waiting here, nobody would read what the guest must say before it takes more
        try:
            there = self._stream.is_there()
        except QgaError:
            there = False
        finally:
            self._lock.release()
        if not there:
            self._lose("the program in the guest has gone")

    def _hindrance(self) -> tuple[bytes, str]:
        """Why nothing is to be run just now: the agent's own word would be that it is frozen."""
        self._look()
        with self._lock:
            try:
                if self._guest.call("guest-fsfreeze-status", timeout=self._timeout) != "thawed":
                    return b"N", "frozen"
            except (Refused, Unsupported):  # who may freeze is no matter here
                return b"N", self._obstacle
            except NotDelivered as error:
                return b"U", error.said()
            except QgaError as error:
                return b"N", error.said()
        return b"N", self._obstacle

    def _lose(self, why: str) -> None:
        self._obstacle = why
        self._hide()  # the next one may have more luck
        for number, task in list(self._tasks.items()):
            self._tell(number, HEAD.pack(b"L", 0, len(why.encode())) + why.encode())
            with contextlib.suppress(OSError):
                task.shutdown(socket.SHUT_RDWR)

    def _task(self, task: socket.socket) -> None:
        try:
            with task:
                task.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _STUCK)
                self._serve_task(task)
        except OSError:
            return  # it is gone
        finally:
            self._idle_since = time.monotonic()
            self._talking.discard(task)

    def _serve_task(self, task: socket.socket) -> None:
        kind, _number, size = HEAD.unpack(_exactly(task, HEAD.size))
        data = _exactly(task, size)
        self._ready.wait()
        no, obstacle = self._refusal, self._obstacle
        if not obstacle:
            no, obstacle = self._hindrance()
        if not obstacle and kind == b"P":  # another may have other libraries
            obstacle = self._other(data)
        if obstacle:
            told = obstacle.encode()
            task.sendall(HEAD.pack(no, 0, len(told)) + told)
            return
        with self._lock:
            if _has_gone(task):  # its time is over: it has been told that nothing runs
                return
            self._count += 1
            number = self._count
            self._tasks[number] = task
            self._write(HEAD.pack(kind, number, size) + data)
        task.recv(1)  # nothing comes: this is its end
        if self._tasks.pop(number, None) and not self._obstacle:
            with self._lock, contextlib.suppress(QgaError):
                self._write(HEAD.pack(b"K", number, 0))

    def _other(self, data: bytes) -> str:
        """Why a script cannot be run: it is for another Python. Empty if it is for this one."""
        (size,) = SIZE.unpack_from(data)
        python = os.fsdecode(data[SIZE.size : SIZE.size + size].partition(b"\0")[0])
        this = self._python
        return "" if python == this else f"what keeps this guest open is {this}, not {python}"

    def _write(self, data: bytes) -> None:
        try:
            for at in range(0, len(data), _MOST):
                self._writing_since = time.monotonic()
                self._stream.write(data[at : at + _MOST])
        finally:
            self._writing_since = 0.0


def _said(error: Exception) -> str:
    """What went wrong, never empty."""
    return error.said() if isinstance(error, QgaError) else str(error) or type(error).__name__


def _has_ended(status: int) -> bool:
    """Whether a wait status is that of a process that is no more; others have no exit code."""
    return status < 2**16 and (os.WIFEXITED(status) or os.WIFSIGNALED(status))


def _has_gone(task: socket.socket) -> bool:
    """Whether it has closed its end; it says nothing after its request."""
    try:
        return not task.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except BlockingIOError:
        return False


def _exactly(task: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = task.recv(min(count - len(data), 1 << 20))
        if not piece:
            raise OSError("it ended in the middle")
        data += piece
    return data


def main() -> None:
    """Descriptor of the listening socket, its path, two times; URI, guest, Python in the guest."""
    number, path, persist, timeout, uri, guest, python = sys.argv[1:]
    listener = socket.socket(fileno=int(number))
    broker = Broker(listener, path, float(persist), float(timeout))
    try:
        broker.serve(uri, guest, python)
    finally:
        broker.close()


if __name__ == "__main__":
    main()
    os._exit(0)
