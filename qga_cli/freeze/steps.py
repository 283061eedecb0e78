"""Freezing and thawing so that one knows what happened.

Agents on Linux never thaw by themselves, a reply can get lost, and somebody else may thaw first.
So nothing is assumed here: state and counts are asked for, and compared.
"""

from __future__ import annotations

import contextlib
import math
import time

from qga_cli.agent import Agent, Reply
from qga_cli.agent.abilities import Abilities, ask
from qga_cli.commands.fs.freeze import COMMAND as FREEZE
from qga_cli.commands.fs.status import COMMAND as STATUS
from qga_cli.commands.fs.thaw import COMMAND as THAW
from qga_cli.errors import (
    BadReply,
    Frozen,
    NotRunning,
    OutcomeUnknown,
    QgaError,
    Refused,
    Unsupported,
)
from qga_cli.freeze.connection import Connection
from qga_cli.freeze.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LIBVIRTS = (5, 10)  # seconds for which libvirt may wait with nothing sent yet
_THAW = 8.0  # seconds for a thaw's reply; none of these
NOT_ALL = "vfat cannot be (`qga fs list VM` tells), nor what the guest froze itself"
_LEAST = 0.5  # seconds for the last question whether it is frozen
_FIRST, _CEILING = 0.02, 1.0  # seconds between two attempts


def is_frozen(connection: Connection, timeout: float | None = None) -> bool:
    """Whether the agent says so."""
    return bool(connection.call(STATUS, timeout=timeout).value == "frozen")


def check(connection: Connection, mountpoints: Sequence[str]) -> int:
    """How many filesystems a freeze must bring at least.

    Raises what stands against a freeze, with nothing frozen yet: the guest is frozen already, or
    migrating, or could not be thawed, or a mount point is none.
    """
    if connection.state() == "migrating":
        raise NotRunning(
            "the guest is migrating to another host", hint="freeze it there once it has arrived"
        )
    if is_frozen(connection):
        from qga_cli.agent import refusal

        raise held(refusal.frozen(""), Record(connection.identity()))
    able = Abilities({})
    with contextlib.suppress(Refused):  # a policy that hides itself
        able = ask(connection)
    if THAW.wire in able.blocked:
        raise Unsupported(
            f"the guest's policy blocks {THAW.wire}: a freeze could not be ended",
            hint="`qga info VM` shows what is blocked",
        )
    least, warning = look_up(connection, mountpoints)
    if warning:
        connection.warn(warning)
    return least


def held(error: Frozen, record: Record) -> Frozen:
    """`error`; if another qga guards the freeze, its hint says to wait for that."""
    by = record.guarded()
    if not by:
        return error
    hint = "`qga wait VM --for thawed` waits for that; a thaw now would spoil its work"
    return error.add(after=f": {by}", hint=hint)


def look_up(agent: Agent | Connection, mountpoints: Sequence[str]) -> tuple[int, str]:
    """How many filesystems a freeze must bring at least, and what there is to warn of.

    The agent passes over unknown mount points silently, so they are looked up. None: all.
    """
    from qga_cli.commands.fs.list import COMMAND as LIST

    try:
        rows = agent.call(LIST).value
    except (BadReply, Refused) as error:
        if mountpoints and not isinstance(error, Unsupported):
            raise
        return len(set(mountpoints)) or 1, ""  # FreeBSD: then a freeze's own count has to do
    if any(row["name"].startswith("loop") for row in rows):
        from qga_cli.freeze import loops

        warning = loops.warning(agent, rows, mountpoints)
    else:
        warning = ""
    if not mountpoints:
        return 1, warning
    known = {row["mountpoint"]: row["name"] for row in rows}
    unknown = [path for path in mountpoints if path not in known]
    if unknown:
        raise Refused(
            f"no filesystem that can be frozen is mounted at {', '.join(unknown)}",
            hint="the guest's mount points are " + ", ".join(sorted(known)),
        )
    return len({known[path] for path in mountpoints}), warning


def freeze(connection: Connection, mountpoints: Sequence[str], least: int, timeout: float) -> Reply:
    """Freeze at least that many filesystems within `timeout` seconds.

    Raises Refused when they are fewer, which may be frozen then, and OutcomeUnknown when neither
    the reply came nor the state could be asked. A lost reply that the state makes up for: no text.
    """
    deadline = time.monotonic() + timeout
    command, arguments = FREEZE, {}
    if mountpoints:
        from qga_cli.commands.fs.freeze_list import COMMAND as FREEZE_LIST

        command, arguments = FREEZE_LIST, {"mountpoints": list(mountpoints)}
    try:
        reply = connection.call(command, arguments, _share(timeout))
    except OutcomeUnknown as error:
        if not _ask(connection, deadline, error):
            raise Refused("the reply to the freeze was lost, and nothing is frozen") from error
        return Reply("", least)
    if reply.value < least:
        some = f"only {reply.value} of {least} filesystems" if reply.value else "no filesystem"
        raise Refused(f"{some} could be frozen", hint=NOT_ALL)
    return reply


def _share(timeout: float) -> float:
    """Seconds for the reply to a freeze; the others are for asking, should it get lost.

    It is half of them, but for what libvirt would round up to 5 or 10: see docs/architecture.md.
    """
    half = timeout / 2
    whole = math.ceil(half)
    return float(whole - 1) if whole in _LIBVIRTS else half


def _ask(connection: Connection, deadline: float, unknown: OutcomeUnknown) -> bool:
    """Whether the guest is frozen, after a freeze without a reply.

    The agent does one thing after the other: once it says anything, the freeze is over.
    """
    pause = _FIRST
    while True:
        try:
            return is_frozen(connection, max(_LEAST, deadline - time.monotonic()))
        except QgaError as error:
            if time.monotonic() + pause > deadline:
                raise unknown from error
        time.sleep(pause)
        pause = min(pause * 2, _CEILING)


def thaw(connection: Connection, patience: float) -> int | None:
    """Thaw until the agent says thawed; after `patience` seconds raise what keeps it from that.

    Returns how many filesystems were still frozen: 0 when the freeze had ended by itself, None
    when the thaw's own reply was lost. The count is meant for this: see the comment in QEMU
    qga/commands-linux.c, qmp_guest_fsfreeze_do_thaw.
    """
    deadline = time.monotonic() + patience
    count: int | None = 0
    pause = _FIRST
    while True:
        try:
            if not is_frozen(connection):
                return count
            count = None
            count = connection.call(THAW, timeout=_THAW).value
            if not is_frozen(connection):
                return count
            failure: QgaError = Refused("the agent reports a thaw, and says frozen still")
        except Refused as error:
            # It is thawed all the same when its hook fails (qga/commands-posix.c), and when
            # Windows has ended the freeze long ago (requester_thaw in qga/vss-win32).
            failure, count = error, None if "hook" in error.desc else 0
            connection.warn(f"the thaw went wrong: {error.message}")
        except QgaError as error:
            failure = error
        if time.monotonic() + pause > deadline or connection.is_gone(failure):
            raise failure
        time.sleep(pause)
        pause = min(pause * 2, _CEILING)
