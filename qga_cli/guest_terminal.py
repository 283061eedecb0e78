"""The guest's end of a terminal: sent as text, run there by any Python from 3.6 on.

Two pseudo-terminals. The program runs on one. The other is the carrier: its master is here, the
agent opens its slave, raw with VMIN = VTIME = 0. There a read that finds nothing returns no
bytes, where a FIFO would fail with EAGAIN and lose what was read before it (n_tty_read,
drivers/tty/n_tty.c), so the agent can poll it; the kernel bounds it to some kilobytes, so a
program that floods waits; and nothing is written to a disk. When its reader stays away, or
this process dies, the kernel hangs up both.

Only built-in modules are used: Debian's python3-minimal has neither termios nor pty nor json.
The numbers of ioctl are those of x86, ARM, s390x and RISC-V; elsewhere (POWER) they fail at
once, and the host takes another way.
"""

import errno
import fcntl
import os
import select
import signal
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Frames, both ways: a letter, a length, a payload. Newlines between frames mean nothing: the
# agent's stdio buffers a terminal by lines, so a write that ends with one needs no flush.
HEADER = struct.Struct(">cH")
# To the host. ACK: how many of its bytes are done with, the program has read its part of them.
OUTPUT, ACK, TICK, EXIT = b"o", b"a", b"t", b"x"
# From the host. BYE: the exit code has arrived, nobody will read on.
INPUT, RESIZE, HANG_UP, BYE = b"i", b"w", b"h", b"b"

WINDOW = 4096  # bytes of INPUT the host may have under way
TICKING = 4.0  # seconds between signs of life
PATIENCE = 10  # ticks without a reader until the program is hung up

_ROOM = 16384  # bytes of output to hold until the program has to wait
_AFTERMATH = 65536  # bytes to read after the program's end: a pty holds less
_DYING = 2.0  # seconds a program has to end after a hang-up, to have its exit code reported
_HUNG_UP = 128 + 1

_TCGETS, _TCSETS, _TIOCSWINSZ, _FIONREAD = 0x5401, 0x5402, 0x5414, 0x541B
_TERMIOS = struct.Struct("4IB19s")


def take(inbox: bytearray) -> "tuple[bytes, bytes] | None":
    """Take the first whole frame off `inbox`: its letter and its payload."""
    while inbox[:1] == b"\n":
        del inbox[:1]
    if len(inbox) < HEADER.size:
        return None
    kind, length = HEADER.unpack_from(inbox)
    end = HEADER.size + length
    if len(inbox) < end:
        return None
    payload = bytes(inbox[HEADER.size : end])
    del inbox[:end]
    return kind, payload


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return HEADER.pack(kind, len(payload)) + payload


