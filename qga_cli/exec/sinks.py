"""Where the output of a program in the guest goes: on to our own streams, or into memory."""

import codecs

from qga_cli import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_KEPT = 2**20  # bytes of each stream that are kept for JSON


class Passed:
    """Shown at once, on a stream of ours."""

    def __init__(self, stream: "BinaryIO") -> None:
        self._stream = stream

    def take(self, data: bytes) -> None:
        """Write and flush. Raises BrokenPipeError when our reader has gone."""
        self._stream.write(data)
        self._stream.flush()


class Kept:
    """The first megabyte, to be told at the end."""

    def __init__(self) -> None:
        self._data = b""
        self.truncated = False

    def take(self, data: bytes) -> None:
        """Keep what there is room for."""
        room = _KEPT - len(self._data)
        self._data += data[:room]
        self.truncated = self.truncated or len(data) > room

    def fields(self, name: str, encoding: str = "utf-8") -> dict[str, str]:
        """The member `name` as text, or as base64 with its encoding beside it."""
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            # A character that was cut off is no reason for base64.
            return {name: decoder.decode(self._data, final=not self.truncated)}
        except UnicodeDecodeError:
            return {name: wire.to_base64(self._data), f"{name}-encoding": "base64"}
