"""A program started by the agent, and its end, which is asked for until it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from qga_cli import wire
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.agent import Agent

_SOONEST, _LATEST = 0.002, 0.25  # seconds between two looks
_SHARE = 0.2  # of the time that it has run by then
_LONG = 30.0  # seconds for a program whose output is small


class Completed:
    """How a program ended. Exactly one of exitcode and signal is not None.

    `capture` fills stdout and stderr; `run` leaves them empty, its sinks had everything.
    """

    __slots__ = ("exitcode", "signal", "stderr", "stdout", "truncated")

    def __init__(self, status: Mapping[str, Any]) -> None:
        if is_wide(status):
            from qga_cli.agent.exit_codes import told

            status = told(status)
        self.exitcode: int | None = status.get("exitcode")
        self.signal: int | None = status.get("signal")
        self.stdout, self.stderr = captured(status)
        self.truncated = bool(status.get("out-truncated") or status.get("err-truncated"))

    @property
    def code(self) -> int:
        """As a shell's $?: the exit code, or 128 + N after signal N; 255 for those of Windows
        that are larger."""
        return min(128 + (self.signal or 0) if self.exitcode is None else self.exitcode, 255)

    def __repr__(self) -> str:
        told = (f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Completed({', '.join(told)})"


def is_wide(status: Mapping[str, Any]) -> bool:
    """Whether this answer of guest-exec-status has a number that only Windows has."""
    return min(status.get("exitcode") or 0, status.get("signal") or 0) < 0


def captured(status: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """What a program has written to stdout and stderr, as far as guest-exec-status has it."""
    out, err = (wire.from_base64(status.get(name, "")) for name in ("out-data", "err-data"))
    return out, err


def request(
    argv: Sequence[str],
    *,
    capture: bool = False,
    stdin: bytes = b"",
    env: Sequence[str] | None = None,
) -> dict[str, object]:
    """The arguments of guest-exec. `env` replaces the whole environment."""
    arguments: dict[str, object] = {"path": argv[0]}
    if len(argv) > 1:
        arguments["arg"] = list(argv[1:])
    if env is not None:
        arguments["env"] = list(env)
    if stdin:
        arguments["input-data"] = wire.to_base64(stdin)
    if capture:
        arguments["capture-output"] = True
    return arguments


def wait_for_end(
    status: Callable[[], Mapping[str, Any]],
    seconds: float = math.inf,
    *,
    sleep: Callable[[float], object] = time.sleep,
    latest: float = _LATEST,
) -> Mapping[str, Any] | None:
    """Ask `status` until it says that the program has exited; None after so many seconds.

    Between two looks lies a fifth of the time so far, `latest` seconds at most: what ends at once
    is seen at once, and what takes long costs the guest little. `sleep` may raise.
    """
    began = time.monotonic()
    while not (said := status())["exited"]:
        elapsed = time.monotonic() - began
        if elapsed > seconds:
            return None
        sleep(min(max(_SOONEST, elapsed * _SHARE), latest))
    return said


def capture(agent: Agent, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
    """Run a program whose output is known to be small, well below a megabyte.

    The cheapest way there is: no shell, two or three agent calls. Raises Refused when it cannot be
    started, TimedOut after 30 seconds (it runs on).
    """
    pid = agent.call(EXEC, request(argv, capture=True, stdin=stdin)).value["pid"]
    status = wait_for_end(lambda: agent.call(EXEC_STATUS, {"pid": pid}).value, _LONG, latest=1.0)
    if status is None:
        raise TimedOut(f"{argv[0]} has not ended within {_LONG:g} s (pid {pid} in the guest)")
    return Completed(status)