class Relay:
    """Carries bytes between the program's terminal and the host."""

    def __init__(self, child: int, terminal: int, carrier: int, slave: int) -> None:
        self.child = child
        self.terminal = terminal  # -1 once it is closed
        self.carrier = carrier
        self.slave = slave
        self.to_host = bytearray()
        self.to_program = bytearray()
        self.inbox = bytearray()
        self.received = self.acknowledged = 0
        self.dark = False  # nobody has the terminal open just now; login(1) reopens it
        self.moved = False  # whether the host has read or written since the last tick
        self.missed = 0
        self.ticked = time.monotonic()
        self.deadline = 0.0  # for the child to end, once hung up
        self.over = False
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.set_wakeup_fd(wake)
        os.set_blocking(self.woken, False)
        os.set_blocking(terminal, False)
        os.set_blocking(carrier, False)

    def run(self) -> None:
        """Relay until the host has the exit code, or has been away for too long."""
        self.bury()
        while not self.over and self.missed < PATIENCE:
            self.turn()
        if self.terminal >= 0:
            self.hang_up()

    def turn(self) -> None:
        """Wait until something can be moved, and move it."""
        readers = [self.woken, self.carrier]
        if self.terminal >= 0 and not self.dark and len(self.to_host) < _ROOM:
            readers.append(self.terminal)
        writers = [self.carrier] if self.to_host else []
        if self.to_program and self.terminal >= 0:
            writers.append(self.terminal)
        wait = 0.1 if self.dark or self.deadline else self.ticked + TICKING - time.monotonic()
        self.dark = False
        readable, writable, _ = select.select(readers, writers, [], max(0.0, wait))
        if self.carrier in readable:
            self.listen()
        if self.to_program:  # at once, not a turn later: an echo waits for it
            self.type()
        if self.terminal in readable:
            self.show(8192)
        if self.woken in readable:
            os.read(self.woken, 512)
            self.bury()
        self.acknowledge()
        self.tick()
        if self.carrier in writable or self.terminal in readable:
            self.deliver()

    def deliver(self) -> None:
        """Pass on to the host what it has room for."""
        try:
            del self.to_host[: os.write(self.carrier, self.to_host)]
        except BlockingIOError:
            return
        self.moved = True

    def type(self) -> None:
        """Hand the program what was typed; a terminal that nobody has open takes nothing."""
        try:
            del self.to_program[: os.write(self.terminal, self.to_program)]
        except BlockingIOError:
            return
        except OSError:
            self.to_program.clear()

    def show(self, limit: int) -> int:
        """Take at most `limit` bytes of the program's output; 0 when there is none."""
        try:
            data = os.read(self.terminal, limit)
        except BlockingIOError:
            return 0
        except OSError:
            self.dark = True
            return 0
        self.send(OUTPUT, data)
        return len(data)

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Queue a frame for the host."""
        self.to_host += frame(kind, payload)

    def listen(self) -> None:
        """Act on what the host sends."""
        data = os.read(self.carrier, 8192)
        self.moved = True
        self.received += len(data)
        self.inbox += data
        found = take(self.inbox)
        while found:
            self.obey(*found)
            found = take(self.inbox)

    def acknowledge(self) -> None:
        """Tell the host what is done with: it sends no more than WINDOW ahead of that."""
        done = self.received - len(self.inbox) - len(self.to_program)
        if done > self.acknowledged:
            self.acknowledged = done
            self.send(ACK, struct.pack(">Q", done))

    def obey(self, kind: bytes, payload: bytes) -> None:
        """Act on one frame."""
        if kind == BYE:
            self.over = True
        elif self.terminal < 0:
            return  # too late for all else
        elif kind == INPUT:
            self.to_program += payload
        elif kind == RESIZE:
            resize(self.terminal, *struct.unpack(">HH", payload))
        elif kind == HANG_UP:
            self.hang_up()
            self.deadline = time.monotonic() + _DYING

    def hang_up(self) -> None:
        """End the program: the kernel sends SIGHUP to the first process, we to what it runs."""
        group = os.tcgetpgrp(self.terminal) if self.child else 0
        if group > 1:
            os.killpg(group, signal.SIGHUP)
        self.close()

    def close(self) -> None:
        """Close the program's terminal."""
        os.close(self.terminal)
        self.terminal = -1
        self.to_program.clear()

    def bury(self) -> None:
        """When the program has ended: report its code, after what it left unread."""
        ended, status = os.waitpid(self.child, os.WNOHANG) if self.child else (0, 0)
        if not ended:
            return
        self.child = 0
        if self.terminal >= 0:
            left = _AFTERMATH  # a background child may write on for ever
            while left > 0 and self.show(8192):
                left -= 8192
            self.close()
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.send(EXIT, bytes([code]))

    def tick(self) -> None:
        """Give a sign of life, and see whether somebody has read the last one."""
        now = time.monotonic()
        if self.child and self.deadline and now > self.deadline:
            self.child = 0
            self.send(EXIT, bytes([_HUNG_UP]))
        if now < self.ticked + TICKING:
            return
        self.ticked = now
        waiting = self.to_host or any(fcntl.ioctl(self.slave, _FIONREAD, bytes(4)))
        self.missed = self.missed + 1 if waiting and not self.moved else 0
        self.moved = False
        if not waiting:
            self.send(TICK)


def resize(terminal: int, rows: int, columns: int) -> None:
    """Set a terminal's size; the kernel tells the program (SIGWINCH)."""
    fcntl.ioctl(terminal, _TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def become(wish: "dict[str, Any]", tell: int) -> None:
    """In the child: turn into the first program of those wished for that exists.

    What fails is written to `tell`, which the kernel closes when all went well.
    """
    what = "user"
    try:
        for signum in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)  # Python, or nohup, ignores them
        os.umask(0o022)
        resize(0, *wish["size"])
        if wish["owner"]:  # as login(1) does; screen(1) opens its terminal by name
            import pwd

            os.fchown(0, pwd.getpwnam(wish["owner"]).pw_uid, -1)
        what = "directory"
        os.chdir(wish["directory"])
        what = "program"
        execute(wish["programs"], wish["environment"])
    except (OSError, KeyError) as error:
        number = error.errno if isinstance(error, OSError) else errno.ENOENT
        os.write(tell, f"{what} {number}".encode())
    finally:
        os._exit(127)


def execute(programs: "list[list[bytes]]", extra: "dict[bytes, bytes]") -> None:
    """Turn into the first of `programs` that exists, in our environment and `extra`."""
    environment = dict(os.environb)
    environment.update(extra)
    for program in programs[:-1]:
        try:
            os.execvpe(program[0], program, environment)
        except FileNotFoundError:
            continue
    os.execvpe(programs[-1][0], programs[-1], environment)


def open_carrier() -> "tuple[int, int]":
    """A pseudo-terminal that passes every byte on, and reads nothing where nothing is."""
    master, slave = os.openpty()
    modes = list(_TERMIOS.unpack(fcntl.ioctl(slave, _TCGETS, bytes(_TERMIOS.size))))
    modes[0] = modes[1] = modes[3] = 0  # input, output and local modes; VMIN and VTIME below
    modes[5] = bytes(19)
    fcntl.ioctl(slave, _TCSETS, _TERMIOS.pack(*modes))
    os.fchmod(slave, 0o600)
    return master, slave


def main(wish: "dict[str, Any]") -> None:
    """Start the program, print the carrier's name, and stay on in the background."""
    carrier, slave = open_carrier()
    if os.fork():
        os._exit(0)
    os.setsid()
    told, tell = os.pipe()
    child, terminal = os.forkpty()
    if not child:
        become(wish, tell)
    os.close(tell)
    trouble = os.read(told, 100)
    os.write(1, trouble or os.ttyname(slave).encode())
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)  # the agent waits until nobody holds its pipes
    if not trouble:
        Relay(child, terminal, carrier, slave).run()
