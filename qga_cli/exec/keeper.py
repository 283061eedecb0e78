"""Starts and commands the keeper: the shell in the guest that holds the pipes while we stream."""

from __future__ import annotations

import contextlib
import os
import time

from qga_cli.errors import QgaError, Refused, Unsupported
from qga_cli.exec.outputs import Polled, Spooled
from qga_cli.inside import loaded_at_once, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.outputs import Stream

_BEAT = 5.0  # seconds; the keeper gives up after 40 to 60 without one
_NOT_YET = ("Is a directory", "No such file or directory")  # as in inside/exec/taken.sh
_SILENCE = 32.0  # seconds without a beat, after which it is asked for before its pid is used


class Lost(QgaError):
    """The keeper has given up: it did not hear of us for too long."""


class Keeper:
    """Takes a program's pipes over from its wrapper, with `spools` by files of its own."""

    def __init__(
        self, calls: AgentCalls, wrapper: int, mark: str, *, spools: bool, stdin: bool
    ) -> None:
        self.calls = calls
        self.spools = spools
        self.outputs: list[Spooled | Polled] = []
        self._orders = 0  # a handle
        self._nameless = True  # whether it may have a dd for us
        self._beaten = self._heard = _now()
        words = [str(wrapper), mark, "spools" if spools else "", "in" if stdin else ""]
        # Not in the words, which every user of the guest can read.
        names = " ".join(f"qga-{os.urandom(8).hex()}" for _ in range(4)) if spools else ""
        shell, text = loaded_at_once("qga-keeper", script("exec/keeper"), spools=f"'{names}'")
        self._pid = calls.start([*shell, *words], stdin=text)
        calls.through, calls.sure = self.path(""), self._assert_there

    @property
    def pids(self) -> list[int]:
        """It, and what carries the streams by now."""
        return [self._pid, *(pid for output in self.outputs for pid in output.pids)]

    def path(self, descriptor: int | str) -> str:
        """A file or pipe that the keeper holds."""
        return f"/proc/{self._pid}/fd/{descriptor}"

    def ready(self, stdout: Stream, stderr: Stream) -> bool:
        """Whether it has taken over; then `outputs` carry."""
        if self.spools:
            try:
                files = [self.path(7), self.path(6)]
                out = Spooled(self.calls, stdout, self.path(4), files, self.dd)
                err = Spooled(self.calls, stderr, self.path(5), [self.path(9)], self.dd)
                self._orders = self.calls.open(self.path(0), "r+")
                self.outputs = [out, err]
            except Refused as error:
                if error.desc.endswith(_NOT_YET):
                    return False
                # Blocked, or the agent opens nothing: its folder in a full /run, its limit.
                self.calls.agent.trace(1, f"no spool files: {error.said()}")
                self.spools = False
        if not self.spools and self._helper("exec/taken", self.path(7)) == 0:
            self.outputs = [
                Polled(self.calls, stdout, self.path(4), self.dd),
                Polled(self.calls, stderr, self.path(5), self.dd),
            ]
        return bool(self.outputs)

    def dd(self, *words: str, stdin: bytes = b"", capture: bool = False) -> int:
        """Start a dd and return its pid; under a name by which no program of the guest ends it."""
        if self._nameless:
            try:
                return self.calls.start([self.path(2), *words], stdin=stdin, capture=capture)
            except Refused:
                self._nameless = False  # a dd that goes by its name
        return self.calls.start(["dd", *words], stdin=stdin, capture=capture)

    def gone(self) -> int | None:
        """Its exit code if it has ended by itself: no room for files, or nothing to take over."""
        status = self.calls.status(self._pid)
        if not status["exited"]:
            return None
        self.calls.through = ""
        return int(status.get("exitcode", -1))

    def beat(self) -> None:
        """Say now and then that we are still here."""
        if _now() - self._beaten > _BEAT:
            self._beaten = _now()
            self.tell("beat")

    def tell(self, *words: object) -> None:
        """Give an order."""
        self._assert_there()
        began = _now()
        self._order(" ".join(map(str, words)))
        self._heard = began

    def _assert_there(self) -> None:
        """Raise Lost if it may have given up.

        The agent reaps at once, so its pid may be another user's process by now, whose files root
        would open by our paths: for writing what he may only read.
        """
        if _now() - self._heard < _SILENCE:
            return
        self.calls.through = ""  # these questions are not to be asked about themselves
        if self.gone() is None:
            began = _now()
            self._order("beat")
            # It may have been about to give up when the beat came.
            time.sleep(max(1.0, 20 * self.calls.mean))
            if self.gone() is None:
                self._heard = began
                self.calls.through = self.path("")
                return
        raise Lost(
            "the program's output is lost: the guest did not hear of this qga for 40 seconds "
            "(it was stopped, or the agent busy)"
        )

    def _order(self, order: str) -> None:
        if self._orders:
            try:
                self.calls.write(self._orders, f"{order}\n".encode(), flush=True)
                return
            except Unsupported as error:  # a policy that allows opening and no writing
                self.calls.agent.trace(1, f"no orders by file: {error.said()}")
                orders, self._orders = self._orders, 0
                self.calls.close(orders)
        self._helper("exec/tell", order, self.path(0))

    def leave(self, helpers: Iterable[int], *, drop: bool = False) -> None:
        """End it and all helpers. With `drop` the program's next write fails (SIGPIPE)."""
        pids = [*self.pids[1:], *helpers]
        with contextlib.suppress(Lost):  # it has let go by itself
            self.tell("drop" if drop else "leave", *pids)
        self.calls.through = ""
        for output in self.outputs:
            output.close()
        if self._orders:
            self.calls.close(self._orders)
        self.calls.reap([*pids, self._pid])

    def _helper(self, name: str, *words: str) -> int:
        """The exit code of a script that ends at once; -1 after a signal."""
        pid = self.calls.start(["sh", "-c", script(name), "qga", *words])
        status = self.calls.finish(pid)
        return int(status.get("exitcode", -1))


def _now() -> float:
    """Seconds, those included that this host was suspended: the guest's may have gone on."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
