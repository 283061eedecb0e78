"""Peer: N files of a folder, one at a time. Arguments: VM FOLDER COUNT."""

import base64
import os
import sys

from channel import open_call

where, folder, count = sys.argv[1:]
call = open_call(where)
for name in sorted(os.listdir(folder))[: int(count)]:
    with open(os.path.join(folder, name), "rb") as source:
        text = base64.b64encode(source.read()).decode()
    handle = call("guest-file-open", path=f"/var/tmp/one-{name}", mode="w")
    call("guest-file-write", **{"handle": handle, "buf-b64": text})
    call("guest-file-close", handle=handle)
