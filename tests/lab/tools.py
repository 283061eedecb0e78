"""Guests with what people have in theirs: sshd, rsync, git, apt, perl. Suites named SUITE-tools."""

from pathlib import Path

from tests.lab import cache, image
from tests.lab.packages import Archive

ENDING = "-tools"
PACKAGES = "apt debian-archive-keyring git netcat-openbsd openssh-server perl-base rsync socat"

# What the maintainer scripts would have done.
LINKS = {"usr/bin/nc": "nc.openbsd"}
COPIES = {"etc/ssh/sshd_config": "usr/share/openssh/sshd_config"}
ACCOUNTS = (
    "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
    "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n"
)


def disk(suite: str) -> Path:
    """The read-only root disk of a suite, with tools if its name says so; built when missing."""
    if not suite.endswith(ENDING):
        return image.image(suite)
    recipe = f"{image.PACKAGES} {PACKAGES} {LINKS} {COPIES} {ACCOUNTS}"
    return cache.built(f"{suite}.img", recipe, lambda path: _build(suite, path))


def _build(suite: str, disk: Path) -> None:
    plain = suite.removesuffix(ENDING)
    releases = image.SUITES[plain]
    root = disk.with_suffix(".root")
    cache.remove(root)
    try:
        with cache.lock(f"apt-{'+'.join(releases)}"):
            archive = Archive(*releases)
            image._extract(archive.system([*image._wanted(plain), *PACKAGES.split()]), root)
            archive.clean()
        (root / "etc/ssh").mkdir(exist_ok=True)
        for name, source in COPIES.items():
            (root / name).write_bytes((root / source).read_bytes())
        for name, target in LINKS.items():
            cache.remove(root / name)
            (root / name).symlink_to(target)
        image._configure(root)
        with open(root / "etc/passwd", "a") as file:
            file.write(ACCOUNTS)
        image._write(root, disk)
    finally:
        cache.remove(root)
