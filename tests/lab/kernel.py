"""Kernel and initramfs: one pair boots the root disks of all suites."""

import shutil
from pathlib import Path

from tests.lab import cache
from tests.lab.packages import Archive
from tests.lab.process import run

RELEASE = "bookworm"
META_PACKAGE = "linux-image-cloud-amd64"  # small, ext4 built in, made for virtual machines

# In this order: insmod knows no dependencies.
MODULES = """
    virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover
    net_failover virtio_console virtio_blk virtio_net
""".split()


def kernel() -> Path:
    """A folder with `vmlinuz` and `initrd`, built when missing."""
    return cache.built("kernel", " ".join((RELEASE, META_PACKAGE, *MODULES)), _build)


def _build(folder: Path) -> None:
    tree = folder / "initramfs"
    for name in ("bin", "dev", "modules", "root", "unpacked"):
        (tree / name).mkdir(parents=True)
    unpacked = tree / "unpacked"
    with cache.lock(f"apt-{RELEASE}"):
        archive = Archive(RELEASE)
        (name,) = archive.dependencies(META_PACKAGE)
        for package in (archive.package(name), archive.package("busybox-static")):
            run("dpkg-deb", "--extract", str(package), str(unpacked))
        archive.clean()
    (image,) = (unpacked / "boot").glob("vmlinuz-*")
    image.rename(folder / "vmlinuz")
    for module in MODULES:
        (file,) = unpacked.glob(f"lib/modules/*/kernel/**/{module}.ko")
        shutil.copy(file, tree / "modules")
    (tree / "modules/order").write_text("".join(f"{module}\n" for module in MODULES))
    (unpacked / "bin/busybox").rename(tree / "bin/busybox")
    shutil.copy(cache.SOURCE / "initramfs/init", tree / "init")
    (tree / "init").chmod(0o755)
    cache.remove(unpacked)
    files = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    run(
        "cpio",
        "--create",
        "--quiet",
        "--format=newc",
        f"--file={folder / 'initrd'}",
        stdin=files,
        folder=tree,
    )
    cache.remove(tree)
