"""What a real Windows agent was asked and answered, recorded in one test and given again later.

A record is a line of JSON for each request: the request, and its answer. Base64 is decoded, names
that differ in each run are numbered. Looks that found a program still running are left out, and
those for one more of its pid once it has ended (qga_cli/agent): their number is chance. The shell
text that a guest without a shell refuses is left out too: it is exec's to change.
"""

import json
import re
import socket
from pathlib import Path
from typing import Any

from qga_cli import wire
from tests.kit.fake import AgentFault
from tests.lab.windows import WindowsAgent

_RANDOM = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b")
_BASE64 = ("buf-b64", "input-data", "out-data", "err-data")
_SHELLS = ("sh", "/bin/sh")


class Ends:
    """The pids of programs that have ended, as far as the conversation has told."""

    def __init__(self) -> None:
        self._pids: set[object] = set()

    def told(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Take note of an answer."""
        value = answer.get("return")
        if request["execute"] == "guest-exec" and isinstance(value, dict):
            self._pids.discard(value["pid"])
        elif request["execute"] == "guest-exec-status" and isinstance(value, dict):
            self._pids.update([request["arguments"]["pid"]] if value["exited"] else [])

    def asked_again(self, request: dict[str, Any]) -> bool:
        """Whether it is a look at a program whose end was told."""
        pid = request.get("arguments", {}).get("pid")
        return request["execute"] == "guest-exec-status" and pid in self._pids


class Recorder:
    """A handler of FakeAgent's that asks the real agent, and keeps what passes."""

    def __init__(self, agent: WindowsAgent) -> None:
        self.largest = 0  # bytes of a reply
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        self._ends = Ends()
        self._link = socket.socket(socket.AF_UNIX)
        self._link.settimeout(60)
        self._link.connect(str(agent.socket))
        self._replies = self._link.makefile("rb")
        self._link.sendall(b'\xff{"execute": "guest-sync-delimited", "arguments": {"id": 77}}\n')
        while b'"return": 77' not in (line := self._replies.readline()):
            assert line, "the agent has gone"

    def __call__(self, request: dict[str, Any]) -> object:
        self._link.sendall(json.dumps(request).encode() + b"\n")
        line = self._replies.readline()
        self.largest = max(self.largest, len(line))
        answer = json.loads(line)
        chance = self._ends.asked_again(request) and "error" in answer
        self._ends.told(request, answer)
        if answer.get("return") != {"exited": False} and not chance:
            known = [_told(request, self._names), _told(answer, self._names)]
            self._lines.append(json.dumps(known, ensure_ascii=False))
        if "error" in answer:
            raise AgentFault(answer["error"]["desc"])
        return answer["return"]

    def close(self) -> None:
        """Let go of the agent."""
        self._replies.close()
        self._link.close()

    def save(self, path: Path) -> None:
        """Write the record."""
        path.write_text("\n".join(self._lines) + "\n")


class Replay:
    """A handler of FakeAgent's that gives the recorded answers, to the recorded requests only."""

    def __init__(self, path: Path) -> None:
        self.wrong = ""
        self._path = path
        self._lines = [json.loads(line) for line in path.read_text().splitlines()]
        self._names: dict[str, str] = {}
        self._ends = Ends()

    def __call__(self, request: dict[str, Any]) -> object:
        if self._ends.asked_again(request):
            raise AgentFault("Invalid parameter 'pid'")
        told = _told(request, self._names)
        expected, answer = self._lines.pop(0) if self._lines else ({}, {})
        if told != expected:
            self.wrong = self.wrong or f"asked {told}, recorded is {expected}"
            raise AgentFault("not as recorded")
        self._ends.told(request, answer)
        if "error" in answer:
            raise AgentFault(answer["error"]["desc"])
        return _given(answer["return"], {number: name for name, number in self._names.items()})

    def check(self) -> None:
        """Fail unless the conversation was the recorded one, to its end."""
        wrong = self.wrong or (f"not asked: {self._lines[0][0]}" if self._lines else "")
        assert not wrong, f"{self._path.name}: {wrong}\n`make record-windows` records it anew"


def _told(value: Any, names: dict[str, str]) -> Any:
    """As it is recorded."""
    if isinstance(value, dict):
        if value.get("path") in _SHELLS:
            return {"path": "sh"}
        return dict(_field(name, inner, names) for name, inner in value.items())
    if isinstance(value, list):  # the environment: wine's part of it has paths of this machine
        return [_told(inner, names) for inner in value if not str(inner).startswith("WINE")]
    if isinstance(value, str):
        return _RANDOM.sub(lambda match: names.setdefault(match[0], f"@{len(names)}@"), value)
    return value


def _field(name: str, value: Any, names: dict[str, str]) -> tuple[str, Any]:
    if name not in _BASE64:
        return name, _told(value, names)
    data = wire.from_base64(value)
    encoding = "utf-16-le" if data[1:2] == b"\0" and len(data) % 2 == 0 else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return name, value
    if encoding == "utf-16-le":
        text = re.sub(r"(?m)^WINE[^\n]*\n", "", text)
    return f"{encoding} {name}", _told(text, names)


def _given(value: Any, names: dict[str, str]) -> Any:
    """The answer, from its record."""
    if isinstance(value, dict):
        given = {}
        for name, inner in value.items():
            encoding, _, plain = name.rpartition(" ")
            text = _given(inner, names)
            given[plain] = wire.to_base64(text.encode(encoding)) if encoding else text
        return given
    if isinstance(value, list):
        return [_given(inner, names) for inner in value]
    if isinstance(value, str):
        return re.sub(r"@\d+@", lambda match: names.get(match[0], match[0]), value)
    return value
