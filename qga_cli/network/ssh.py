"""`qga ssh config`: how ssh reaches guests through their agents."""

from __future__ import annotations

import os
import shlex
import sys

from qga_cli.guests.targets import SUFFIX
from qga_cli.network.known_hosts import path
from qga_cli.verbs.job import Finished, Job

_PART = """\
# Written by `qga ssh config`: the guest web1 is web1{suffix}, with or without a network.
Host *{suffix}
    ProxyCommand {program} %n sshd:%p
    UserKnownHostsFile "{known_hosts}"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    UpdateHostKeys no
    CheckHostIP no
"""


def config(job: Job, *, channel: str, connect: str = "") -> Finished:
    """Print it. ssh knows %n, the name as it was typed, and %p, the port."""
    words = _program()
    if connect:
        words += ["-c", connect]
    words.append("connect")
    if channel != "auto":
        words += ["--channel", channel]
    text = _PART.format(
        suffix=SUFFIX,
        program=shlex.join(words).replace("%", "%%"),
        known_hosts=path().replace("%", "%%"),
    )
    sys.stdout.write(text)
    sys.stdout.flush()
    return Finished()


def _program() -> list[str]:
    """The path of this program, which ssh can call from any folder."""
    program = os.path.abspath(sys.argv[0])
    if os.path.basename(program) == "qga" and os.access(program, os.X_OK):
        return [program]
    return [sys.executable, "-P", "-m", "qga_cli"]
