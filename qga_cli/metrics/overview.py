"""A row for each guest of the fleet, computed from two looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qga_cli.commands.cpu.load import COMMAND as LOAD
from qga_cli.commands.cpu.stats import COMMAND as CPU_STATS
from qga_cli.commands.disk.stats import COMMAND as DISK_STATS
from qga_cli.commands.fs.list import COMMAND as FILESYSTEMS
from qga_cli.commands.fs.list import can_fill
from qga_cli.commands.net.interfaces import COMMAND as INTERFACES
from qga_cli.metrics.families import disks, interfaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.metrics.collector import Look
    from qga_cli.metrics.reading import Reading
    from qga_cli.transports.counters import Counters

_SECTOR = 512  # bytes: see families.py
_IDLE = ("idle", "iowait")
_ALL = ("user", "nice", "system", "irq", "softirq", "steal", *_IDLE)


class Seen:
    """One guest in one look, and the row that came of it."""

    __slots__ = ("counters", "reading", "row", "taken")

    def __init__(self, reading: Reading, look: Look) -> None:
        self.reading = reading
        self.counters = look.counters.get(reading.vm)
        self.taken = look.taken  # of the counters
        self.row: dict[str, Any] = {}


class Overview:
    """Rows for `qga top`. Rates are those between a guest's last two readings."""

    def __init__(self) -> None:
        self._last: dict[str, Seen] = {}

    def rows(self, look: Look) -> list[dict[str, Any]]:
        """One for each guest, in the look's order."""
        last, self._last = self._last, {}
        for reading in look.readings:
            seen = Seen(reading, look)
            seen.row = _row(seen, last.get(reading.vm))
            self._last[reading.vm] = seen
        return [seen.row for seen in self._last.values()]


def _row(seen: Seen, before: Seen | None) -> dict[str, Any]:
    reading = seen.reading
    used, total = _memory(seen.counters)
    percent, mountpoint = _fullest(reading)
    received, sent = _rates(seen, before, "networks", _network, ("received", "sent"))
    read, written = _rates(seen, before, "disks", _disk, ("read", "written"))
    return {
        "vm": reading.vm,
        "state": reading.state or None,
        "agent": reading.agent or None,
        "frozen": reading.frozen,
        "cpu%": _busy(seen, before),
        "memory": used,
        "memory-total": total,
        "load": reading.told.get(LOAD.wire, {}).get("load1m"),
        "full%": percent,
        "mountpoint": mountpoint,
        "received": received,
        "sent": sent,
        "read": read,
        "written": written,
    }


def _memory(counters: Counters | None) -> tuple[int | None, int | None]:
    """Bytes in use and in all: by the guest's own word, or else what it takes of the host's."""
    told = counters.memory if counters else {}
    available, free = told.get("available"), told.get("usable", told.get("unused"))
    if available is not None and free is not None:
        return available - free, available
    return told.get("rss"), told.get("current")


def _fullest(reading: Reading) -> tuple[float | None, str | None]:
    """How full the fullest filesystem is, and where it is mounted."""
    shares = [
        (100 * row.get("used-bytes", 0) / row["total-bytes"], row["mountpoint"])
        for row in reading.told.get(FILESYSTEMS.wire, ())
        if can_fill(row) and row.get("total-bytes")
    ]
    if not shares:
        return None, None
    percent, mountpoint = max(shares)
    return round(percent, 1), mountpoint


def _network(reading: Reading) -> tuple[int, int] | None:
    """Bytes received and sent, as the guest counts, without loopback."""
    if INTERFACES.wire not in reading.told:
        return None
    rows = [row for row in interfaces(reading.told[INTERFACES.wire]) if row["name"] != "lo"]
    statistics = [row["statistics"] for row in rows]
    return sum(one["rx-bytes"] for one in statistics), sum(one["tx-bytes"] for one in statistics)


def _disk(reading: Reading) -> tuple[int, int] | None:
    """Bytes read and written, as the guest counts."""
    if DISK_STATS.wire not in reading.told:
        return None
    stats = [row["stats"] for row in disks(reading.told[DISK_STATS.wire])]
    read = sum(one.get("read-sectors", 0) for one in stats)
    return read * _SECTOR, sum(one.get("write-sectors", 0) for one in stats) * _SECTOR


def _rates(
    seen: Seen,
    before: Seen | None,
    group: str,
    told: Callable[[Reading], tuple[int, int] | None],
    names: tuple[str, str],
) -> tuple[float | None, float | None]:
    """Bytes per second, as the hypervisor counts, or else the guest.

    None for a counter that has begun anew, and where there is none.
    """
    if before is None:
        return None, None
    pairs = getattr(seen.counters, group, None)
    if pairs:
        now, seconds = _sum(pairs), seen.taken - before.taken
        then = _sum(getattr(before.counters, group, None) or {})
    elif seen.reading is before.reading:  # nobody has asked it since
        return before.row[names[0]], before.row[names[1]]
    else:
        now, then = told(seen.reading), told(before.reading)
        seconds = seen.reading.taken - before.reading.taken
    if now is None or then is None or seconds <= 0 or now[0] < then[0] or now[1] < then[1]:
        return None, None
    return round((now[0] - then[0]) / seconds, 1), round((now[1] - then[1]) / seconds, 1)


def _sum(pairs: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    return (sum(a for a, _ in pairs.values()), sum(b for _, b in pairs.values())) if pairs else None


def _busy(seen: Seen, before: Seen | None) -> float | None:
    """Percent of the time of all its processors: as the guest counts, or else its hypervisor."""
    if before is None:
        return None
    if seen.reading is before.reading and CPU_STATS.wire in seen.reading.told:
        return before.row["cpu%"]  # type: ignore[no-any-return]
    now, then = _times(seen.reading), _times(before.reading)
    if now and then:
        known = now[1] > then[1] and now[0] >= then[0]
        return round(100 * (now[0] - then[0]) / (now[1] - then[1]), 1) if known else None
    now_ran, then_ran = _ran(seen.counters), _ran(before.counters)
    seconds = seen.taken - before.taken
    if now_ran is None or then_ran is None or seconds <= 0 or now_ran < then_ran:
        return None
    return round(min(100.0, 100 * (now_ran - then_ran) / seconds), 1)


def _ran(counters: Counters | None) -> float | None:
    """Seconds of processor time, divided by the number of processors."""
    if counters is None or counters.cpu_seconds is None or not counters.vcpus:
        return None
    return counters.cpu_seconds / counters.vcpus


def _times(reading: Reading) -> tuple[int, int] | None:
    """Milliseconds busy and in all, of all processors."""
    cpus = reading.told.get(CPU_STATS.wire)
    if not cpus:
        return None
    total = sum(cpu.get(mode, 0) for cpu in cpus for mode in _ALL)
    return total - sum(cpu.get(mode, 0) for cpu in cpus for mode in _IDLE), total
