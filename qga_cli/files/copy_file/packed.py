"""Decides whether a copy is compressed in transit (--compress none, auto, gzip)."""

from __future__ import annotations

import time
import zlib
from functools import partial

from qga_cli.errors import Unsupported
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.copy_file.sources import FileSource
    from qga_cli.files.copy_file.transfer import CopyTarget
    from qga_cli.files.guest.access import Access

SAMPLE = 2**20  # bytes that are tried before auto decides
_WORTH = 0.7  # of the size: packed to less, a push is faster, for unpacking costs little
_WORTH_THERE = 0.5  # the same for a pull, where the guest must compress
_RATE = 25e6  # bytes a second: a guest that packs slower is emulated, and its channel faster
_LARGE = 8 * 2**20  # bytes: to try how a guest packs takes as long as a few megabytes


def stream_of(
    source: FileSource, target: CopyTarget, wish: str, advance: Callable[[int], None]
) -> Callable[[int], bool] | None:
    """A function that carries the file from an offset on as one stream, through ports of ours or
    packed, or both; None, or when it returns False, to carry it piece by piece.

    A guest packs only when that is wished for, for it must try whether it pays. Through ports
    nothing travels faster packed.
    """
    from qga_cli.files.copy_file.sources import GuestFile, HostFile
    from qga_cli.files.copy_file.to_guest import GuestTarget
    from qga_cli.files.copy_file.to_host import HostTarget
    from qga_cli.files.copy_file.to_stream import StreamTarget

    if isinstance(source, GuestFile) and isinstance(target, (HostTarget, StreamTarget)):
        size = source.facts.size or 0
        ported = size > 0 and source.access.ported(size)

        def pays() -> bool:
            return size >= _LARGE and worth_it_there(source.access, "sample_file", source.path)

        usual = "none" if ported and wish != "gzip" else wish or "none"
        packed = size > 0 and should_compress(source.access, usual, pays)
        worth = ported or packed
        return partial(source.pour, target.write, advance, pack=packed) if worth else None
    if not isinstance(source, HostFile) or not isinstance(target, GuestTarget):
        return None
    if source.facts.sparse:  # its holes would arrive as zeros
        return None
    ported = target.access.ported(source.facts.size or 0)
    usual = "none" if ported and wish != "gzip" else wish or "auto"
    packed = should_compress(target.access, usual, lambda: worth_it_here(source.sample(SAMPLE)))
    worth = ported or packed
    return partial(target.fill, source, advance, pack=packed) if worth else None


def should_compress(access: Access, wish: str, pays: Callable[[], bool]) -> bool:
    """Whether to pack, for a wish: none, auto, gzip. `pays` is asked for auto only.

    Raises Unsupported when gzip was named and the guest has none.
    """
    if wish == "none" or (wish == "auto" and not (access.exec and pays())):
        return False
    access.needs_exec("--compress")
    has = access.attempt(script("files/has_gzip")).code == 0
    if not has and wish != "auto":
        raise Unsupported(f"the guest has no {wish}").of(access.target)
    return has


def worth_it_here(sample: bytes) -> bool:
    """Whether data that begin like this travel faster packed, into a guest."""
    return len(sample) == SAMPLE and len(zlib.compress(sample, 1)) < _WORTH * len(sample)


def worth_it_there(access: Access, sample: str, *words: str) -> bool:
    """Whether what a script of `inside/files` takes a sample of is worth compressing there."""
    begun = time.monotonic()
    done = access.attempt(script(f"files/{sample}"), *words, str(SAMPLE))
    took = time.monotonic() - begun
    size = done.stdout.strip()
    if done.code or not size.isdigit() or len(size) > 9:
        return False
    return 100 < int(size) < _WORTH_THERE * SAMPLE and took < SAMPLE / _RATE
