"""A login through ssh: a sshd of its own in the guest, and its host keys, told before it speaks."""

from __future__ import annotations

import contextlib
import os
import threading
import time

from qga_cli.errors import BadReply, OutcomeUnknown, Refused, TimedOut
from qga_cli.inside import script
from qga_cli.network.known_hosts import remember
from qga_cli.network.link import Presence, hear, open_link
from qga_cli.verbs.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.interrupt import Interrupt
    from qga_cli.network.link import TunnelLink

_BEGIN = 60.0  # seconds for the guest to tell its keys
_MOST = 32768  # bytes of them
_PIECE = 262144
_WAIT = 1.0


class Login:
    """`qga connect VM sshd`. Nothing stands between ssh and that sshd but the link."""

    def __init__(self, job: Job, channel: str) -> None:
        self.code = 0
        self._job = job
        self._channel = channel
        self._over = False

    def run(self) -> None:
        """Carry it to its end. Raises Refused with the guest's reason."""
        job = self._job
        assert job.target is not None
        words = ["sh", "-c", script("network/login"), "qga-login"]
        link = open_link(job, job.agent, words, self._channel, bare=True)
        try:
            keys, rest = _keys(link, job.interrupt)
            remember(job.target.label, keys)
            self._carry(link, rest)
        finally:
            self._over = True
            link.close()

    def _carry(self, link: TunnelLink, rest: bytes) -> None:
        threading.Thread(target=self._send, args=(link,), daemon=True).start()
        out = self._job.streams.stdout
        data, presence = rest, Presence(link)
        while True:
            out.write(data)
            out.flush()
            presence.heard()
            self._job.check_time()
            while not self._job.interrupt.select([link], _WAIT, 0):
                if self._over:
                    return
                if self._job.interrupt.count:  # ssh ends its ProxyCommand by SIGHUP, each time
                    self.code = 128 + self._job.interrupt.signum
                    return
                self._job.check_time()
                presence.check()
            with contextlib.suppress(TimedOut):
                data = link.read(0)
                if not data:
                    return

    def _send(self, link: TunnelLink) -> None:
        """Runs in a thread: sends what ssh writes."""
        with contextlib.suppress(OutcomeUnknown):  # who reads is told
            while not self._over:
                data = os.read(self._job.streams.stdin.fileno(), _PIECE)
                if not data:  # it has gone
                    self._over = True
                    return
                link.write(data)


def _keys(link: TunnelLink, interrupt: Interrupt) -> tuple[bytes, bytes]:
    """The lines with the host keys, and what came after them. Raises Refused."""
    said, until = b"", time.monotonic() + _BEGIN
    while b"\n\n" not in b"\n" + said:
        piece = hear(link, interrupt, until)
        if not piece:
            raise Refused(f"ssh: {said.decode('utf-8', 'replace').strip() or 'no sshd begins'}",
                          hint="`qga shell VM` and `qga rsh VM` need none")  # fmt: skip
        said += piece
        if len(said) > _MOST:
            raise BadReply("the guest has too much to say before its sshd")
    head, _, rest = (b"\n" + said).partition(b"\n\n")
    lines = [line[4:] for line in head.split(b"\n") if line.startswith(b"key ")]
    return b"\n".join(lines), rest
