"""Programs in guests, run through the library or as a process that can be watched and killed."""

import io
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from qga_cli.agent import Agent
from qga_cli.agent.program import Completed
from qga_cli.exec.run import run
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.lab import local_agent

# Seconds after which a test gives up on what would hang: no measure of speed, for a machine that
# others share may stand still for a minute.
GUARD = 300.0


class Result:
    """How a program ended, and what its streams brought."""

    def __init__(self, done: Completed, out: bytes, err: bytes, trace: list[str]) -> None:
        self.done = done
        self.code = done.code
        self.out = out
        self.err = err
        self.trace = trace


def execute(uri: str, *argv: str, stdin: bytes | None = None, **options: object) -> Result:
    """Run a program through the library; `options` are those of `run`."""
    out, err, trace = bytearray(), bytearray(), list[str]()
    agent = Agent(connect(uri).open("x"), "x", lambda level, text: trace.append(text))
    try:
        done = run(
            agent,
            argv,
            stdin=None if stdin is None else io.BytesIO(stdin),
            interrupt=Interrupt(),
            **{"stdout": out.extend, "stderr": err.extend, **options},  # type: ignore[arg-type]
        )
    finally:
        agent.transport.close()
    return Result(done, bytes(out), bytes(err), trace)


class Started:
    """The command line as a process of its own."""

    def __init__(self, *words: str, stdin: int = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qga_cli", *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout
        assert self.process.stderr
        self.stdout = self.process.stdout
        self.stderr = self.process.stderr

    def line(self) -> str:
        """The next line of its output."""
        return self.stdout.readline().decode().strip()

    def signal(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(signum)

    def end(self) -> tuple[int, str, str]:
        """Wait for it: exit code, the rest of its output, its stderr."""
        out, err = self.process.communicate(timeout=GUARD)
        return self.process.returncode, out.decode(), err.decode()


def code_of(signum: int) -> int:
    """The return code of a qga that this signal has ended: of Ctrl-C the signal itself."""
    return -signum if signum == signal.SIGINT else 128 + signum


def readable(number: int, seconds: float) -> bool:
    """Whether a descriptor can be read within that time; select.select knows 1024 of them only."""
    look = select.poll()
    look.register(number, select.POLLIN)
    return bool(look.poll(max(0.0, seconds) * 1000))


def eventually(true: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def marked() -> list[str]:
    """What still runs of all that the local agents of this test run have started."""
    lines = local_agent.marked(local_agent.MARK).values()
    return [line[:200] for line in lines if "qemu-ga" not in line.partition(" ")[0]]


def await_unmarked() -> None:
    """Nothing that a local agent has started runs any longer than a moment."""
    assert eventually(lambda: not marked(), 20), marked()


def is_full(number: int) -> bool:
    """Whether who writes there must wait for a reader."""
    look = select.poll()
    look.register(number, select.POLLOUT)
    return not look.poll(0)
