"""Golden output: tests/cases/<wire>[.variant].json, one file for each thing a command can show.

A contributor writes `argv` and `reply`, and `QGA_UPDATE=1 pytest tests/commands/test_cases.py`
fills the rest in: the request that must be sent, and what is printed on a terminal of 100 columns,
as TSV and as JSON. Then look at it. Members:

    argv      the command line without `qga`; `VM` is the guest
    reply     the agent's reply to the command's own request
    also      its replies to other requests, by wire name
    stdin     standard input
    request   what must have been sent
    terminal, tsv, json    what must be printed, colours left out
    stderr, code           if not empty, and not 0
"""

import io
import json
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qga_cli import catalog
from qga_cli.cli import main
from qga_cli.spec import release
from tests import REPO
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence

CASES = sorted((REPO / "tests" / "cases").glob("*.json"))
NOW = 1795485000.25  # 2026-11-24T01:50:00Z, for what is shown as an age
# `info` lists all commands there are: its cases shall not change with every new one.
KNOWN = [command for command in catalog.walk() if release(command.since) <= (11, 1)]
SGR = re.compile(r"\x1b\[[\d;]*m")
UPDATE = bool(os.environ.get("QGA_UPDATE"))
FORMS = {"terminal": [], "tsv": ["-o", "tsv"], "json": ["-o", "json"]}

Case = dict[str, Any]


class Console(io.TextIOWrapper):
    """A standard stream in memory, a terminal or not."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def written(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


class Agent:
    """Answers from a case, and remembers what the command itself asked."""

    def __init__(self, case: Case, wire: str) -> None:
        self._replies = {**case.get("also", {}), wire: case.get("reply")}
        self._wire = wire
        self.request: dict[str, object] | None = None

    def __call__(self, request: dict[str, object]) -> object:
        name = str(request["execute"])
        if name == self._wire and self.request is None:
            self.request = request
        if name not in self._replies:
            raise AgentFault(f"The command {name} has not been found")
        reply = self._replies[name]
        if reply is None:
            return Silence()
        if "error" in reply:
            raise AgentFault(reply["error"]["desc"])
        return reply["return"]


def run(
    case: Case, form: str, fake: Callable[[Handler], FakeAgent], monkeypatch: pytest.MonkeyPatch
) -> Case:
    """What the case should say, as far as one output form tells."""
    words = shlex.split(case["argv"])
    command = catalog.find(words)
    assert command is not None
    agent = Agent(case, command.wire)
    stdout, stderr = Console(terminal=form == "terminal"), Console()
    monkeypatch.setattr(sys, "stdin", Console(case.get("stdin", "")))
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setattr(catalog, "walk", lambda: iter(KNOWN))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("qga_cli.agent._SILENCE", 0.1)
    code = main.CommandLine(["-c", fake(agent).uri, *words, *FORMS[form]]).run()
    out = re.sub(r"in \d+ ms$", "in 2 ms", SGR.sub("", stdout.written()), flags=re.M)
    shown: object = json.loads(out) if form == "json" and out else out.splitlines()
    return {
        "request": agent.request,
        form: shown,
        "stderr": stderr.written().splitlines() if form != "json" else None,
        "code": code,
    }


def written(case: Case) -> str:
    """A case as a file: a line for each line shown, one for anything else."""
    members = []
    for key, value in case.items():
        lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
        text = json.dumps(value, indent=4 if lines else None, ensure_ascii=False)
        members.append(f'  "{key}": {text[:-1] + "  ]" if lines else text}')
    return "{\n" + ",\n".join(members) + "\n}\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(
    path: Path, form: str, fake: Callable[[Handler], FakeAgent], monkeypatch: pytest.MonkeyPatch
) -> None:
    case: Case = json.loads(path.read_text())
    handlers = [(s, signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        found = run(case, form, fake, monkeypatch)
    finally:
        for signum, handler in handlers:
            signal.signal(signum, handler)
    found = {key: value for key, value in found.items() if value not in (None, [], 0)}
    if UPDATE:
        stale = {"request", form, "code", *(["stderr"] if form != "json" else [])}
        case = {key: value for key, value in case.items() if key not in stale} | found
        path.write_text(written(case))
    expected = {key: case[key] for key in ("request", form, "stderr", "code") if key in case}
    if form == "json":
        expected.pop("stderr", None)  # errors are JSON there too: see test_commands.py
    assert found == expected
