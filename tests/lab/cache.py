"""Where images and guests are kept, and how builders stay out of each other's way."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.process import say

SOURCE = Path(__file__).parent


def folder(*parts: str) -> Path:
    """A folder of the cache, made when missing."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    cache = Path(os.environ.get("QGA_LAB_CACHE") or f"{home}/qga-lab").absolute()
    path = cache.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def lock(name: str, reason: str = "") -> Iterator[None]:
    """Hold the lock of that name; if it takes waiting, say why.

    The kernel releases it when the holder dies.
    """
    with open(folder("locks") / name, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if reason:
                say(f"waiting: {reason}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def built(name: str, recipe: str, build: Callable[[Path], None]) -> Path:
    """The thing of that name, built first if its recipe, or the lab itself, is new.

    `build` gets a path to create. Only what it has finished is renamed to the final name.
    """
    final = folder("images") / f"{name}-{_digest(recipe)}"
    if final.exists():
        return final
    with lock(name, f"another process builds {name}"):
        if final.exists():
            return final
        begin = time.monotonic()
        half = final.with_name(f".{name}.half")
        remove(half)
        try:
            build(half)
            half.rename(final)
        finally:
            remove(half)
        say(f"built {name} in {time.monotonic() - begin:.1f} s")
    return final


def remove(path: Path) -> None:
    """Remove a file or a whole folder, if there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _digest(recipe: str) -> str:
    """Name of a recipe: it covers the files an image is made by and made of."""
    digest = hashlib.sha256(recipe.encode())
    makers = [SOURCE / "image.py", SOURCE / "kernel.py"]
    for tree in ("rootfs", "systemd", "initramfs"):
        makers += sorted(path for path in (SOURCE / tree).rglob("*") if path.is_file())
    for path in makers:
        digest.update(str(path.relative_to(SOURCE)).encode() + path.read_bytes())
    return digest.hexdigest()[:8]
