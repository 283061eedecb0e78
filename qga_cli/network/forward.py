"""`qga forward`: listening sockets, and what leads from them into the guest, or out of it."""

from __future__ import annotations

import signal
import sys
from contextlib import closing

from qga_cli.errors import Interrupted, QgaError, UsageError
from qga_cli.freeze.child import Child, find
from qga_cli.network.address import Address, Forward, written
from qga_cli.network.address import forward as parse
from qga_cli.network.tunnel import dig
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qga_cli.inside.network.connection import TunnelConnection
    from qga_cli.network.tunnel import Tunnel


def verb(
    job: Job,
    *,
    channel: str,
    forward: Sequence[str] = (),
    reverse: Sequence[str] = (),
    command: Sequence[str] = (),
) -> Finished:
    """`qga forward`."""
    if job.fleet:
        raise UsageError("a port leads to one guest")
    inward = [parse(text) for text in forward]
    outward = [parse(text) for text in reverse]
    if not inward and not outward:
        raise UsageError(
            "nothing to forward", hint="`qga forward VM 8080:80`, or -R 8080:80 for the other way"
        )
    if command:
        find(command[0])
    with (
        job.interrupt.shield(),
        closing(dig(job, channel)) as tunnel,
        job.interrupt.watched(tunnel.wake),
    ):
        return _Forwarding(job, tunnel).run(inward, outward, command)


class _Forwarding:
    """The listening sockets and the tunnel of one `qga forward`."""

    def __init__(self, job: Job, tunnel: Tunnel) -> None:
        assert job.target is not None
        self._job = job
        self._guest = job.target
        self._tunnel = tunnel
        self._ways: dict[int, tuple[str, Address]] = {}  # by their listening sockets' numbers
        self._ports: list[int] = []
        tunnel.came = self._came
        tunnel.called = self._called

    def run(
        self, inward: Sequence[Forward], outward: Sequence[Forward], command: Sequence[str]
    ) -> Finished:
        """Listen, and carry until the command ends, or a signal comes."""
        told = []
        for one in inward:
            where = self._listen_here(one)
            told.append(f"{where} -> {self._guest.label} {one.to}")
        for one in outward:
            where = self._listen_there(one)
            told.append(f"{self._guest.label} {where} -> {one.to}")
        if command:
            return Finished(code=self._with(command))
        sys.stdout.write("".join(f"{line}\n" for line in told))
        sys.stdout.flush()
        while not self._job.interrupt.count:
            self._tunnel.turn()
            self._job.check_time()
            self._job.check_reader()
        raise Interrupted(self._job.interrupt.signum)

    def _with(self, command: Sequence[str]) -> int:
        """Run it; its exit code."""
        ports = [str(port) for port in self._ports]
        child = Child(command, {"QGA_PORT": ports[0], "QGA_PORTS": " ".join(ports)})
        try:
            child.start()
            seen = 0
            while child.fileno() not in self._tunnel.turn([child.fileno()]):
                child.stop_with_it()
                self._job.check_time()
                if self._job.interrupt.count > seen:
                    seen = self._job.interrupt.count
                    child.end(self._job.interrupt.last, self._job.interrupt, seen)
        except BaseException:
            child.end(signal.SIGTERM, self._job.interrupt, self._job.interrupt.count)
            child.wait()
            raise
        code = child.wait()
        child.pass_on_ctrl_c()
        return code

    def _listen_here(self, one: Forward) -> str:
        number = len(self._ways) * -1 - 1  # the guest's have numbers above zero
        self._ways[number] = "", one.to

        def listen() -> tuple[str, int]:
            try:
                return self._tunnel.listen(one.bind, one.port, number)
            except OSError as error:
                raise QgaError(
                    f"cannot listen on {written(one.bind, one.port)}: {error.strerror or error}",
                    hint="port 0 picks a free one",
                ) from error

        where = self._judged("connect", one, listen)
        self._ways[number] = where, one.to
        return where

    def _listen_there(self, one: Forward) -> str:
        numbers = []

        def named(number: int) -> None:
            numbers.append(number)
            self._ways[number] = "", one.to

        where = self._judged(
            "connect-back", one, lambda: self._tunnel.ask_to_listen(one.bind, one.port, named)
        )
        self._ways[numbers[0]] = where, one.to
        return where

    def _judged(self, how: str, one: Forward, listen: Callable[[], tuple[str, int]]) -> str:
        """Listen, if the policy lets it pass; the address as a user writes it."""
        found: list[tuple[str, int]] = []
        told = {"listen": written(one.bind, one.port), "to": str(one.to)}
        self._job.hosts.change(self._guest, how, lambda: found.append(listen()), told)
        host, port = found[0]
        self._ports.append(port)
        return written(host, port)

    def _came(self, connection: TunnelConnection, number: int) -> bytes:
        """A connection to a listening socket of this host: the address that the guest must dial."""
        where, to = self._ways[number]
        told = {"from": where, "to": str(to)}
        self._job.hosts.change(self._guest, "connect", bool, told)
        self._tunnel.expect(connection, lambda error: self._complain(to, error))
        return to.told()

    def _called(self, number: int, listener: int) -> None:
        """Somebody has come to a socket in the guest: it may reach the one address that was named
        for this socket."""
        where, to = self._ways[listener]
        told = {"from": where, "to": str(to)}

        def dial() -> None:
            if to.kind == "unix":
                self._tunnel.dial_path(number, to.path.encode("utf-8", "surrogateescape"))
            else:
                self._tunnel.dial(number, to.host, to.port)

        self._job.hosts.change(self._guest, "connect-back", dial, told)

    def _complain(self, to: Address, error: str | None) -> None:
        if error is not None:
            self._job.say(0, f"{self._guest.label}: {to}: {error}")
