"""Harm in the middle of a call, and the look at what becomes of it.

A guest that is about to be harmed has a /sbin/hwclock of ours: `qga time set` without a time is
then a call that lasts for as long as we like, and that tells the console when it has begun.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.kit.command import Ran, qga
from tests.kit.running import GUARD

BEGUN = "QGA-TEST-BEGUN"
WAIT = ("wait", "--timeout", "5m")

# By calls of the agent, which -vv shows one by one; what harms ports is in tests/channel.
COPY = ("cp", "--channel", "never")


def hold(name: str, then: str, *host: str) -> None:
    """Make the next `time set` of a guest do this, after it has said that it begins."""
    script = f"#!/bin/sh\necho {BEGUN} >/dev/console\n{then}\n"
    ran = qga(*host, "exec", name, "--", "sh", "-c", f"printf '%s' '{script}' >/sbin/hwclock")
    assert ran.code == 0, ran.err


def begin(name: str, *words: str) -> "subprocess.Popen[bytes]":
    """Start a `time set`."""
    command = [sys.executable, "-m", "qga_cli", *words, "time", "set", name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def during(console: Path, name: str, fault: Callable[[], object], *words: str) -> Ran:
    """What becomes of a call in the middle of which something happens."""
    seen = console.read_bytes().count(BEGUN.encode())
    process = begin(name, *words)
    deadline = time.monotonic() + GUARD
    while console.read_bytes().count(BEGUN.encode()) == seen:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the call does not begin"
        time.sleep(0.02)
    fault()
    out, err = process.communicate(timeout=GUARD)
    return Ran(process.returncode, out, err)


def in_mid_copy(
    source: str,
    target: str,
    fault: Callable[[], object],
    *host: str,
    after: tuple[str, ...] | None = None,
) -> None:
    """Something happens in the middle of a copy: it tells how to go on, and so it can be.

    `host` are options that say where the guest is, `after` where it is from then on.
    """
    command = [sys.executable, "-m", "qga_cli", *host, "-vv", *COPY, source, target]
    moved, said = 0, ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            moved += "guest-file-write: ok" in line or "guest-file-read: ok" in line
            if moved == 2:
                process.send_signal(signal.SIGSTOP)  # it shall not be done before
                fault()
                process.send_signal(signal.SIGCONT)
                moved += 1
    assert process.returncode in ((3, 5, 8) if after is None else (4, 5, 8)), said
    assert "repeat with --resume to complete it" in said
    guest = (source if ":" in source else target).partition(":")[0]
    host = host if after is None else after
    assert qga(*host, *WAIT, guest).code == 0
    done = qga(*host, "cp", "--resume", source, target)
    assert (done.code, done.err) == (0, "")


def works_again(name: str, *host: str) -> None:
    """The next calls are as ever."""
    assert qga(*host, *WAIT, name).code == 0
    assert qga(*host, "os", "hostname", name).out.strip() == name
