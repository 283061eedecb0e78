"""guest-get-diskstats."""

from collections.abc import Callable, Mapping

from qga_cli.spec import BUSY, COUNTER, NUMBER, TRAFFIC, Column, Command, Example

_MEMBERS = (
    "read-sectors", "read-ios", "read-merges", "write-sectors", "write-ios", "write-merges",
    "discard-sectors", "discard-ios", "discard-merges", "flush-ios", "read-ticks", "write-ticks",
    "discard-ticks", "flush-ticks", "ios-pgr", "total-ticks", "weight-ticks",
)  # fmt: skip
_SECTOR = 512  # bytes, whatever the disk's own is: Linux, Documentation/admin-guide/iostats.rst

_Row = Mapping[str, Mapping[str, int]]


def _stat(member: str) -> Callable[[_Row], int | None]:
    return lambda row: row["stats"].get(member)


def _bytes(member: str) -> Callable[[_Row], int | None]:
    return lambda row: row["stats"][member] * _SECTOR if member in row["stats"] else None


COMMAND = Command(
    "guest-get-diskstats",
    "Show how much the guest's disks have read and written",
    since="7.1",
    result=[
        {
            "name": str,
            "major": int,
            "minor": int,
            "stats": {f"{member}?": int for member in _MEMBERS},
        }
    ],
    empty="no disks",
    columns=[
        Column("disk", "name"),
        Column("reads", _stat("read-ios"), COUNTER, leaves=5),
        Column("read", _bytes("read-sectors"), TRAFFIC),
        Column("writes", _stat("write-ios"), COUNTER, leaves=4),
        Column("written", _bytes("write-sectors"), TRAFFIC),
        Column("discarded", _bytes("discard-sectors"), TRAFFIC, leaves=1),
        Column("flushes", _stat("flush-ios"), COUNTER, leaves=2),
        Column("running", _stat("ios-pgr"), NUMBER, leaves=3),
        Column("busy", _stat("total-ticks"), BUSY),
        Column("read-time", _stat("read-ticks"), BUSY, extra=True),
        Column("write-time", _stat("write-ticks"), BUSY, extra=True),
        Column("discard-time", _stat("discard-ticks"), BUSY, extra=True),
        Column("flush-time", _stat("flush-ticks"), BUSY, extra=True),
        Column("queue-time", _stat("weight-ticks"), BUSY, extra=True),
        Column("discards", _stat("discard-ios"), COUNTER, extra=True),
        Column("reads-merged", _stat("read-merges"), COUNTER, extra=True),
        Column("writes-merged", _stat("write-merges"), COUNTER, extra=True),
        Column("discards-merged", _stat("discard-merges"), COUNTER, extra=True),
        Column("major", extra=True),
        Column("minor", extra=True),
    ],
    systems=["Linux"],
    notes=(
        "Counted since the guest started; with --watch per second. `running` is how many requests "
        "are under way, `busy` the time in which any was. In a pipe times are in milliseconds."
    ),
    examples=[
        Example("qga disk stats web1 --watch 2", "what is going on now"),
        Example("qga disk stats web1 --columns disk,read-time,write-time", "other columns"),
    ],
)
