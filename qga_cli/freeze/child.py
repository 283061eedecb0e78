"""A program on the host in a process group of its own, so that it can be ended whole."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess

from qga_cli.errors import QgaError
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # exit codes, as a shell's
_GRACE = 5.0  # seconds between the polite signal and SIGKILL


def find(program: str) -> None:
    """Raise now what would keep `program` from being started later."""
    if shutil.which(program) is None:
        there = "/" in program and os.path.exists(program)
        raise _cannot_run(program, errno.EACCES if there else errno.ENOENT)


class Child:
    """Runs with our standard streams, and in the foreground of our terminal if we are there.

    It has a number at once and begins with `start`: in between its number is told to those who
    end it should we die. If we die before that, it never begins.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._program = argv[0]
        try:
            self._gate, theirs = socket.socketpair()
            with theirs:
                self.pid = os.fork()  # posix_spawn cannot wait
                if not self.pid:
                    self._gate.close()  # or our death would not be the end of it
                    _stand_by(theirs, argv, {**os.environ, **environment})
            os.setpgid(self.pid, self.pid)
            self._exit = os.pidfd_open(self.pid)
        except OSError as error:  # too many processes or files
            raise _cannot_run(argv[0], error.errno) from error
        self._terminal = _foreground()
        self._had_ctrl_c = False

    def start(self) -> None:
        """Let it begin. Raises what keeps it from being executed."""
        if self._terminal is not None:
            _hand_over(self._terminal, self.pid)
        failure = b""
        with self._gate, contextlib.suppress(ConnectionError):  # a signal has ended it already
            self._gate.sendall(b"!")
            failure = self._gate.recv(16)
        if failure:
            self.wait()
            raise _cannot_run(self._program, int(failure))

    def fileno(self) -> int:
        """For select: readable once it has ended."""
        return self._exit

    def is_stopped(self) -> bool:
        """By Ctrl-Z, or because it asked a terminal that is not its own."""
        look = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, look) is not None
        except ChildProcessError:  # it has ended, and can be stopped no more
            return False

    def stop_with_it(self) -> None:
        """If it is stopped, be stopped too, until whoever has started us has us go on.

        Where nobody could, as in a session without a shell, it goes on at once.
        """
        if not self.is_stopped():
            return
        if self._terminal is not None:
            _hand_over(self._terminal, os.getpgrp())
        # As the terminal would have done for Ctrl-Z. By another one of our group, whose end shows
        # that all is over: another thread of ours may take the signal a moment later.
        subprocess.run(["/bin/sh", "-c", "kill -TSTP 0"], check=False)
        self._terminal = _foreground()
        if self._terminal is not None:
            _hand_over(self._terminal, self.pid)
        self._signal(signal.SIGCONT)

    def end(self, signum: int, interrupt: Interrupt, seen: int) -> None:
        """End the whole group: with `signum`; with SIGKILL after a while, or at once when more
        than `seen` signals have come to us."""
        self._signal(signum)
        self._signal(signal.SIGCONT)
        interrupt.select([self], _GRACE, seen)
        self._signal(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, 128 + N after signal N; the terminal is ours again."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._exit)
        code = os.waitstatus_to_exitcode(status)
        if self._terminal is not None:
            _hand_over(self._terminal, os.getpgrp())
            self._had_ctrl_c = code == -signal.SIGINT
        return code if code >= 0 else 128 - code

    def pass_on_ctrl_c(self) -> None:
        """Tell our own group of one that has ended it, as our terminal has told its group only: a
        script that we are in shall not go on."""
        if self._had_ctrl_c:
            os.kill(0, signal.SIGINT)

    def _signal(self, signum: int) -> None:
        # Not waited for yet, so the number cannot be another's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)


def _stand_by(gate: socket.socket, argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Be the program once told to; tell the number of the error if that fails."""
    try:
        signal.set_wakeup_fd(-1)  # what comes to us is no signal to the process we came from
        # A handler of ours would swallow what comes before the program does.
        ours = [one for one in signal.valid_signals() if callable(signal.getsignal(one))]
        for signum in (*ours, signal.SIGPIPE, signal.SIGXFSZ):  # the last two Python ignores
            signal.signal(signum, signal.SIG_DFL)
        if gate.recv(1):
            os.execvpe(argv[0], list(argv), environment)
    except OSError as error:
        gate.send(str(error.errno).encode())
    finally:
        os._exit(_NOT_EXECUTABLE)


def _cannot_run(program: str, number: int | None) -> QgaError:
    why = {errno.ENOENT: "not found", errno.EACCES: "not executable"}.get(number or 0)
    error = QgaError(
        f"cannot run {program} on this host: {why or os.strerror(number or 0).lower()}"
    )
    error.exit_code = _NOT_FOUND if number == errno.ENOENT else _NOT_EXECUTABLE
    return error


def _foreground() -> int | None:
    """Our terminal, if it is on both sides of us and ours to give away.

    In a pipeline it is not: `| less` needs it, and is in the same process group as we are.
    """
    if not (os.isatty(0) and os.isatty(1)):
        return None
    try:
        return 0 if os.tcgetpgrp(0) == os.getpgrp() else None
    except OSError:
        return None  # a terminal, but not the one of our session


def _hand_over(terminal: int, group: int) -> None:
    """Put a process group into the foreground."""
    # From the background this stops the process, unless the signal is blocked: tcsetpgrp(3).
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        with contextlib.suppress(OSError):  # the terminal has been closed
            os.tcsetpgrp(terminal, group)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
