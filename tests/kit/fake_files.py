"""The file commands of an agent whose guest has a few files and runs no programs."""

import base64
from collections.abc import Callable
from typing import Any

from tests.kit.command import Ran, qga
from tests.kit.fake import AgentFault, FakeAgent, Handler

Reply = dict[str, Any]
Start = Callable[[Handler], FakeAgent]
READ, SEEK = "guest-file-read", "guest-file-seek"
DATA = bytes(range(256)) * 10_000


def copy(agent: FakeAgent, *words: str) -> Ran:
    """Run `qga cp` on that agent."""
    return qga("-c", agent.uri, "cp", *words)


class FakeFiles:
    """A handler for FakeAgent. `twist` gets each command's name and honest reply and may lie."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = {path: bytearray(data) for path, data in (files or {}).items()}
        self.open: dict[int, str] = {}
        self.position: dict[int, int] = {}
        self.twist: Callable[[str, Any], Any] = lambda name, reply: reply
        self.most = 2**20  # bytes that one write takes
        self.blocked: set[str] = {"guest-exec", "guest-exec-status"}

    def __call__(self, request: dict[str, object]) -> object:
        name = str(request["execute"])
        if name == "guest-info":
            return self._info()
        if name in self.blocked:
            raise AgentFault(f"Command {name} has been disabled: the command is not allowed")
        act = getattr(self, "_" + name.removeprefix("guest-").replace("-", "_"), None)
        if act is None:
            raise AgentFault(f"The command {name} has not been found")
        return self.twist(name, act(request.get("arguments", {})))

    def _info(self) -> Reply:
        acts = ("open", "close", "read", "write", "seek", "flush")
        names = {"guest-exec", "guest-exec-status", *(f"guest-file-{act}" for act in acts)}
        return {
            "version": "7.2.22",
            "supported_commands": [
                {"name": name, "enabled": name not in self.blocked, "success-response": True}
                for name in sorted(names)
            ],
        }

    def _fsfreeze_status(self, arguments: Reply) -> str:
        return "thawed"

    def _get_osinfo(self, arguments: Reply) -> Reply:
        return {"id": "debian"}

    def _file_open(self, arguments: Reply) -> int:
        path, mode = arguments["path"], arguments.get("mode", "r")
        if mode[0] == "r" and path not in self.files:
            raise AgentFault(
                f"failed to open file '{path}' (mode: '{mode}'): No such file or directory"
            )
        if mode[0] == "w":
            self.files[path] = bytearray()
        handle = 1000 + len(self.position)
        self.open[handle], self.position[handle] = path, 0
        return handle

    def _file_close(self, arguments: Reply) -> Reply:
        del self.open[arguments["handle"]]
        return {}

    def _file_flush(self, arguments: Reply) -> Reply:
        return {}

    def _file_read(self, arguments: Reply) -> Reply:
        handle, count = arguments["handle"], arguments.get("count", 4096)
        at = self.position[handle]
        data = bytes(self.files[self.open[handle]][at : at + count])
        self.position[handle] = at + len(data)
        text = base64.b64encode(data).decode()
        return {"count": len(data), "buf-b64": text, "eof": len(data) < count}

    def _file_write(self, arguments: Reply) -> Reply:
        handle = arguments["handle"]
        data = base64.b64decode(arguments["buf-b64"])[: self.most]
        at = self.position[handle]
        file = self.files[self.open[handle]]
        file.extend(bytes(max(0, at - len(file))))
        file[at : at + len(data)] = data
        self.position[handle] = at + len(data)
        return {"count": len(data), "eof": False}

    def _file_seek(self, arguments: Reply) -> Reply:
        handle = arguments["handle"]
        size = len(self.files[self.open[handle]])
        start = {0: 0, 1: self.position[handle], 2: size}[arguments["whence"]]
        self.position[handle] = start + arguments["offset"]
        return {"position": self.position[handle], "eof": False}
