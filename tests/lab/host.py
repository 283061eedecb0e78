"""What this machine needs before it can run the lab: Debian packages, nothing else."""

import os
import shutil
import subprocess

from tests.lab.process import LabError, run, say

LAB = """
    cpio debian-archive-keyring e2fsprogs fakeroot libvirt-clients libvirt-daemon-system
    qemu-guest-agent qemu-system-x86 qemu-utils tini
""".split()

# libvirt-python is on PyPI as source only.
VENV = "gcc libvirt-dev pkg-config python3-dev python3-venv".split()

# What the tests and the benchmarks drive besides guests.
TESTS = """
    bash-completion busybox-static curl faketime fish git groff iproute2 jq man-db mandoc
    openssh-client prometheus rsync tmux zsh
""".split()


def setup(*, tests: bool = False) -> None:
    """Install what the lab needs, with `tests` what they drive too."""
    install(LAB + VENV + (TESTS if tests else []))


def install(packages: list[str]) -> None:
    """Install the packages that are missing, by sudo for an ordinary user."""
    missing = _missing(packages)
    if not missing:
        return
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise LabError(f"root has to run: apt-get install {' '.join(missing)}")
        command.insert(0, "sudo")
    say(f"installing {' '.join(missing)}")
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        # Not captured: sudo may ask for a password.
        if subprocess.run([*command, *step], stdout=2).returncode != 0:
            raise LabError(f"`{' '.join([*command, *step])}` failed; missing: {' '.join(missing)}")


def _missing(wanted: list[str]) -> list[str]:
    """Those of the packages that are not installed."""
    if shutil.which("dpkg-query") is None:
        raise LabError(f"the lab needs Debian with: {' '.join(wanted)}")
    # dpkg-query fails when it does not know a name, so it is asked for all there are.
    lines = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").splitlines()
    installed = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]
