"""Makes metrics of what guests told, with the names and units of node_exporter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from qga_cli import __version__
from qga_cli.commands.cpu.load import COMMAND as LOAD
from qga_cli.commands.cpu.stats import COMMAND as CPU_STATS
from qga_cli.commands.disk.stats import COMMAND as DISK_STATS
from qga_cli.commands.fs.list import COMMAND as FILESYSTEMS
from qga_cli.commands.fs.list import can_fill
from qga_cli.commands.info import COMMAND as INFO
from qga_cli.commands.net.interfaces import COMMAND as INTERFACES
from qga_cli.commands.os.info import COMMAND as OS_INFO
from qga_cli.commands.user.list import COMMAND as USERS
from qga_cli.metrics.family import COUNTER, GAUGE, Family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.metrics.collector import Look
    from qga_cli.metrics.reading import Reading
    from qga_cli.transports.counters import Counters

_VM = ("vm",)
_FILESYSTEM = ("vm", "mountpoint", "device", "fstype")
_DEVICE = ("vm", "device")
_TABLE = (
    ("build_info", GAUGE, ("version",), "Which qga this is."),
    ("host_up", GAUGE, ("host",), "Whether the host could be asked for its guests."),
    ("collect_duration_seconds", GAUGE, (), "How long it took to ask all guests."),
    ("up", GAUGE, _VM, "Whether the guest's agent answered."),
    ("guest_info", GAUGE, ("vm", "state", "agent"),
     "State of the guest, and of its agent in the words of `qga list`."),
    ("agent_info", GAUGE, ("vm", "version"), "Release of the guest's agent."),
    ("os_info", GAUGE, ("vm", "id", "version_id", "pretty_name", "kernel", "machine"),
     "The guest's system."),
    ("frozen", GAUGE, _VM, "Whether the guest's filesystems are frozen."),
    ("ping_seconds", GAUGE, _VM, "How long the agent took to answer a ping."),
    ("clock_offset_seconds", GAUGE, _VM, "How far the guest's clock is ahead of this host's."),
    ("users", GAUGE, _VM, "How many users are logged in to the guest."),
    ("load1", GAUGE, _VM, "Load of the guest, averaged over 1 minute."),
    ("load5", GAUGE, _VM, "Load of the guest, averaged over 5 minutes."),
    ("load15", GAUGE, _VM, "Load of the guest, averaged over 15 minutes."),
    ("cpus", GAUGE, _VM, "Processors that the guest counts."),
    ("cpu_seconds_total", COUNTER, ("vm", "mode"),
     "What the guest's processors have spent their time on, all together."),
    ("filesystem_size_bytes", GAUGE, _FILESYSTEM,
     "Size of a filesystem, without what is reserved for root."),
    ("filesystem_avail_bytes", GAUGE, _FILESYSTEM, "Room for users who are not root."),
    ("filesystem_used_bytes", GAUGE, _FILESYSTEM, "What is taken of a filesystem."),
    ("disk_read_bytes_total", COUNTER, _DEVICE, "Bytes read from a disk of the guest."),
    ("disk_written_bytes_total", COUNTER, _DEVICE, "Bytes written to a disk of the guest."),
    ("disk_reads_completed_total", COUNTER, _DEVICE, "Reads that have ended."),
    ("disk_writes_completed_total", COUNTER, _DEVICE, "Writes that have ended."),
    ("disk_read_time_seconds_total", COUNTER, _DEVICE, "Time spent on all reads."),
    ("disk_write_time_seconds_total", COUNTER, _DEVICE, "Time spent on all writes."),
    ("disk_io_time_seconds_total", COUNTER, _DEVICE, "Time in which any request was under way."),
    *((f"network_{way}_{what}_total", COUNTER, _DEVICE, f"{says}, by the guest's interface.")
      for way, done in (("receive", "received"), ("transmit", "sent"))
      for what, says in (("bytes", f"Bytes {done}"), ("packets", f"Packets {done}"),
                         ("errs", f"Packets not {done} for an error"),
                         ("drop", f"Packets dropped instead of being {done}"))),
    ("left_out", GAUGE, ("vm", "what"), "How many of a kind were too many to be told."),
    ("domain_vcpus", GAUGE, _VM, "Processors of the guest, as its hypervisor counts them."),
    ("domain_cpu_seconds_total", COUNTER, _VM, "Time that they ran, as its hypervisor counts it."),
    ("domain_memory_bytes", GAUGE, ("vm", "kind"),
     "Memory: current and maximum that the guest may have, rss of the host's that it takes; where "
     "its balloon driver reports: available to the guest, unused, usable without swapping."),
    *((f"domain_{what}_bytes_total", COUNTER, _DEVICE, f"Bytes {done}, as the hypervisor counts.")
      for what, done in (("disk_read", "read"), ("disk_written", "written"),
                         ("network_receive", "received"), ("network_transmit", "sent"))),
    ("scrape_timestamp_seconds", GAUGE, _VM, "When the guest was asked."),
    ("scrape_duration_seconds", GAUGE, _VM, "How long it took to ask the guest."),
    ("scrape_errors_total", COUNTER, ("vm", "kind"), "Calls that failed, by kind of error."),
)  # fmt: skip

# A guest may have any number of anything, by its own word. What is above these is left out.
_MOST = {"filesystem": 64, "disk": 32, "interface": 32}
# As node_exporter's --collector.diskstats.device-exclude: partitions, and what is no disk.
_NO_DISK = re.compile(r"(z?ram|loop|fd|(h|s|v|xv)d[a-z]+|nvme\d+n\d+p)\d+|sr\d+")
# Host ends of containers' and guests' networks: each has a new name, and they come and go.
_BRIEF = re.compile(r"(veth|cali|lxc|vnet|tap|fwbr|fwpr|fwln)[\w.-]+")
_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_SECTOR = 512  # bytes, whatever the disk's own is: Linux, Documentation/admin-guide/iostats.rst
_DISK = (  # name, the agent's member, and how many of its units are one of ours
    ("read_bytes", "read-sectors", 1 / _SECTOR),
    ("written_bytes", "write-sectors", 1 / _SECTOR),
    ("reads_completed", "read-ios", 1),
    ("writes_completed", "write-ios", 1),
    ("read_time_seconds", "read-ticks", 1000),
    ("write_time_seconds", "write-ticks", 1000),
    ("io_time_seconds", "total-ticks", 1000),
)
_STATISTICS = (("bytes", "bytes"), ("packets", "packets"), ("errs", "errs"), ("drop", "dropped"))


def families(look: Look, *, everything: bool = False) -> list[Family]:
    """Every metric of one look; `everything`: filesystems too that are always full."""
    made = {name: Family(f"qga_{name}", kind, labels, help) for name, kind, labels, help in _TABLE}
    made["build_info"].add(1, __version__)
    made["collect_duration_seconds"].add(look.took)
    for host, error in look.hosts.items():
        made["host_up"].add(error is None, host)
    for reading in look.readings:
        _standing(made, reading)
        for told, add in _TELLERS.items():
            if told in reading.told:
                add(made, reading.vm, reading.told[told])
        rows = reading.told.get(FILESYSTEMS.wire, ())
        _filesystems(made, reading.vm, rows if everything else filter(can_fill, rows))
    for vm, counters in look.counters.items():
        _counters(made, vm, counters)
    return list(made.values())


def disks(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Whole disks, of all block devices."""
    return [row for row in rows if not _NO_DISK.fullmatch(row["name"])]


