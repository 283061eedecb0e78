"""Programs in the guest: start, wait, exit code."""

import time

from qga_cli import wire
from qga_cli.agent import Agent
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import TimedOut
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_FIRST, _CEILING = 0.002, 1.0  # seconds between polls: at once, then 2, 4, 8 ms …


class Completed:
    """How a program ended, and what it wrote. Exactly one of exitcode and signal is not None."""

    __slots__ = ("exitcode", "signal", "stderr", "stdout", "truncated")

    def __init__(self, status: "Mapping[str, Any]") -> None:
        self.exitcode: int | None = status.get("exitcode")
        self.signal: int | None = status.get("signal")
        self.stdout = wire.from_base64(status.get("out-data", ""))
        self.stderr = wire.from_base64(status.get("err-data", ""))
        self.truncated = bool(status.get("out-truncated") or status.get("err-truncated"))

    @property
    def code(self) -> int:
        """As a shell's $?: the exit code, or 128 + N after signal N."""
        return 128 + (self.signal or 0) if self.exitcode is None else self.exitcode


def capture(
    agent: Agent, argv: "Sequence[str]", *, stdin: bytes = b"", timeout: float = 30.0
) -> Completed:
    """Run a program whose output is known to be small, well below a megabyte.

    Raises Refused when it cannot be started, TimedOut after `timeout` seconds (it runs on).
    """
    arguments: dict[str, object] = {"path": argv[0], "capture-output": True}
    if len(argv) > 1:
        arguments["arg"] = list(argv[1:])
    if stdin:
        arguments["input-data"] = wire.to_base64(stdin)
    pid = agent.call(EXEC, arguments).value["pid"]
    started = time.monotonic()
    pause = _FIRST
    while True:
        status = agent.call(EXEC_STATUS, {"pid": pid}).value
        if status["exited"]:
            return Completed(status)
        elapsed = time.monotonic() - started
        if elapsed > timeout:
            raise TimedOut(f"{argv[0]} has not ended within {timeout:g} s (pid {pid} in the guest)")
        time.sleep(pause)
        pause = min(pause * 2, max(0.01, elapsed / 10), _CEILING)


def verb(job: Job) -> Finished:
    """`qga exec`: the program's output is ours, and so is its exit code."""
    assert job.agent is not None
    done = capture(job.agent, job.arguments["command"], timeout=job.timeout or 3600)
    job.streams.stdout.write(done.stdout)
    job.streams.stderr.write(done.stderr)
    return Finished(code=done.code)
