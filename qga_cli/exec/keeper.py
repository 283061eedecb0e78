"""Our hand in the guest while a program's streams are carried: the keeper, and how it is told."""

import os
import time

from qga_cli.errors import QgaError, Refused, Unsupported
from qga_cli.exec.outputs import Polled, Spooled
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from qga_cli.exec.calls import Calls
    from qga_cli.exec.outputs import Stream

_BEAT = 5.0  # seconds; the keeper gives up after 40 to 60 without one
_TAKEN = '[ -e "$1" ] && [ ! -d "$1" ]'  # a directory: not yet
_NOT_YET = ("Is a directory", "No such file or directory")  # likewise
_SHORT = 10.0  # seconds for a helper that ends at once
_REAP = 3.0  # seconds to wait for helpers that were told to end


class Keeper:
    """Takes a program's pipes over from its wrapper, with `spools` by files of its own."""

    def __init__(
        self, calls: "Calls", wrapper: int, mark: str, *, spools: bool, stdin: bool
    ) -> None:
        self.calls = calls
        self.spools = spools
        self.outputs: list[Spooled | Polled] = []
        self._orders = 0  # a handle
        self._beaten = time.monotonic()
        words = [str(wrapper), mark, "spools" if spools else "", "in" if stdin else ""]
        # Not in the words, which every user of the guest can read.
        names = " ".join(f"qga-{os.urandom(8).hex()}" for _ in range(4)) if spools else ""
        given = f"{names}\n".encode() if spools else b""
        self._pid = calls.start(
            ["sh", "-c", script("exec/keeper"), "qga-keeper", *words], stdin=given
        )

    def path(self, descriptor: int) -> str:
        """A file or pipe that the keeper holds."""
        return f"/proc/{self._pid}/fd/{descriptor}"

    def ready(self, stdout: "Stream", stderr: "Stream") -> bool:
        """Whether it has taken over; then `outputs` carry."""
        if self.spools:
            try:
                out = Spooled(self.calls, stdout, self.path(4), [self.path(7), self.path(6)])
                err = Spooled(self.calls, stderr, self.path(5), [self.path(9)])
                self._orders = self.calls.open(self.path(0), "r+")
                self.outputs = [out, err]
            except Refused as error:
                if error.desc.endswith(_NOT_YET):
                    return False
                # Blocked, or the agent opens nothing: its folder in a full /run, its limit.
                self.calls.agent.trace(1, f"no spool files: {error.message}")
                self.spools = False
        if not self.spools and self._helper("sh", "-c", _TAKEN, "sh", self.path(7)) == 0:
            self.outputs = [
                Polled(self.calls, stdout, self.path(4)),
                Polled(self.calls, stderr, self.path(5)),
            ]
        return bool(self.outputs)

    def gone(self) -> int | None:
        """Its exit code if it has ended by itself: no room for files, or nothing to take over."""
        status = self.calls.status(self._pid)
        return int(status.get("exitcode", -1)) if status["exited"] else None

    def beat(self) -> None:
        """Say now and then that we are still here."""
        if time.monotonic() - self._beaten > _BEAT:
            self._beaten = time.monotonic()
            self.tell("beat")

    def tell(self, *words: object) -> None:
        """Give an order."""
        order = " ".join(map(str, words))
        if self._orders:
            try:
                self.calls.write(self._orders, f"{order}\n".encode(), flush=True)
                return
            except Unsupported as error:  # a policy that allows opening and no writing
                self.calls.agent.trace(1, f"no orders by file: {error.message}")
                self.calls.close(self._orders)
                self._orders = 0
        self._helper("sh", "-c", 'echo "$1" >"$2"', "sh", order, self.path(0))

    def leave(self, helpers: "Iterable[int]", *, drop: bool = False) -> None:
        """End it and all helpers. With `drop` the program's next write fails (SIGPIPE)."""
        pids = [pid for output in self.outputs for pid in output.pids] + list(helpers)
        self.tell("drop" if drop else "leave", *pids)
        for output in self.outputs:
            output.close()
        if self._orders:
            self.calls.close(self._orders)
        reap(self.calls, [*pids, self._pid])

    def _helper(self, *argv: str) -> int:
        """The exit code of a program that ends at once; -1 after a signal."""
        pid = self.calls.start(argv)
        until = time.monotonic() + _SHORT
        while not (status := self.calls.status(pid))["exited"]:
            if time.monotonic() > until:
                raise QgaError(f"a helper in the guest (pid {pid}) does not end")
            time.sleep(0.005)
        return int(status.get("exitcode", -1))


def reap(calls: "Calls", pids: list[int], seconds: float = _REAP) -> None:
    """Have the agent forget programs that are ending, and wait until they have."""
    until = time.monotonic() + seconds
    while pids and time.monotonic() < until:
        pids = [pid for pid in pids if not _reaped(calls, pid)]
        if pids:
            time.sleep(0.005)
    if pids:
        calls.agent.trace(1, f"still running in the guest: {pids}")


def _reaped(calls: "Calls", pid: int) -> bool:
    try:
        return bool(calls.status(pid)["exited"])
    except Refused:
        return True  # the agent has forgotten it already
