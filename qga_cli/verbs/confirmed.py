"""Commands whose reply must be held against what was asked, or a failure would pass unseen."""

from __future__ import annotations

import os

from qga_cli.agent import Reply
from qga_cli.commands.cpu.set import COMMAND as SET_VCPUS
from qga_cli.commands.fs.list import can_fill
from qga_cli.errors import BadReply, Refused
from qga_cli.verbs.job import Job


def echo(job: Job) -> Reply:
    """`qga sync`: the agent must send back our number, not an earlier caller's."""
    number = job.arguments.setdefault("id", int.from_bytes(os.urandom(6), "big"))
    reply = job.wire()
    if reply.value != number:
        raise BadReply(
            f"the agent echoed {reply.value} for {number}",
            hint="an earlier call's reply may have come late; try again",
        )
    return reply


def vcpus(job: Job) -> Reply:
    """`qga cpu set`: all of them, or the reason why one could not be set.

    The agent ends at the first that fails and tells only how many it has set; why is told when
    that one comes first (QEMU, qga/commands-linux.c, qmp_guest_set_vcpus).
    """
    assert job.agent is not None
    asked = job.arguments["cpu"]
    done = 0
    try:
        reply = job.wire()
        done = reply.value
        while done < len(asked):
            more = job.agent.call(SET_VCPUS, {"vcpus": asked[done:]}).value
            if more < 1:
                raise BadReply(f"the agent set {done} of {len(asked)} cpus and gives no reason")
            done += more
    except Refused as error:
        error.message = f"cpu {asked[done]['logical-id']}: {error.message}"
        if done:
            error.message += f"; {done} of {len(asked)} were set before"
        raise
    reply.value = done
    return reply


def filesystems(job: Job) -> Reply:
    """`qga fs list`: all of them, or with --fillable those that can run full."""
    reply = job.wire()
    if job.arguments.get("fillable"):
        reply.value = [row for row in reply.value if can_fill(row)]
    return reply


def trim(job: Job) -> Reply:
    """`qga fs trim`: exit code 1 if nothing was trimmed, for the agent reports success then too."""
    assert job.agent is not None
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
