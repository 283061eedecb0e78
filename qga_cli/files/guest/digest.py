"""SHA-512 of what is in a file, here and in a guest.

Not SHA-256: where coreutils compute it by themselves, in words of the processor, SHA-512 takes half
the time, and an emulated guest spends most of a copy on it.
"""

from __future__ import annotations

import hashlib

from qga_cli.errors import BadReply
from qga_cli.files.guest.handle import open_handle
from qga_cli.files.guest.marked import MarkedScript
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from qga_cli.agent import Agent
    from qga_cli.files.guest.access import Access

ZEROS = bytes(2**20)
DIGITS = 128  # of a digest in hexadecimal


class GuestDigest:
    """Of the first `length` bytes: computed in the guest, meanwhile, if programs may run there;
    otherwise by reading the file, when the result is asked for. With `plain` a link has none."""

    def __init__(self, access: Access, path: str, length: int, *, plain: bool = False) -> None:
        self._access = access
        self._path = path
        self._length = length
        self._script: MarkedScript | None = None
        if access.exec:
            words = (path, str(length), "1" if plain else "")
            self._script = MarkedScript(access, script("files/digest"), *words)

    def result(self) -> str:
        """The digest in hexadecimal. Raises Refused, BadReply."""
        if not self._script:
            return self._by_reading()
        done = self._script.result()
        if done.code == 127:
            self._access.agent.trace(1, f"{self._access.agent.name}: no sha512sum; reading again")
            return self._by_reading()
        if done.code:
            raise self._access.failure(done)
        return digest_in(done.stdout, self._access.agent)

    def end(self) -> None:
        """It is not needed: what computes it in the guest ends. Safe to repeat."""
        if self._script:
            self._script.end()

    def _by_reading(self) -> str:
        digest = hashlib.sha512()
        left = self._length
        with open_handle(self._access, self._path, "r") as handle:
            while left and (data := handle.read(left)):
                digest.update(data)
                left -= len(data)
                self._access.check()
        return digest.hexdigest()


def digest_in(said: bytes, agent: Agent) -> str:
    """The digest in a line that a guest's sha512sum has written. Raises BadReply."""
    text = said[:DIGITS].decode("ascii", "replace")
    if len(text) != DIGITS or set(text) - set("0123456789abcdef"):
        raise BadReply(f"sha512sum's answer makes no sense: {said[:80]!r}").of(agent.target)
    return text


def of_file(file: BinaryIO, length: int) -> hashlib._Hash:
    """Of the first `length` bytes of a file of this host, or of all it has."""
    digest = hashlib.sha512()
    file.seek(0)
    while length > 0 and (data := file.read(min(length, 2**20))):
        digest.update(data)
        length -= len(data)
    return digest


def feed_zeros(digest: hashlib._Hash, count: int) -> None:
    """Go on with `count` zeros, as a hole reads."""
    while count > 0:
        digest.update(ZEROS[: min(count, len(ZEROS))])
        count -= len(ZEROS)
