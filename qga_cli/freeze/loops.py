"""What hangs a guest in its own freeze: an image in a file of a filesystem that is frozen first.

The agent freezes in the opposite order of mounting, which is the order of guest-get-fsinfo. Frozen
too early is what was mounted once more, as by a bind mount, after the image: agents before 10.0
freeze by every mount (QEMU, qga/commands-linux.c, build_fs_mount_list). To freeze the image is to
write to its file then, and the agent waits for that until the guest is reset.
"""

from __future__ import annotations

import os
import re

from qga_cli.agent import Agent
from qga_cli.agent.file import read_small
from qga_cli.commands.fs.list import can_fill
from qga_cli.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.freeze.connection import Connection

_FEW = 8  # mount points that one line has room for


def warning(agent: Agent | Connection, rows: Sequence[Any], mountpoints: Sequence[str]) -> str:
    """Which mount hangs the freeze of `mountpoints` (none: of all), and what to type; or "".

    `rows` are guest-get-fsinfo's. Asks the guest further only if it has such images.
    """
    order = [row for row in rows if not mountpoints or row["mountpoint"] in mountpoints]
    for index, row in enumerate(order):
        earlier = [one for one in order[:index] if not _is_loop(one)]
        if not (_is_loop(row) and earlier):
            continue
        try:
            found = _frozen_before(agent, row["name"], earlier)
        except Refused:  # a policy; then what is mounted on both sides of it has to do
            later = {one["name"] for one in order[index:]}
            found = next((("an image", one) for one in earlier if one["name"] in later), None)
        if found:
            what, one = found
            return (
                f"this freeze may hang the guest until it is reset: {row['mountpoint']} is {what} "
                f"on {one['name']}, which is frozen before it, at {one['mountpoint']}; leave it "
                f"out: `fs freeze-list`, or `with-frozen --mountpoint`, of {_others(order)}"
            )
    return ""


def _is_loop(row: Any) -> bool:
    """Whether it is an image that can be frozen: a snap's squashfs cannot."""
    return bool(re.fullmatch(r"loop\d+(p\d+)?", row["name"]) and can_fill(row))


def _frozen_before(
    agent: Agent | Connection, name: str, earlier: list[Any]
) -> tuple[str, Any] | None:
    """The image, and that one of `earlier` which is the filesystem that it lies on."""
    device = re.sub(r"(\d)p\d+$", r"\1", name)  # of a partition, loop0p1: its whole
    file = read_small(agent, f"/sys/block/{device}/loop/backing_file")
    path = os.fsdecode(file.removesuffix(b"\n"))
    numbers: dict[str, str] = {}
    for line in os.fsdecode(read_small(agent, "/proc/self/mountinfo")).splitlines():
        words = line.split(" ")
        if len(words) > 4:  # proc_pid_mountinfo(5): id, parent, major:minor, root, mount point
            numbers[re.sub(r"\\([0-7]{3})", lambda it: chr(int(it[1], 8)), words[4])] = words[2]
    above = [point for point in numbers if f"{path}/".startswith(f"{point.rstrip('/')}/")]
    its = numbers[max(above, key=len)] if above else ""
    one = next((one for one in earlier if its and numbers.get(one["mountpoint"]) == its), None)
    return (f"the image {path}", one) if one else None


def _others(order: list[Any]) -> str:
    """A mount point of each filesystem that is no image, as a shell takes it."""
    import shlex  # for a warning alone

    points = {row["name"]: row["mountpoint"] for row in order if not _is_loop(row)}
    few = list(points.values())[::-1][:_FEW]
    return shlex.join(few) + (" ..." if len(points) > _FEW else "")
