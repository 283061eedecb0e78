"""guest-get-fsinfo."""

from collections.abc import Mapping

from qga_cli.spec import BAR, BYTES, LINES, Column, Command, Example

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
        Column("mountpoint"),
        Column("device", "name"),
        Column("type"),
        Column("used", "used-bytes", BYTES),
        Column("total", "total-bytes", BYTES),
        Column("used%", _used, BAR),
        Column("disks", lambda row: [d["dev"] for d in row["disk"] if "dev" in d], LINES),
    ],
    systems=["Linux", "Windows"],
    examples=[Example("qga fs list web1", "usage of every filesystem")],
)
