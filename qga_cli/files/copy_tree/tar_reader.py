"""Reads a tar stream as it arrives. Knows the format and trusts nothing; extract.py decides.

Read: ustar, GNU long names, pax headers, GNU's sparse format 1.0, which is what our own tar
command line in the guest makes. Everything that stands before data is limited in size.
"""

from __future__ import annotations

import tarfile

from qga_cli.errors import BadReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Protocol

    class Receiver(Protocol):
        """Who gets the entries."""

        def entry(self, info: tarfile.TarInfo) -> None:
            """The next entry begins; a file's size is its length without holes removed."""

        def data(self, offset: int, data: bytes) -> None:
            """Some of the content of the file that began last, in order."""

        def end(self) -> None:
            """The content of the file that began last is complete."""

    Steps = Generator[int, bytes, None]

_BLOCK = 512
_MAX_HEADER = 2**20  # bytes that stand before an entry: long names, pax; Linux paths end at 4096
_MAX_NUMBER = 20  # digits of a number in a pax header or a sparse map
_MAX_TIME = 40  # characters; those that are left out are no nanoseconds any more
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_OTHERS = (  # without content
    tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE,
    tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
)  # fmt: skip


class TarReader:
    """A file object to write the stream to. Raises BadReply for what is no archive of ours."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = bytearray()
        self._pax: dict[str, str] = {}
        self._headers = 0  # bytes of headers since the last entry
        self._steps = self._archive()
        self._wanted = next(self._steps)
        self._after = 0  # bytes that came after the end
        self.complete = False  # whether the end of the archive has been seen

    def write(self, data: bytes) -> int:
        """Take the next bytes of the stream."""
        if self.complete:
            self._after += len(data)
            if self._after > _MAX_HEADER:  # tar fills up to 10 KiB
                raise BadReply("the guest's archive goes on after its end")
            return len(data)
        self._buffer += data
        while self._buffer and not self.complete:
            # A step wants exactly N bytes (N > 0), or whatever there is up to -N of them.
            count = min(abs(self._wanted), len(self._buffer))
            if count < self._wanted:
                break
            part = bytes(self._buffer[:count])
            del self._buffer[:count]
            try:
                self._wanted = self._steps.send(part)
            except StopIteration:
                self.complete = True
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def _archive(self) -> Steps:
        while True:
            header = yield _BLOCK
            if not any(header):
                return  # what follows is padding
            try:
                info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            except tarfile.TarError as error:
                raise BadReply(f"the guest's archive is broken: {error}") from error
            if info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                self._pax |= _records((yield from self._header(info.size)))
            elif info.type == tarfile.GNUTYPE_LONGNAME:
                self._pax["path"] = _text((yield from self._header(info.size)))
            elif info.type == tarfile.GNUTYPE_LONGLINK:
                self._pax["linkpath"] = _text((yield from self._header(info.size)))
            elif info.type == tarfile.XGLTYPE:
                yield from self._header(info.size)
            elif info.type in _FILES + _OTHERS:
                yield from self._entry(info)
            else:
                raise BadReply(f"the guest's archive has an entry of unknown type {info.type!r}")

    def _header(self, size: int) -> Generator[int, bytes, bytes]:
        self._headers += _BLOCK + size
        if size <= 0 or self._headers > _MAX_HEADER:
            raise BadReply(f"the guest's archive has headers of {self._headers} bytes")
        return (yield size + -size % _BLOCK)[:size]

    def _entry(self, info: tarfile.TarInfo) -> Steps:
        pax, self._pax, self._headers = self._pax, {}, 0
        info.name = pax.get("GNU.sparse.name", pax.get("path", info.name))
        info.linkname = pax.get("linkpath", info.linkname)
        info.uid = _number(pax, "uid", info.uid, 2**32)
        info.gid = _number(pax, "gid", info.gid, 2**32)
        stored = info.size = _number(pax, "size", info.size)
        info.pax_headers = {"mtime": pax["mtime"][:_MAX_TIME]} if "mtime" in pax else {}
        if info.type not in _FILES:
            self._receiver.entry(info)
            return
        if "GNU.sparse.major" in pax:
            info.size = _number(pax, "GNU.sparse.realsize", -1)
            parts, used = yield from self._map(info.size)
        else:
            parts, used = [(0, info.size)], 0
        if used + sum(length for _, length in parts) != stored:
            raise BadReply("the guest's archive contradicts itself about a file's size")
        self._receiver.entry(info)
        for offset, length in parts:
            yield from self._content(offset, length)
        self._receiver.end()
        if padding := -stored % _BLOCK:
            yield padding

    def _content(self, offset: int, length: int) -> Steps:
        while length:
            data = yield -length
            self._receiver.data(offset, data)
            offset += len(data)
            length -= len(data)

    def _map(self, size: int) -> Generator[int, bytes, tuple[list[tuple[int, int]], int]]:
        """Where the data of a sparse file belongs, and how many bytes that took to say."""
        text, numbers, wanted = b"", list[int](), 1
        used = 0
        while len(numbers) < wanted:
            text += yield _BLOCK
            used += _BLOCK
            *lines, text = text.split(b"\n")
            numbers += [_integer(line) for line in lines]
            wanted = 1 + 2 * numbers[0] if numbers else 1
            if used > _MAX_HEADER or len(text) > _MAX_NUMBER + _BLOCK:
                raise BadReply("the guest's archive has a sparse file with too many parts")
        parts = list(zip(numbers[1:wanted:2], numbers[2:wanted:2], strict=True))
        end = 0
        for offset, length in parts:
            if offset < end or offset + length > size:
                raise BadReply("the guest's archive has a sparse file whose parts overlap")
            end = offset + length
        return parts, used


def _records(data: bytes) -> dict[str, str]:
    """The members of a pax header: `LENGTH KEY=VALUE` lines, where LENGTH counts all of it."""
    found: dict[str, str] = {}
    begin, end = 0, len(data.rstrip(b"\0"))
    while begin < end:
        length = _integer(data[begin : begin + _MAX_NUMBER + 1].split(b" ", 1)[0])
        record = data[begin : begin + length]
        key, equals, value = record.partition(b" ")[2].partition(b"=")
        if length > len(record) or not equals or not value.endswith(b"\n"):
            raise BadReply("the guest's archive has a broken pax header")
        found[_text(key)] = _text(value[:-1])
        begin += length
    return found


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _number(pax: dict[str, str], key: str, otherwise: int, end: int = 2**63) -> int:
    number = _integer(pax[key].encode("utf-8", "replace")) if key in pax else otherwise
    if not 0 <= number < end:
        raise BadReply(f"the guest's archive has a {key} that none can be: {number}")
    return number


def _integer(data: bytes) -> int:
    if not data.isdigit() or len(data) > _MAX_NUMBER:
        raise BadReply("the guest's archive has a number that is none")
    return int(data)
