"""Guests of a Proxmox VE node: `pve`. Their agents are on sockets of QEMU's own.

A node keeps a guest's settings in /etc/pve/qemu-server/VMID.conf. While the guest runs, QEMU's own
socket is /var/run/qemu-server/VMID.qmp, and its agent's, which not every guest has, is VMID.qga
there (PVE::QemuServer::Helpers, qmp_socket). The agent's serves one client at a time: while
pvedaemon or vzdump talks to it, we wait for our turn.
"""

from __future__ import annotations

import os

from qga_cli.errors import NoGuest, NotConnected, UsageError
from qga_cli.transports import ListedGuest
from qga_cli.transports.stream import SocketHost, unreachable
from qga_cli.transports.unix import UnixHost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.stream import StreamTransport

_ENDING = ".conf"


class PveHost(SocketHost):
    """The guests of this node. `root` is where its /etc and /var are."""

    def __init__(self, root: str = "") -> None:
        self.uri = "pve"
        self._settings = f"{root}/etc/pve/qemu-server"
        self._agents = UnixHost(f"{root}/var/run/qemu-server/{{vm}}.qga")
        self._machines = UnixHost(f"{root}/var/run/qemu-server/{{vm}}.qmp")

    def guests(self) -> list[ListedGuest]:
        """Every guest of the node by name; one whose name another has too goes by its VMID."""
        names = self._names()
        running = self._running()
        taken = list(names.values())
        found = [
            ListedGuest(
                name if taken.count(name) == 1 else str(vmid),
                id=vmid,
                state="running" if str(vmid) in running else "shut off",
            )
            for vmid, name in names.items()
        ]
        return sorted(found, key=lambda guest: guest.name)

    def open(self, name: str) -> StreamTransport:
        """The agent of a guest by name or VMID. Raises NoGuest, Unreachable, UsageError."""
        names = self._names()
        same = [vmid for vmid, called in names.items() if called == name]
        if not same and name.isdecimal() and int(name) in names:
            same = [int(name)]
        if len(same) > 1:
            raise UsageError(
                f"{len(same)} guests of this node are called {name!r}",
                hint=f"give the VMID: {', '.join(map(str, same))}",
            )
        if not same:
            raise NoGuest(f"no guest named {name!r} on this node", hint="see `qga -c pve list`")
        (vmid,) = same
        try:
            return self._agents.open(str(vmid), called=names[vmid])
        except NoGuest as error:
            hint = f"`qm set {vmid} --agent 1` turns it on, from the guest's next start"
            if str(vmid) in self._running():
                raise NotConnected(
                    f"guest {vmid} runs without a channel for its agent", hint=hint
                ) from error
            raise NoGuest(
                f"guest {vmid} has no agent socket: it does not run",
                hint=f"`qm start {vmid}`; where the agent's channel is off, {hint}",
            ) from error

    def _running(self) -> set[str]:
        """The VMIDs of those that run, with an agent or without."""
        return {guest.name for guest in self._machines.guests()}

    def _names(self) -> dict[int, str]:
        """The name of each guest, by VMID. Raises Unreachable where this is no node."""
        try:
            entries = os.listdir(self._settings)
        except OSError as error:
            raise unreachable(self._settings, error, "is this a node of Proxmox VE?") from error
        found = {}
        for entry in sorted(entries):
            vmid = entry.removesuffix(_ENDING)
            if entry.endswith(_ENDING) and vmid.isascii() and vmid.isdecimal():
                found[int(vmid)] = self._name(entry) or vmid
        return found

    def _name(self, entry: str) -> str:
        """The line `name:` of a guest's settings; a section after them is a snapshot's."""
        try:
            with open(f"{self._settings}/{entry}", encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, _, value = line.partition(":")
                    if line.startswith("["):
                        break
                    if key == "name":
                        return value.strip()
        except FileNotFoundError:
            pass  # removed or migrated away since the folder was read
        except OSError as error:
            raise unreachable(entry, error, "the guest's settings cannot be read") from error
        return ""
