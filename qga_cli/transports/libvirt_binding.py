"""libvirt's Python binding: this environment's, or else the one that the system has installed.

PyPI has it as source only, so an environment of pipx would need a compiler for it. Distributions
have it built, for the Python that they ship.
"""

from __future__ import annotations

import os
import sys

from qga_cli.errors import Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_PACKAGES = {  # by ID or ID_LIKE of /etc/os-release
    "debian": "apt install python3-libvirt",
    "fedora": "dnf install python3-libvirt",
    "rhel": "dnf install python3-libvirt",
    "suse": "zypper install python3-libvirt-python",
    "arch": "pacman -S libvirt-python",
    "alpine": "apk add py3-libvirt",
}
_OS_RELEASE = "/etc/os-release"


def load() -> tuple[ModuleType, ModuleType]:
    """The C modules libvirtmod and libvirtmod_qemu. Raises Unreachable where they are missing.

    The error's hint is the line to type on this system.
    """
    usual = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_LAZY)  # of 55 libraries, few functions are called: a millisecond
    try:
        return _load("libvirtmod"), _load("libvirtmod_qemu")
    finally:
        sys.setdlopenflags(usual)


def load_whole() -> ModuleType:
    """The module libvirt, which the C modules call back for events. Raises Unreachable."""
    return _load("libvirt")


def _load(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ModuleNotFoundError as error:
        found = _load_from_system(name)
        if found is None:
            raise _missing(error) from error
        return found
    except ImportError as error:  # it is there, and libvirt.so is not
        raise _missing(error) from error


def _load_from_system(name: str) -> ModuleType | None:
    """Import from the system's binding if it was built for a Python like this one."""
    from importlib.machinery import PathFinder

    for folder in _folders():
        # The name of a C module carries Python's ABI: another Python's is not found.
        if PathFinder.find_spec("libvirtmod", [folder]):
            sys.path.append(folder)
            try:
                return __import__(name)
            finally:
                sys.path.remove(folder)
    return None


def _folders() -> list[str]:
    release = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [
        "/usr/lib/python3/dist-packages",  # Debian and what comes from it
        f"/usr/lib64/{release}/site-packages",  # Fedora, SUSE
        f"/usr/lib/{release}/site-packages",  # Arch, Alpine
    ]


def _missing(error: ImportError) -> Unreachable:
    system = _system()
    command = next((_PACKAGES[name] for name in system if name in _PACKAGES), "")
    hint = f"`{command}`" if command else "install your system's libvirt binding for Python 3"
    if sys.prefix != sys.base_prefix and sys.base_prefix != "/usr":
        hint += f", for /usr/bin/python3; the Python that runs here ({sys.base_prefix}) has none"
    hint += "; raw sockets (-c unix:PATH) work without it"
    return Unreachable(f"libvirt's Python binding is missing ({error})", hint=hint)


def _system() -> list[str]:
    """ID and ID_LIKE of this system, most telling first."""
    found: dict[str, str] = {}
    try:
        with open(_OS_RELEASE, encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition("=")
                found[name] = value.strip().strip("\"'")
    except OSError:
        return []  # a system without the file: no name is known
    return [found.get("ID", ""), *found.get("ID_LIKE", "").split()]
