"""Peer: a bare guest-file-read loop. Arguments: VM|unix:SOCKET GUEST-PATH CHUNK LOCAL-PATH."""

import base64
import sys

from channel import open_call

where, path, chunk, local = sys.argv[1:]
call = open_call(where)
handle = call("guest-file-open", path=path)
with open(local, "wb") as out:
    while True:
        reply = call("guest-file-read", handle=handle, count=int(chunk))
        out.write(base64.b64decode(reply["buf-b64"]))
        if reply["eof"]:
            break
call("guest-file-close", handle=handle)
