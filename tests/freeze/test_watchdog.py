"""The watchdog by itself: what it logs, and that its own failures are noticed in time."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import syslog
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.errors import QgaError
from qga_cli.freeze.hold import Watchdog
from qga_cli.guests.targets import Target
from tests.kit.fake import FakeAgent
from tests.kit.freezes import Filesystems, refuse
from tests.kit.running import GUARD

Fake = Callable[..., FakeAgent]


STUB = """
import sys, syslog
log = open(sys.argv[1], "a")
syslog.syslog = lambda priority, text: print(priority, text, file=log, flush=True)
from qga_cli.freeze.watchdog import main
main()
"""


def test_what_the_watchdog_logs(fake: Fake, tmp_path: Path) -> None:
    filesystems = Filesystems(thaw=[refuse("not \x1b[1mnow")])
    log = tmp_path / "log"
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", STUB, str(log)], stdin=theirs.fileno())
    with ours:
        ours.sendall(json.dumps({"uri": fake(filesystems).uri, "name": "x", "label": "x"}).encode())
        ours.sendall(b"\narm 30\n")
        while b"armed" not in ours.recv(99):
            pass
        filesystems.frozen = True
    assert process.wait(GUARD) == 0
    assert not filesystems.frozen
    lines = log.read_text().splitlines()
    assert lines[:3] == [
        f"{syslog.LOG_NOTICE} x: freezing, for 30 s at most",
        f"{syslog.LOG_WARNING} x: thawing: the qga that froze it has died",
        f"{syslog.LOG_ERR} x: cannot thaw, goes on trying: not \\x1b[1mnow",
    ]
    assert lines[3].startswith(f"{syslog.LOG_WARNING} x: thawed after ")


def test_a_watchdog_that_dies_before_the_freeze_is_noticed(fake: Fake) -> None:
    watchdog = Watchdog(Target(fake(Filesystems()).uri, "web1", "web1"))
    watchdog.await_ready()
    os.kill(watchdog.pid, signal.SIGKILL)
    with pytest.raises(QgaError, match="nothing was frozen: the watchdog has died"):
        watchdog.arm(5, "t")
    watchdog.leave()


def test_a_watchdog_that_cannot_reach_the_guest(tmp_path: Path) -> None:
    watchdog = Watchdog(Target(f"unix:{tmp_path}/none.sock", "web1", "web1"))
    with pytest.raises(QgaError, match=r"nothing was frozen: .*none\.sock"):
        watchdog.await_ready()
    watchdog.leave()


def test_a_watchdog_holds_no_folder(fake: Fake) -> None:
    """A filesystem that its user works in could not be unmounted as long as it lived."""
    uri = f"unix:{os.path.relpath(fake(Filesystems()).path)}"
    watchdog = Watchdog(Target(uri, "web1", "web1"))
    watchdog.await_ready()
    assert os.readlink(f"/proc/{watchdog.pid}/cwd") == "/"
    watchdog.leave()


def test_a_host_that_can_start_no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_it(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse_it)
    with pytest.raises(QgaError, match="nothing was frozen: no watchdog can be started: Resource"):
        Watchdog(Target("unix:/x.sock", "web1", "web1"))


def test_a_long_reason_of_the_watchdogs_is_cut_anywhere(fake: Fake) -> None:
    refusal = "é" * 4000
    watchdog = Watchdog(Target(fake(Filesystems(status=[refuse(refusal)])).uri, "web1", "web1"))
    with pytest.raises(QgaError, match="nothing was frozen: the watchdog cannot guard it: é"):
        watchdog.await_ready()
    watchdog.leave()
