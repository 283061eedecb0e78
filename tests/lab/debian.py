"""Debian releases as hosts: a root by debootstrap, where this checkout is tried from nothing.

`python3 -m tests.lab host trixie -- make demo` runs one command as root in a fresh copy of the
release, with a copy of the last commit in /home/tester/qga; `--user` runs it as a user with sudo.
The command has process and mount namespaces of its own, so that its daemons end with it.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.lab import cache
from tests.lab.host import install
from tests.lab.packages import KEYRING, mirror
from tests.lab.process import LabError, run

RELEASES = ("bookworm", "trixie", "forky")
PACKAGES = "ca-certificates,git,locales-all,make,python3,sudo"
SOURCE = Path(__file__).parent.parent.parent
HOME = "home/tester"
SCRIPT = Path("/usr/share/debootstrap/scripts/sid")

# Run in a mount namespace of its own; everything is gone when its first process ends.
ENTER = r"""
set -eu
root=$1 upper=$2; shift 2
mount -t overlay overlay -o "lowerdir=$root,upperdir=$upper/files,workdir=$upper/work" "$upper/root"
cd "$upper/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount --bind dev/pts/ptmx dev/ptmx
mount -t tmpfs -o mode=0755 tmpfs run
mkdir run/lock
mount -t tmpfs tmpfs tmp
mount --bind "$upper/disk" srv # a host has a filesystem that is on a disk; the overlay is on none
# Not chroot: libvirt and `unshare --user` refuse to work in one.
mkdir -p mnt/old
pivot_root . mnt/old
umount -l /mnt/old
# Not exec: this shell is process 1, and reaps what loses its parent, as an init does.
"$@"
exit $?
"""


def try_here(release: str, command: list[str], *, user: bool) -> int:
    """Run a command in a fresh copy of a release; returns its exit code."""
    if os.geteuid() != 0:
        raise LabError("only root can enter another root: use sudo")
    root = cache.built(f"host-{release}", release + PACKAGES, lambda path: _build(path, release))
    upper = Path(tempfile.mkdtemp(prefix="host-", dir=cache.folder("guests")))
    try:
        for name in ("files", "work", "root", "disk"):
            (upper / name).mkdir()
        _furnish(upper / "files", "1000:1000" if user else "0:0")
        line = f"cd /{HOME}/qga && exec {shlex.join(command)}"
        shell = ["su", "-", "tester", "-c", line] if user else ["sh", "-c", line]
        return subprocess.run(
            # It ignores TERM. Whoever ends us ends it, and that its child, the process 1 of all.
            ["setpriv", "--pdeathsig", "KILL",
             "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter",
             str(root), str(upper), "env", "-i", *_environment(), *shell],
            stdin=subprocess.DEVNULL, check=False,
        ).returncode  # fmt: skip
    finally:
        shutil.rmtree(upper)


def _build(path: Path, release: str) -> None:
    install(["debootstrap"])
    # The script has to be named: debootstrap has none for releases newer than itself. Debian's
    # releases since wheezy all have this one.
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", f"--keyring={KEYRING}",
        release, str(path), mirror(), str(SCRIPT))  # fmt: skip
    run("chroot", str(path), "useradd", "--create-home", "--shell", "/bin/bash", "tester")
    (path / "etc/sudoers.d/tester").write_text("tester ALL=(ALL) NOPASSWD: ALL\n")


def _furnish(files: Path, owner: str) -> None:
    """What the machine knows of the network, and the last commit, into the copy."""
    (files / "etc/ssl/certs").mkdir(parents=True)
    for name in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/", name).resolve(), files / name)
    home = files / HOME
    home.mkdir(parents=True)
    run("git", "clone", "--quiet", str(SOURCE), str(home / "qga"))
    run("chown", "-R", owner, str(home))


def _environment() -> list[str]:
    """Of our variables only those that lead pip, apt and git through a proxy."""
    names = [name for name in os.environ if name.lower().endswith("_proxy")]
    kept = [f"{name}={os.environ[name]}" for name in (*names, "PIP_CERT") if name in os.environ]
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [path, "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", *kept]
