"""What travels through a tunnel: a kind, a connection's number, a length, a payload.

    who connects                          who dials
    OPEN n, address        ──────────▶    connects
                           ◀──────────    OPENED n, or FAILED n with the reason
    DATA n                 ◀─────────▶    DATA n, as much as the other side has granted
    WINDOW n, bytes        ◀─────────▶    so much has been passed on: so much more may come
    END n                  ◀─────────▶    nothing more comes from here; the other way goes on
    RESET n                ◀─────────▶    it has broken; nobody answers

The host's numbers are odd, the guest's even; none is ever used again. LISTEN n (of the host) has
the guest listen: OPENED n with the address, or FAILED n; an OPEN of the guest's tells n.
"""

import struct

HEADER = struct.Struct(">BII")
OPEN, OPENED, FAILED, DATA, WINDOW, END, RESET, LISTEN = range(1, 9)

LONGEST = 32768  # bytes of a payload
GRANTED = 262144  # bytes of a connection that may be under way in one direction
CONNECTIONS = 200  # at a time, and listening sockets besides
FULL = 1048576  # bytes that wait for the link: no connection is read meanwhile
FLOOD = 8388608  # bytes that wait for a link that nobody reads


class Broken(Exception):
    """The other side breaks the rules above: the tunnel must end."""


def frame(kind: int, number: int, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(kind, number, len(payload)) + payload
