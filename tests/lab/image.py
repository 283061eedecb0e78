"""Root disks: a Debian suite with the agent it ships, made without root and without booting it."""

import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import cache
from tests.lab.packages import Archive
from tests.lab.process import LabError, run

SUITES = {
    "bullseye": ("bullseye",),
    "bookworm": ("bookworm",),
    "bookworm-busybox": ("bookworm",),  # as Alpine: a shell and tools that are busybox's
    "bookworm-python": ("bookworm",),  # what Ansible wants to find in a guest
    "trixie": ("trixie",),
    "trixie-systemd": ("trixie",),  # slow to boot, and what most guests are
    "trixie-backports": ("trixie", "trixie-backports"),
    "trixie-uutils": ("trixie",),  # as newer Ubuntu: coreutils in Rust
}

# `usrmerge-` keeps that package out: it would pull in all of Perl.
PACKAGES = """
    base-files base-passwd bash bsdutils busybox-static coreutils dash debianutils diffutils
    dpkg findutils grep gzip hostname iproute2 less libc-bin libpam-modules libpam-runtime login
    mawk mount ncurses-base passwd procps python3-minimal sed tar util-linux vim-tiny xz-utils zstd
    usrmerge-
""".split()
SYSVINIT = ["sysvinit-core"]
SYSTEMD = ["systemd-sysv", "sysvinit-utils", "udev", "dbus", "libpam-systemd"]

MORE = {
    "bookworm-python": ["python3", "python3-apt", "sudo"],
    "trixie-uutils": ["rust-coreutils", "python3", "python3-apt", "sudo"],
}

# What a system of busybox has besides: what boots it, and what the agent calls.
KEPT = """
    agetty busybox chpasswd halt hwclock init ip killall5 login poweroff qemu-ga reboot shutdown
    telinit unix_chkpwd
""".split()

SIZE = "2600M"  # about 110 MB are used; the file is sparse
SKIPPED = ("doc", "info", "locale", "lintian", "man")

# What the maintainer scripts would have done, were they run.
LINKS = {
    "etc/mtab": "../proc/self/mounts",
    "usr/bin/awk": "mawk",
    "usr/bin/editor": "vim.tiny",
    "usr/bin/pager": "less",
    "usr/bin/vi": "vim.tiny",
    "usr/bin/which": "which.debianutils",
    "var/lock": "/run/lock",
    "var/log/messages": "/run/log/messages",
    "var/run": "/run",
}
COPIES = {
    "etc/passwd": "usr/share/base-passwd/passwd.master",
    "etc/group": "usr/share/base-passwd/group.master",
    "etc/profile": "usr/share/base-files/profile",
    "root/.bashrc": "usr/share/base-files/dot.bashrc",
    "root/.profile": "usr/share/base-files/dot.profile",
}
# Group shadow is 42; without it a user's own password check fails.
OWNERS = """
    chown -R 1000:1000 "$1/home/tester"
    chgrp 42 "$1"/etc/*shadow
    for name in chage expiry unix_chkpwd; do
        find "$1/usr" "$1/sbin/" -name "$name" -exec chgrp 42 {} + -exec chmod 2755 {} +
    done
    shift
    exec "$@"
"""
FOLDERS = {"data": 0o755, "root": 0o700, "tmp": 0o1777, "var/log": 0o755, "var/tmp": 0o1777}


def image(suite: str) -> Path:
    """The read-only root disk of a suite, built when missing."""
    if suite not in SUITES:
        raise LabError(f"no suite {suite}: there are {', '.join(SUITES)}")
    recipe = " ".join(_wanted(suite))
    return cache.built(f"{suite}.img", recipe, lambda path: _build(suite, path))


def _build(suite: str, disk: Path) -> None:
    root = disk.with_suffix(".root")
    cache.remove(root)
    releases = SUITES[suite]
    try:
        with cache.lock(f"apt-{'+'.join(releases)}"):
            archive = Archive(*releases)
            _extract(archive.system(_wanted(suite)), root)
            archive.clean()
        _configure(root, _has_systemd(suite))
        if suite.endswith("-busybox"):
            _reduce(root)
        if suite.endswith("-uutils"):
            _replace(root)
        _write(root, disk)
    finally:
        cache.remove(root)


def _has_systemd(suite: str) -> bool:
    return suite.endswith("-systemd")


