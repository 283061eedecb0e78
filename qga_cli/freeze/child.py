"""A program on the host in a process group of its own, so that it can be ended whole."""

import contextlib
import errno
import os
import shutil
import signal

from qga_cli.errors import QgaError
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # exit codes, as a shell's
_GRACE = 5.0  # seconds between the polite signal and SIGKILL


def find(program: str) -> None:
    """Raise now what would keep `program` from being started later."""
    if shutil.which(program) is None:
        if "/" in program and os.path.exists(program):
            raise _cannot_run(program, _NOT_EXECUTABLE, "not executable")
        raise _cannot_run(program, _NOT_FOUND, "not found")


class Child:
    """Runs with our standard streams. In the foreground of our terminal, if we are there."""

    def __init__(self, argv: "Sequence[str]", environment: "Mapping[str, str]") -> None:
        ignored = [signal.SIGPIPE, signal.SIGXFSZ]  # by Python, and inherited without this
        try:
            self.pid = os.posix_spawnp(
                argv[0], list(argv), {**os.environ, **environment}, setpgroup=0, setsigdef=ignored
            )
        except OSError as error:
            code = _NOT_FOUND if error.errno == errno.ENOENT else _NOT_EXECUTABLE
            raise _cannot_run(argv[0], code, os.strerror(error.errno or 0).lower()) from error
        self._exit = os.pidfd_open(self.pid)
        self._terminal = _foreground()
        if self._terminal is not None:
            _hand_over(self._terminal, self.pid)
            self._signal(signal.SIGCONT)  # it may have read before the terminal was its own

    def fileno(self) -> int:
        """For select: readable once it has ended."""
        return self._exit

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
        if self._terminal is not None:
            _hand_over(self._terminal, os.getpgrp())
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _signal(self, signum: int) -> None:
        # Not waited for yet, so the number cannot be another's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)


def _cannot_run(program: str, code: int, why: str) -> QgaError:
    error = QgaError(f"cannot run {program} on this host: {why}")
    error.exit_code = code
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
