"""The fleet in a row for each guest: what two looks, one after another, say of it."""

from __future__ import annotations

from collections.abc import Callable

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

_SECTOR = 512  # bytes: see families.py
_IDLE = ("idle", "iowait")
_ALL = ("user", "nice", "system", "irq", "softirq", "steal", *_IDLE)


class Overview:
    """Rows for `qga top`. Rates are those between a guest's last two readings."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Reading, dict[str, Any]]] = {}

    def rows(self, look: Look) -> list[dict[str, Any]]:
        """One for each guest, in the look's order."""
        rows = {reading.vm: self._row(reading) for reading in look.readings}
        self._last = {reading.vm: (reading, rows[reading.vm]) for reading in look.readings}
        return list(rows.values())

    def _row(self, reading: Reading) -> dict[str, Any]:
        before, row = self._last.get(reading.vm, (None, None))
        if before is reading and row:
            return row  # nobody has asked it since
        used, total = _memory(reading)
        percent, mountpoint = _fullest(reading)
        seconds = reading.taken - before.taken if before else 0.0
        received, sent = _rates(_network, reading, before)
        read, written = _rates(_disk, reading, before)
        return {
            "vm": reading.vm,
            "state": reading.state or None,
            "agent": reading.agent or None,
            "frozen": reading.frozen,
            "cpu%": _busy(reading, before, seconds),
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


def _memory(reading: Reading) -> tuple[int | None, int | None]:
    """Bytes in use and in all: by the guest's own word, or else what it takes of the host's."""
    told = reading.counters.memory if reading.counters else {}
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
    """Bytes received and sent: as the hypervisor counts, or else the guest, without loopback."""
    if reading.counters and reading.counters.networks:
        pairs = list(reading.counters.networks.values())
    elif INTERFACES.wire in reading.told:
        statistics = [
            row["statistics"]
            for row in interfaces(reading.told[INTERFACES.wire])
            if row["name"] != "lo"
        ]
        pairs = [(one["rx-bytes"], one["tx-bytes"]) for one in statistics]
    else:
        return None
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _disk(reading: Reading) -> tuple[int, int] | None:
    """Bytes read and written, likewise."""
    if reading.counters and reading.counters.disks:
        pairs = list(reading.counters.disks.values())
    elif DISK_STATS.wire in reading.told:
        stats = [row["stats"] for row in disks(reading.told[DISK_STATS.wire])]
        pairs = [
            (one.get("read-sectors", 0) * _SECTOR, one.get("write-sectors", 0) * _SECTOR)
            for one in stats
        ]
    else:
        return None
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _rates(
    counted: Callable[[Reading], tuple[int, int] | None], reading: Reading, before: Reading | None
) -> tuple[float | None, float | None]:
    """Bytes per second; None for a counter that has begun anew, and where there is none."""
    now, then = counted(reading), counted(before) if before else None
    if now is None or then is None or before is None or reading.taken <= before.taken:
        return None, None
    seconds = reading.taken - before.taken
    first, second = now[0] - then[0], now[1] - then[1]
    if first < 0 or second < 0:
        return None, None
    return round(first / seconds, 1), round(second / seconds, 1)


def _busy(reading: Reading, before: Reading | None, seconds: float) -> float | None:
    """Percent of the time of all its processors: as the guest counts, or else its hypervisor."""
    if before is None or seconds <= 0:
        return None
    now, then = _times(reading), _times(before)
    if now and then and now[1] > then[1] and now[0] >= then[0]:
        return round(100 * (now[0] - then[0]) / (now[1] - then[1]), 1)
    here, there = reading.counters, before.counters
    if not (here and there and here.vcpus) or here.cpu_seconds is None:
        return None
    if there.cpu_seconds is None or here.cpu_seconds < there.cpu_seconds:
        return None
    share = (here.cpu_seconds - there.cpu_seconds) / seconds / here.vcpus
    return round(min(100.0, 100 * share), 1)


def _times(reading: Reading) -> tuple[int, int] | None:
    """Milliseconds busy and in all, of all processors."""
    cpus = reading.told.get(CPU_STATS.wire)
    if not cpus:
        return None
    total = sum(cpu.get(mode, 0) for cpu in cpus for mode in _ALL)
    return total - sum(cpu.get(mode, 0) for cpu in cpus for mode in _IDLE), total