def interfaces(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Interfaces that have counters, without the short-lived ones of containers."""
    return [row for row in rows if "statistics" in row and not _BRIEF.fullmatch(row["name"])]


def _standing(made: Mapping[str, Family], reading: Reading) -> None:
    vm = reading.vm
    made["up"].add(reading.up, vm)
    made["guest_info"].add(1, vm, reading.state, reading.agent)
    made["frozen"].add(reading.frozen, vm)
    made["ping_seconds"].add(reading.ping, vm)
    made["clock_offset_seconds"].add(reading.offset, vm)
    made["scrape_timestamp_seconds"].add(reading.at, vm)
    made["scrape_duration_seconds"].add(reading.took, vm)
    for kind, count in reading.errors.items():
        made["scrape_errors_total"].add(count, vm, kind)


def _agent(made: Mapping[str, Family], vm: str, info: Mapping[str, Any]) -> None:
    made["agent_info"].add(1, vm, info["version"])


def _system(made: Mapping[str, Family], vm: str, info: Mapping[str, str]) -> None:
    members = ("id", "version-id", "pretty-name", "kernel-release", "machine")
    made["os_info"].add(1, vm, *(info.get(member, "") for member in members))


def _users(made: Mapping[str, Family], vm: str, users: Sequence[object]) -> None:
    made["users"].add(len(users), vm)


def _load(made: Mapping[str, Family], vm: str, load: Mapping[str, float]) -> None:
    for minutes in (1, 5, 15):
        made[f"load{minutes}"].add(load[f"load{minutes}m"], vm)


def _processors(made: Mapping[str, Family], vm: str, cpus: Sequence[Mapping[str, Any]]) -> None:
    made["cpus"].add(len(cpus), vm)
    for mode in _MODES:
        times = [cpu[mode] for cpu in cpus if mode in cpu]
        made["cpu_seconds_total"].add(sum(times) / 1000 if times else None, vm, mode)


def _filesystems(made: Mapping[str, Family], vm: str, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in _few(made, vm, "filesystem", list(rows)):
        size, used = row.get("total-bytes"), row.get("used-bytes")
        labels = (vm, row["mountpoint"], row["name"], row["type"])
        made["filesystem_size_bytes"].add(size, *labels)
        made["filesystem_used_bytes"].add(used, *labels)
        if size is not None and used is not None:
            made["filesystem_avail_bytes"].add(max(0, size - used), *labels)


def _disks(made: Mapping[str, Family], vm: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in _few(made, vm, "disk", disks(rows)):
        for name, member, unit in _DISK:
            if member in row["stats"]:
                made[f"disk_{name}_total"].add(row["stats"][member] / unit, vm, row["name"])


def _interfaces(made: Mapping[str, Family], vm: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in _few(made, vm, "interface", interfaces(rows)):
        for name, member in _STATISTICS:
            for way, short in (("receive", "rx"), ("transmit", "tx")):
                value = row["statistics"][f"{short}-{member}"]
                made[f"network_{way}_{name}_total"].add(value, vm, row["name"])


def _counters(made: Mapping[str, Family], vm: str, counters: Counters) -> None:
    made["domain_vcpus"].add(counters.vcpus, vm)
    made["domain_cpu_seconds_total"].add(counters.cpu_seconds, vm)
    for kind, count in counters.memory.items():
        made["domain_memory_bytes"].add(count, vm, kind)
    for device, (read, written) in counters.disks.items():
        made["domain_disk_read_bytes_total"].add(read, vm, device)
        made["domain_disk_written_bytes_total"].add(written, vm, device)
    for device, (received, sent) in counters.networks.items():
        made["domain_network_receive_bytes_total"].add(received, vm, device)
        made["domain_network_transmit_bytes_total"].add(sent, vm, device)


def _few(
    made: Mapping[str, Family], vm: str, what: str, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    left = len(rows) - _MOST[what]
    made["left_out"].add(left if left > 0 else None, vm, what)
    return rows[: _MOST[what]]


_TELLERS: dict[str, Callable[[Mapping[str, Family], str, Any], None]] = {
    INFO.wire: _agent,
    OS_INFO.wire: _system,
    USERS.wire: _users,
    LOAD.wire: _load,
    CPU_STATS.wire: _processors,
    DISK_STATS.wire: _disks,
    INTERFACES.wire: _interfaces,
}
