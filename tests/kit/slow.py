"""A guest whose sha512sum takes long, as a large file's does."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qga_cli.files.guest.access import Access
from qga_cli.files.guest.patient_agent import PatientAgent
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect
from tests.lab.local_agent import agent as run_local_agent

DATA = os.urandom(300_000)
PART = ".data.0123456789abcdef.qga-part"


class Slow:
    """A guest whose sha512sum takes long, the first time that it is started after `delay`."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.uri = uri
        self.tools = folder / "bin"
        self.there = folder / "there"
        self.source = folder / "data"

    def ready(self, begun: int = 100_000) -> Path:
        """A file to copy, and what an earlier copy has left of it; that one's path."""
        shutil.rmtree(self.there, ignore_errors=True)
        self.there.mkdir()
        self.source.write_bytes(DATA)
        part = self.there / PART
        part.write_bytes(DATA[:begun])
        part.chmod(0o600)
        return part

    def delay(self, seconds: int) -> None:
        (self.tools / "seconds").write_text(str(seconds))

    @property
    def asleep(self) -> list[int]:
        """The processes that make it slow, as long as they run."""
        return [int(pid) for pid in re.findall(r"\d+", self._read("pids")) if self._runs(pid)]

    @contextmanager
    def access(self) -> Iterator[Access]:
        """Of this process, where its clocks can be set."""
        agent = PatientAgent(connect(self.uri).open("vm"), "vm")
        agent.target = Target(self.uri, "vm", "vm")
        try:
            yield Access(agent, Interrupt())
        finally:
            agent.transport.close()

    def _read(self, name: str) -> str:
        path = self.tools / name
        return path.read_text() if path.exists() else ""

    def _runs(self, pid: str) -> bool:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")
        except OSError:
            return False


@contextmanager
def slow_agent(folder: Path) -> Iterator[Slow]:
    """A local agent that finds it in PATH."""
    tools = folder / "bin"
    tools.mkdir()
    program = tools / "sha512sum"
    program.write_text(
        f"#!/bin/sh\nif mv {tools}/seconds {tools}/taken 2>/dev/null; then\n"
        f"  read -r seconds <{tools}/taken\n  sleep $seconds & echo $! >>{tools}/pids; wait\nfi\n"
        f'exec {shutil.which("sha512sum")} "$@"\n'
    )
    program.chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}:{path}"
    try:
        with run_local_agent(folder, "slow") as agent:
            os.environ["PATH"] = path
            yield Slow(folder, f"unix:{agent.socket}")
    finally:
        os.environ["PATH"] = path
