"""What a hypervisor itself counts of its guests, without asking anybody in them."""

from __future__ import annotations


class Counters:
    """The figures of one guest; None for what the hypervisor does not tell.

    cpu_seconds   that its processors have run
    vcpus         how many processors it has
    memory        bytes by kind: current, maximum, rss (of the host), and, where the guest's balloon
                  driver reports, available (that the guest sees), unused, usable
    disks         by device: bytes read and written
    networks      by device of the host: bytes received and sent by the guest
    """

    __slots__ = ("cpu_seconds", "disks", "memory", "networks", "vcpus")

    def __init__(self, cpu_seconds: float | None = None, vcpus: int | None = None) -> None:
        self.cpu_seconds = cpu_seconds
        self.vcpus = vcpus
        self.memory: dict[str, int] = {}
        self.disks: dict[str, tuple[int, int]] = {}
        self.networks: dict[str, tuple[int, int]] = {}