def _wanted(suite: str) -> list[str]:
    agent = "qemu-guest-agent"
    if suite.endswith("-backports"):
        agent += f"/{suite}"
    init = SYSTEMD if _has_systemd(suite) else SYSVINIT
    wanted = [*PACKAGES, *init, agent, *MORE.get(suite, [])]
    # hwclock, without which the agent cannot set the time, has moved.
    return wanted if suite == "bullseye" else [*wanted, "util-linux-extra"]


def _extract(packages: list[Path], root: Path) -> None:
    """Unpack all packages; a suite before trixie has its /bin links made by nobody else."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    packages.sort(key=lambda path: not path.name.startswith("base-files_"))
    _unpack(packages[0], root)  # alone, for it may replace the links
    with ThreadPoolExecutor() as pool:
        stanzas = list(pool.map(lambda package: _unpack(package, root), packages))
    (root / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").write_text("\n".join(stanzas))


def _unpack(package: Path, root: Path) -> str:
    """Unpack one package and return its entry for dpkg's list of what is installed."""
    skip = " ".join(f"--exclude=./usr/share/{name}" for name in SKIPPED)
    command = (
        f"set -o pipefail; dpkg-deb --fsys-tarfile {shlex.quote(str(package))} | tar -C "
        f"{shlex.quote(str(root))} -xp --keep-directory-symlink --no-same-owner {skip}"
    )
    run("bash", "-c", command)
    first, rest = run("dpkg-deb", "--field", str(package)).split("\n", 1)
    return f"{first}\nStatus: install ok installed\n{rest}"


def _configure(root: Path, systemd: bool = False) -> None:
    """Do by hand what the packages' maintainer scripts do, and put the lab's own files in."""
    for name, mode in FOLDERS.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    for name, source in COPIES.items():
        shutil.copy(root / source, root / name)
    for name, target in LINKS.items():
        if not (root / name).is_file():  # bullseye has a real `which`
            cache.remove(root / name)
            (root / name).symlink_to(target)
    for tree in ("rootfs", "systemd") if systemd else ("rootfs",):
        shutil.copytree(cache.SOURCE / tree, root, symlinks=True, dirs_exist_ok=True)
    for script in (root / "usr/local/sbin").iterdir():
        script.chmod(0o755)
    (root / "etc/machine-id").write_text("71676100000000000000000000001ab0\n")
    _add_user(root)


def _reduce(root: Path) -> None:
    """Leave busybox's programs alone in the guest."""
    for name in ("bin", "sbin"):
        for file in (root / "usr" / name).iterdir():
            if file.name not in KEPT:
                file.unlink()
    for applet in run("busybox", "--list").split():
        if not (root / "usr/sbin" / applet).exists():
            link = root / "usr/bin" / applet
            if not link.exists():
                link.symlink_to("busybox")
    passwd = root / "etc/passwd"
    passwd.write_text(passwd.read_text().replace("/bin/bash", "/bin/sh"))


def _replace(root: Path) -> None:
    """Have the names of coreutils mean those in Rust."""
    names = sorted((root / "usr/lib/cargo/bin/coreutils").iterdir())
    assert names
    for file in names:
        link = root / "usr/bin" / file.name
        if link.is_symlink() or link.exists():
            link.unlink()
        link.symlink_to(f"../lib/cargo/bin/coreutils/{file.name}")


def _add_user(root: Path) -> None:
    """Write the account files; nobody has a password, and `tester` is an ordinary user."""
    etc = root / "etc"
    with open(etc / "passwd", "a") as file:
        file.write("tester:x:1000:1000:Tester:/home/tester:/bin/bash\n")
    with open(etc / "group", "a") as file:
        file.write("tester:x:1000:\n")
    for name, tail in (("passwd", "*:19700:0:99999:7:::"), ("group", "*::")):
        shadow = etc / ("shadow" if name == "passwd" else "gshadow")
        lines = (etc / name).read_text().splitlines()
        shadow.write_text("".join(f"{line.split(':')[0]}:{tail}\n" for line in lines))
        shadow.chmod(0o640)
    text = (etc / "passwd").read_text().replace("root:*:", "root:x:")
    (etc / "passwd").write_text(text)
    shutil.copytree(etc / "skel", root / "home/tester")


def _write(root: Path, disk: Path) -> None:
    """Make the file system; under fakeroot the builder's files are root's, and chown works."""
    mkfs = ("mkfs.ext4", "-q", "-F", "-L", "root", "-d", str(root), str(disk), SIZE)
    run("fakeroot", "sh", "-ec", OWNERS, "sh", str(root), *mkfs)
