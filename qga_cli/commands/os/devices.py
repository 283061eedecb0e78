"""guest-get-devices."""

from __future__ import annotations

from collections.abc import Mapping

from qga_cli.spec import MOMENT, Column, Command, Example

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _id(device: Mapping[str, Any]) -> str | None:
    """Vendor and device as lspci -n writes them."""
    pci = device.get("id", {})
    if "vendor-id" not in pci or "device-id" not in pci:
        return None
    return f"{pci['vendor-id']:04x}:{pci['device-id']:04x}"


COMMAND = Command(
    "guest-get-devices",
    "List the guest's PCI devices and their drivers",
    since="5.2",
    result=[
        {
            "driver-name": str,
            "driver-date?": int,
            "driver-version?": str,
            "id?": {"type": ("pci",), "vendor-id?": int, "device-id?": int},
        }
    ],
    empty="no virtio devices with a driver of their own",
    columns=[
        Column("driver", "driver-name"),
        Column("version", "driver-version"),
        Column(
            "date", lambda row: row["driver-date"] / 1e9 if "driver-date" in row else None, MOMENT
        ),
        Column("device", _id),
    ],
    systems=["Windows"],
    notes="Windows agents only: which virtio drivers a guest runs, and how old they are.",
    examples=[Example("qga os devices win1", "driver versions")],
)
