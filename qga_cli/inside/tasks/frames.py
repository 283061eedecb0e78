"""What host and guest say to each other: the head of a frame, and the first one of the guest's."""

import struct

HEAD = struct.Struct(">cII")  # a kind, the number of a run, bytes that follow
SIZE = struct.Struct(">I")
HELLO = b"H"
