"""What a guest has packed comes whole, whatever its size, and nothing after it."""

import gzip

import pytest

from qga_cli.errors import BadReply
from qga_cli.files.guest.gzip import Unpacker


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
@pytest.mark.parametrize("step", [1000, 2**20])
def test_any_size(size: int, step: int) -> None:
    """All of it may come in one piece, if it packs well."""
    packed, found = gzip.compress(bytes(size), 1), bytearray()
    unpacker = Unpacker(found.extend)
    for at in range(0, len(packed), step):
        unpacker.write(packed[at : at + step])
    assert found == bytes(size)


def test_what_comes_after_the_end_is_refused() -> None:
    unpacker = Unpacker(lambda part: None)
    unpacker.write(gzip.compress(b"data"))
    with pytest.raises(BadReply, match="goes on after its end"):
        unpacker.write(b"more")
