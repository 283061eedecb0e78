"""The guest's end of a terminal, between the program's pseudo-terminal and the carrier."""

import fcntl
import os
import select
import signal
import struct
import time

from qga_cli.inside.terminal.frames import (
    ACK,
    BYE,
    EXIT,
    HANG_UP,
    INPUT,
    OUTPUT,
    PATIENCE,
    RESIZE,
    SCREEN,
    SHOWN,
    TICK,
    TICKING,
    frame,
    take,
)

_ROOM = 16384  # bytes of output to hold until the program has to wait
_AFTERMATH = 65536  # bytes to read after the program's end: a pty holds less
_DYING = 2.0  # seconds a program has to end after a hang-up, to have its exit code reported
_HUNG_UP = 128 + 1
# Where the agent notes that filesystems are frozen: meanwhile it cannot be read from.
_FROZEN = ("/run/qga.state.isfrozen", "/run/qemu-ga/qga.state.isfrozen")
_TIOCSWINSZ, _FIONREAD = 0x5414, 0x541B


class Relay:
    """Carries bytes between the program and the host.

    `child` is the program's pid, 0 once it has ended; `terminal` its pty's master, -1 once that
    is closed; `carrier` where the host's bytes come from and where ours go: twice the master of the
    pty that the agent polls, whose other side is `slave`, or two ports, and -1 for `slave`. There
    `nonce` is said first.
    """

    def __init__(
        self, child: int, terminal: int, carrier: "tuple[int, int]", slave: int, nonce: str = ""
    ) -> None:
        self.child = child
        self.terminal = terminal
        self.inlet, self.outlet = carrier
        self.slave = slave
        self.to_host = bytearray(f"{nonce}\n".encode() if nonce else b"")
        self.sent = -len(self.to_host)  # bytes
        self.shown = 0
        self.to_program = bytearray()
        self.inbox = bytearray()
        self.received = self.acknowledged = 0  # bytes
        self.dark = False  # nobody has the terminal open just now; login(1) reopens it
        self.moved = False  # whether the host has read or written since the last tick
        self.missed = 0  # ticks without that
        self.ticked = time.monotonic()
        self.deadline = 0.0  # for the child to end, once hung up
        self.over = False
        self.woken, wake = os.pipe()
        for number in (self.woken, wake, terminal, *carrier):
            os.set_blocking(number, False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.set_wakeup_fd(wake)

    def run(self) -> None:
        """Relay until the host has the exit code, or has been away for too long."""
        self.bury()
        while not self.over and self.missed < PATIENCE:
            self.turn()
        if self.terminal >= 0:
            self.hang_up()

    def turn(self) -> None:
        """Wait for events and handle them."""
        readers = [self.woken, self.inlet]
        room = len(self.to_host) < _ROOM and (self.slave >= 0 or self.sent < self.shown + SCREEN)
        if self.terminal >= 0 and not self.dark and room:
            readers.append(self.terminal)
        writers = [self.outlet] if self.to_host else []
        if self.to_program:
            writers.append(self.terminal)
        readable, writable, _ = select.select(readers, writers, [], self.pause())
        self.dark = False
        if self.inlet in readable:
            self.listen()
        if self.to_program:  # at once, not a turn later: an echo waits for it
            self.type()
        if self.terminal in readable:
            self.show()
        if self.woken in readable:
            os.read(self.woken, 512)
            self.bury()
        self.acknowledge()
        self.tick()
        if self.to_host and (self.outlet in writable or self.terminal in readable):
            self.deliver()

    def pause(self) -> "float | None":
        """Seconds until something is to be done though nothing happens; None for never."""
        if self.dark or self.deadline:
            return 0.1
        if self.slave < 0:
            return None
        return max(0.0, self.ticked + TICKING - time.monotonic())

    def listen(self) -> None:
        """Act on what the host sends."""
        data = os.read(self.inlet, 8192)
        if not data:  # the host has let go of the port
            self.over = True
        self.moved = True
        self.received += len(data)
        self.inbox += data
        found = take(self.inbox)
        while found:
            self.obey(*found)
            found = take(self.inbox)

    def obey(self, kind: bytes, payload: bytes) -> None:
        """Act on one frame."""
        if kind == BYE:
            self.over = True
        elif kind == SHOWN:
            (self.shown,) = struct.unpack(">Q", payload)
        elif self.terminal < 0:
            return  # too late for all else
        elif kind == INPUT:
            self.to_program += payload
        elif kind == RESIZE:
            resize(self.terminal, *struct.unpack(">HH", payload))
        elif kind == HANG_UP:
            self.hang_up()
            self.deadline = time.monotonic() + _DYING

    def type(self) -> None:
        """Hand the program what was typed; a terminal that nobody has open takes nothing."""
        try:
            del self.to_program[: os.write(self.terminal, self.to_program)]
        except BlockingIOError:
            return
        except OSError:
            self.to_program.clear()

    def show(self) -> bool:
        """Take some of the program's output; False when there is none."""
        try:
            data = os.read(self.terminal, 8192)
        except BlockingIOError:
            return False
        except OSError:
            self.dark = True
            return False
        self.to_host += frame(OUTPUT, data)
        return True

    def deliver(self) -> None:
        """Pass on to the host what it has room for."""
        try:
            count = os.write(self.outlet, self.to_host)
        except BlockingIOError:
            return
        del self.to_host[:count]
        self.sent += count
        self.moved = True

    def acknowledge(self) -> None:
        """Tell the host what is done with: it sends no more than WINDOW ahead of that."""
        done = self.received - len(self.inbox) - len(self.to_program)
        if done > self.acknowledged:
            self.acknowledged = done
            self.to_host += frame(ACK, struct.pack(">Q", done))

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
        """When the program has ended: send its remaining output, then its exit code."""
        ended, status = os.waitpid(self.child, os.WNOHANG) if self.child else (0, 0)
        if not ended:
            return
        self.child = 0
        if self.terminal >= 0:
            left = len(self.to_host) + _AFTERMATH  # a background child may write on for ever
            while len(self.to_host) < left and self.show():
                continue
            self.close()
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.to_host += frame(EXIT, bytes([code]))

    def tick(self) -> None:
        """Give a sign of life, and see whether somebody has read the last one."""
        now = time.monotonic()
        if self.child and self.deadline and now > self.deadline:
            self.child = 0
            self.to_host += frame(EXIT, bytes([_HUNG_UP]))
        if now < self.ticked + TICKING or self.slave < 0:
            return
        self.ticked = now
        waiting = self.to_host or any(fcntl.ioctl(self.slave, _FIONREAD, bytes(4)))
        away = waiting and not self.moved and not any(map(os.path.exists, _FROZEN))
        self.missed = self.missed + 1 if away else 0
        self.moved = False
        if not waiting:
            self.to_host += frame(TICK)


def resize(terminal: int, rows: int, columns: int) -> None:
    """Set a terminal's size; the kernel tells the program (SIGWINCH)."""
    fcntl.ioctl(terminal, _TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
