"""What to do inside the guest, in the words of its system."""

# The names are those of os-release, of guest-get-osinfo on Windows, and of libosinfo.
_FAMILIES = {
    "apt": ("debian", "ubuntu", "linuxmint", "raspbian", "kali", "devuan"),
    "dnf": ("rhel", "centos", "rocky", "almalinux", "ol", "fedora", "eurolinux", "circle", "amzn"),
    "zypper": ("opensuse", "sle", "sles", "sled", "opensuse-leap", "opensuse-tumbleweed"),
    "pacman": ("arch", "archlinux", "manjaro"),
    "apk": ("alpine", "alpinelinux"),
    "pkg": ("freebsd",),
    "windows": ("mswindows", "win"),
}
_INSTALL = {
    "apt": "`apt install qemu-guest-agent`, then `systemctl start qemu-guest-agent`",
    "dnf": "`dnf install qemu-guest-agent`, then `systemctl enable --now qemu-guest-agent`",
    "zypper": "`zypper install qemu-guest-agent`, then `systemctl enable --now qemu-guest-agent`",
    "pacman": "`pacman -S qemu-guest-agent`, then `systemctl enable --now qemu-guest-agent`",
    "apk": "`apk add qemu-guest-agent`, then `rc-update add qemu-guest-agent` and "
    "`rc-service qemu-guest-agent start`",
    "pkg": "`pkg install qemu-guest-agent`, then `sysrc qemu_guest_agent_enable=YES` and "
    "`service qemu-guest-agent start`",
    "windows": "run virtio-win-guest-tools.exe of the virtio-win ISO (driver vioserial, service "
    "QEMU-GA), then `Start-Service QEMU-GA`",
    "": "install the package qemu-guest-agent and start its service; on Windows run "
    "virtio-win-guest-tools.exe of the virtio-win ISO",
}
_RESTART = {
    "apk": "`rc-service qemu-guest-agent restart`",
    "pkg": "`service qemu-guest-agent restart`",
    "windows": "`Restart-Service QEMU-GA`",
}


def install(system: str, *, console: bool = False) -> str:
    """How the agent gets there and starts; `system` may be empty.

    `console`: libvirt runs the guest, and leads into it without an agent.
    """
    return f"{_where(console)}: {_INSTALL[_family(system)]}"


def restart(system: str, *, console: bool = False) -> str:
    """How to start it again."""
    how = _RESTART.get(_family(system), "`systemctl restart qemu-guest-agent`")
    return f"{_where(console)}: {how}"


def _where(console: bool) -> str:
    return "in the guest (`virsh console VM` leads there)" if console else "in the guest"


def _family(system: str) -> str:
    return next((name for name, ids in _FAMILIES.items() if system in ids), "")
