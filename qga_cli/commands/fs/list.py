"""guest-get-fsinfo."""

from __future__ import annotations

from collections.abc import Mapping

from qga_cli.spec import BAR, BYTES, FLAG, LINES, PATH, YESNO, Arg, Column, Command, Example

DISK_ADDRESS = {
    "pci-controller": {"domain": int, "bus": int, "slot": int, "function": int},
    "bus-type": (
        "ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd", "unknown", "ieee1394",
        "ssa", "fibre", "raid", "iscsi", "sas", "mmc", "virtual", "file-backed-virtual", "nvme",
    ),
    "bus": int,
    "target": int,
    "unit": int,
    "serial?": str,
    "dev?": str,
    "ccw-address?": {"cssid": int, "ssid": int, "subchno": int, "devno": int},
}  # fmt: skip


# Filesystems that are made full, and stay so: at 100 % they are no alarm.
NEVER_FILL = (
    "squashfs", "squashfuse", "snapfuse", "erofs", "iso9660", "udf", "cdfs", "cramfs", "romfs",
)  # fmt: skip


def can_fill(row: Mapping[str, str]) -> bool:
    """Whether it can run full: an image such as a snap's or a CD's never does."""
    return row["type"].lower().removeprefix("fuse.") not in NEVER_FILL


def _used(row: Mapping[str, int]) -> float | None:
    total = row.get("total-bytes")
    return round(100 * row.get("used-bytes", 0) / total, 1) if total else None


COMMAND = Command(
    "guest-get-fsinfo",
    "List mounted filesystems and how full they are",
    since="2.2",
    result=[
        {
            "name": str,
            "mountpoint": str,
            "type": str,
            "used-bytes?": int,
            "total-bytes?": int,
            "total-bytes-privileged?": int,
            "disk": [DISK_ADDRESS],
        }
    ],
    columns=[
        Column("mountpoint", kind=PATH),
        Column("device", "name", leaves=3),
        Column("type", leaves=2),
        Column("used", "used-bytes", BYTES, leaves=4),
        Column("total", "total-bytes", BYTES, leaves=5),
        Column("used%", _used, BAR),
        Column("fills", can_fill, YESNO, extra=True),
        Column("disks", lambda row: [d["dev"] for d in row["disk"] if "dev" in d], LINES, leaves=1),
    ],
    empty="no filesystems on disks",
    args=[
        Arg(
            "fillable", FLAG, "Leave out what is always full, such as squashfs and iso9660", wire=""
        )
    ],
    systems=["Linux", "Windows"],
    run="verbs.confirmed:filesystems",
    notes=(
        "Images such as those of snaps (squashfs, erofs, iso9660, udf, cramfs, romfs) are always "
        "100 % full: --fillable leaves them out, and the column `fills` tells."
    ),
    examples=[
        Example("qga fs list web1", "usage of every filesystem"),
        Example("qga fs list '*' --fillable --sort -used%", "which will be full first"),
    ],
)
