"""guest-get-disks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qga_cli.commands.fs.list import DISK_ADDRESS
from qga_cli.spec import LINES, TREE, Column, Command, Example

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Disk = Mapping[str, Any]

_DEEPEST = 40  # characters of the drawing
_SMART = (
    "data-units-read", "data-units-written", "host-read-commands", "host-write-commands",
    "controller-busy-time", "power-cycles", "power-on-hours", "unsafe-shutdowns", "media-errors",
    "number-of-error-log-entries",
)  # fmt: skip
_NVME = {
    "critical-warning?": int,
    "temperature?": int,
    "available-spare?": int,
    "available-spare-threshold?": int,
    "percentage-used?": int,
    **{f"{member}-{half}?": int for member in _SMART for half in ("lo", "hi")},
}


def _tree(disks: Sequence[Disk]) -> list[Disk]:
    """Every disk once, each above what lies on it; rings, which a guest may claim, are cut."""
    disks = sorted(disks, key=lambda disk: (len(disk["name"]), disk["name"]))
    names = {disk["name"] for disk in disks}
    children: dict[str, list[Disk]] = {}
    for disk in disks:
        parent = next((name for name in _parents(disk) if name in names), "")
        children.setdefault(parent, []).append(disk)
    rows = _branch(children, "")
    for disk in disks:  # what is left hangs from a ring
        rows += _branch(children, disk["name"])
    return rows


def _branch(children: dict[str, list[Disk]], root: str) -> list[Disk]:
    """What hangs from `root`, taken out of `children`."""
    rows: list[Disk] = []
    stack = [(disk, "", "") for disk in reversed(children.pop(root, []))]
    while stack:
        disk, branch, below = stack.pop()
        rows.append({**disk, "branch": branch})
        hanging = children.pop(disk["name"], [])
        for child in reversed(hanging):
            last = child is hanging[-1]
            turn, on = ("└─", "  ") if last else ("├─", "│ ")
            stack.append((child, below + turn, (below + on)[:_DEEPEST]))
    return rows


def _parents(disk: Disk) -> Sequence[str]:
    return disk.get("dependencies") or ()


def _type(disk: Disk) -> str:
    return "partition" if disk["partition"] else "volume" if _parents(disk) else "disk"


def _address(member: str) -> Callable[[Disk], object]:
    """A member of the disk's address; -1 is the agent's word for none."""

    def read(disk: Disk) -> object:
        value = disk.get("address", {}).get(member)
        return None if value == -1 else value

    return read


def _pci(disk: Disk) -> str | None:
    """As the domain's XML and lspci write it."""
    pci = disk.get("address", {}).get("pci-controller", {"bus": -1})
    if pci["bus"] < 0:
        return None
    return f"{pci['domain']:04x}:{pci['bus']:02x}:{pci['slot']:02x}.{pci['function']:x}"


COMMAND = Command(
    "guest-get-disks",
    "List disks and partitions, with bus, address and serial",
    since="5.2",
    result=[
        {
            "name": str,
            "partition": bool,
            "dependencies?": [str],
            "address?": DISK_ADDRESS,
            "alias?": str,
            "smart?": {"type": DISK_ADDRESS["bus-type"], **_NVME},
        }
    ],
    rows=_tree,
    empty="no disks",
    columns=[
        Column("disk", "name", TREE),
        Column("type", _type),
        Column("bus", _address("bus-type"), leaves=5),
        Column("pci", _pci, leaves=2),
        Column("unit", _address("unit"), leaves=1),
        Column("serial", _address("serial"), leaves=4),
        Column("alias", leaves=3),
        Column("parents", "dependencies", LINES, extra=True),
        Column("target", _address("target"), extra=True),
        Column("worn%", lambda disk: disk.get("smart", {}).get("percentage-used"), extra=True),
    ],
    systems=["Linux", "Windows"],
    notes=(
        "`pci` is the address of the disk's controller, as in the domain's XML. What lies on "
        "several disks, as RAID and LVM do, stands below the first; --columns parents has them all."
    ),
    examples=[Example("qga disk list web1", "what lies on what")],
)
