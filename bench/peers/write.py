"""Peer: a bare guest-file-write loop. Arguments: VM|unix:SOCKET GUEST-PATH CHUNK LOCAL-PATH."""

import base64
import sys

from channel import open_call

where, path, chunk, local = sys.argv[1:]
call = open_call(where)
handle = call("guest-file-open", path=path, mode="w")
with open(local, "rb") as source:
    while data := source.read(int(chunk)):
        text = base64.b64encode(data).decode()
        call("guest-file-write", **{"handle": handle, "buf-b64": text})
call("guest-file-flush", handle=handle)
call("guest-file-close", handle=handle)
