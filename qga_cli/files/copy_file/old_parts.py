"""What a guest says of the parts that earlier copies have left, and which one is gone on with."""

from __future__ import annotations

from qga_cli.files.guest.digest import DIGITS
from qga_cli.files.guest.holder import is_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.guest.access import Access


def fields(said: bytes) -> list[str]:
    """What a script has ended by NUL, each; none where it has not."""
    *ended, rest = said.decode("utf-8", "surrogateescape").split("\0")
    return [] if rest else ended


def longest(access: Access, said: bytes, size: int, prove: Callable[[int], str]) -> tuple[int, str]:
    """Length and name of the longest part that is equal to the source so far; 0 and "" for none.

    `said` is of leftovers.sh, `size` the source's in bytes, and `prove` tells the digest of so many
    bytes of it. Raises BadReply.
    """
    left = fields(said)
    if len(left) % 3:
        raise access.lie(f"the guest was asked for old parts and says {said[:80]!r}")
    found = [
        (int(length), name, digest[:DIGITS])  # sha512sum's line; "" where there is no sha512sum
        for name, length, digest in zip(left[::3], left[1::3], left[2::3], strict=True)
        if is_count(length)
    ]
    equal = (
        (length, name)
        for length, name, digest in sorted(found, reverse=True)
        if 0 < length <= size and digest == prove(length)
    )
    return next(equal, (0, ""))
