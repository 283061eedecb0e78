"""Peer: guest-exec of a program, and nothing around it, to its end. Arguments: VM PATH ARG..."""

import sys

from channel import open_call

where, path, *words = sys.argv[1:]
call = open_call(where)
pid = call("guest-exec", path=path, arg=words, **{"capture-output": True})["pid"]
while not call("guest-exec-status", pid=pid)["exited"]:
    pass
