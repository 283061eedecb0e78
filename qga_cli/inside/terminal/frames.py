"""The frames between the two ends of a terminal: a letter, a length, a payload.

Newlines between frames mean nothing. They save a call: the agent's stdio buffers a terminal by
lines, so a write that ends with one needs no flush.
"""

import struct

HEADER = struct.Struct(">cH")
# To the host. ACK: how many of the host's bytes are done with, the program has taken its part.
OUTPUT, ACK, TICK, EXIT = b"o", b"a", b"t", b"x"
# From the host. SHOWN: how many bytes of ours are done with, on ports, where nothing else bounds
# what is under way. BYE: the exit code has arrived, and nobody will read on.
INPUT, RESIZE, HANG_UP, SHOWN, BYE = b"i", b"w", b"h", b"s", b"b"

ON_PORTS = "ports"  # printed instead of the carrier's name
NO_PORTS = "no ports"  # the same: they cannot be opened, and nothing was started

WINDOW = 4096  # bytes of the host without ACK; a pty takes 8192 before it says EAGAIN
SCREEN = 65536  # bytes of the guest without SHOWN, on ports
TICKING = 4.0  # seconds between two signs of life of the guest
PATIENCE = 10  # ticks without a reader until the program is hung up


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return HEADER.pack(kind, len(payload)) + payload


def take(inbox: bytearray) -> "tuple[bytes, bytes] | None":
    """Take the first whole frame off `inbox`: its letter and its payload."""
    while inbox[:1] == b"\n":
        del inbox[:1]
    if len(inbox) < HEADER.size:
        return None
    kind, length = HEADER.unpack_from(inbox)
    end = HEADER.size + length
    if len(inbox) < end:
        return None
    payload = bytes(inbox[HEADER.size : end])
    del inbox[:end]
    return kind, payload
