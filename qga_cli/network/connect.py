"""`qga connect`: our standard input and output, joined to an address as the guest sees it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import closing

from qga_cli.errors import QgaError, Refused, UsageError
from qga_cli.network.address import address as parse
from qga_cli.network.tunnel import dig
from qga_cli.outlet import open_anew
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.inside.network.connection import TunnelConnection
    from qga_cli.network.address import Address
    from qga_cli.network.login import Login
    from qga_cli.network.tunnel import Tunnel

_SMALL = 4096  # bytes that a pipe which can be written takes without waiting: PIPE_BUF
_NOBODY = 141  # 128 + SIGPIPE


def verb(job: Job, *, address: str, channel: str) -> Finished:
    """`qga connect`."""
    if job.fleet:
        raise UsageError("our input and output belong to one guest")
    assert job.target is not None
    to = parse(address, sshd=True)
    joint: _Joint | Login = _Joint(job, to, channel)
    if to.kind == "sshd":
        from qga_cli.network.login import Login

        joint = Login(job, channel)
    with job.interrupt.shield():
        job.hosts.change(job.target, "connect", joint.run, {"to": str(to)})
    return Finished(code=joint.code)


class _Joint:
    """One connection into the guest, for our own streams."""

    def __init__(self, job: Job, to: Address, channel: str) -> None:
        self.code = 0
        self._job = job
        self._to = to
        self._channel = channel
        self._connection: TunnelConnection | None = None
        self._gone = False
        self._error: str | None = None

    def run(self) -> None:
        """Carry it to its end. Raises Refused with the guest's reason."""
        job = self._job
        with closing(dig(job, self._channel)) as tunnel, job.interrupt.watched(tunnel.wake):
            self._carry(tunnel)

    def _carry(self, tunnel: Tunnel) -> None:
        reader = self._job.streams.stdin.fileno()
        writer, most = _outlet(self._job.streams.stdout.fileno())
        self._connection = connection = tunnel.connect(
            self._to, reader, writer, reached=self._reached, gone=self._leave
        )
        connection.most = most
        while not self._gone:
            if self._job.interrupt.count:  # ssh ends its ProxyCommand by SIGHUP, each time
                self.code = 128 + self._job.interrupt.signum
                return
            tunnel.turn()
            self._job.check_time()
            if connection.writer < 0 and os.isatty(reader):
                return  # whoever types would not notice that the other side has hung up
        if self._error is not None:
            raise Refused(f"{self._to}: {self._error}")
        if connection.trouble and connection.trouble.errno == errno.EPIPE:
            self.code = _NOBODY
        elif not (connection.ended and connection.sent_end):
            raise QgaError(f"{self._to}: {connection.trouble or 'the connection was reset'}")

    def _reached(self, error: str | None) -> None:
        self._error = error

    def _leave(self) -> None:
        self._gone = True


def _outlet(number: int) -> tuple[int, int]:
    """A descriptor of our own in place of `number`, and how much to write to it at a time.

    To wait for nobody it has to be non-blocking, which must not be so for others who have the same
    pipe open: so it is opened once more, where that is possible.
    """
    ours, most = open_anew(number), 2**20
    if ours < 0:
        ours = os.dup(number)
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.set_blocking(ours, False)
        else:
            most = _SMALL
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)  # our closing is to be seen
    os.close(null)
    return ours, most
