"""Commands whose reply must be held against what was asked, or a failure would pass unseen."""

from __future__ import annotations

import os

from qga_cli.agent import Reply
from qga_cli.commands.cpu.set import COMMAND as SET_VCPUS
from qga_cli.commands.fs.list import can_fill
from qga_cli.errors import BadReply, Refused
from qga_cli.verbs.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def echo(job: Job, *, id: int | None = None) -> Reply:
    """`qga sync`: the agent must send back our number, not an earlier caller's."""
    number = int.from_bytes(os.urandom(6), "big") if id is None else id
    reply = job.wire(id=number)
    if reply.value != number:
        raise BadReply(
            f"the agent echoed {reply.value} for {number}",
            hint="an earlier call's reply may have come late; try again",
        )
    return reply


def vcpus(job: Job, *, cpu: list[dict[str, Any]]) -> Reply:
    """`qga cpu set`: all of them, or the reason why one could not be set.

    The agent ends at the first that fails and tells only how many it has set; why is told when
    that one comes first (QEMU, qga/commands-linux.c, qmp_guest_set_vcpus).
    """
    done = 0
    try:
        reply = job.wire()
        done = reply.value
        while done < len(cpu):
            more = job.agent.call(SET_VCPUS, {"vcpus": cpu[done:]}).value
            if more < 1:
                raise BadReply(f"the agent set {done} of {len(cpu)} cpus and gives no reason")
            done += more
    except Refused as error:
        before = f"; {done} of {len(cpu)} were set before" if done else ""
        error.add(before=f"cpu {cpu[done]['logical-id']}: ", after=before)
        raise
    reply.value = done
    return reply


def filesystems(job: Job, *, fillable: bool = False) -> Reply:
    """`qga fs list`: all of them, or with --fillable those that can run full."""
    reply = job.wire()
    if fillable:
        reply.value = [row for row in reply.value if can_fill(row)]
    return reply


def trim(job: Job) -> Reply:
    """`qga fs trim`: exit code 1 if nothing was trimmed, for the agent reports success then too."""
    reply = job.wire()
    paths = reply.value["paths"]
    if not paths:
        raise Refused("the guest has no filesystem that can be trimmed")
    reply.code = int(all("error" in path for path in paths))
    return reply


def blocks(job: Job) -> Reply:
    """`qga memory set`: exit code 1 if any block failed."""
    reply = job.wire()
    reply.code = int(any(block["response"] != "success" for block in reply.value))
    return reply
