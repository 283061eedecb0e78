"""A Windows guest: `win` where a recorded conversation will do, `live` where it must be real.

With QGA_WINDOWS=1 (`make test-windows`) both are the real agent under wine.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command import Ran, qga
from tests.kit.fake import FakeAgent
from tests.kit.running import GUARD
from tests.lab import windows
from tests.windows.conversation import Recorder, Replay

RECORDED = Path(__file__).parent / "recorded"
ARGS, GEN = "C:\\args.exe", "C:\\gen.exe"  # programs of ours there
DATA = "win:C:\\data"
MB = 10**6
WANTED = os.environ.get("QGA_WINDOWS", "")  # 1, record, or nothing


class Windows:
    """A Windows guest, called `win`."""

    def __init__(self, uri: str, state: Path, agent: windows.WindowsAgent | None) -> None:
        self.uri = uri
        self.state = state  # where notes of what may be left in the guest are kept
        self._agent = agent

    @property
    def agent(self) -> windows.WindowsAgent:
        """The agent itself, of a `live` guest."""
        assert self._agent
        return self._agent

    @property
    def drive(self) -> Path:
        """Drive C, of a `live` guest."""
        return self.agent.drive

    @property
    def env(self) -> dict[str, str]:
        """For a qga of one's own."""
        return {"XDG_STATE_HOME": str(self.state)}

    def __call__(self, *words: str, stdin: bytes = b"", timeout: float = GUARD) -> Ran:
        """Run qga."""
        return qga("-c", self.uri, *words, stdin=stdin, env=self.env, timeout=timeout)

    def exec(self, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """Code, output and errors of `exec`; its options stand before the guest's name."""
        ran = self("exec", *words, stdin=stdin)
        return ran.code, ran.stdout, ran.err

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a qga, to be ended by the test."""
        return subprocess.Popen(
            [sys.executable, "-m", "qga_cli", "-c", self.uri, *words],
            env={**os.environ, **self.env},
        )

    def left(self) -> tuple[list[str], list[str]]:
        """What of ours is left: files of a `live` guest, handles on any, and notes of them."""
        files = [path.name for path in (self.drive / "windows" / "temp").glob("qga-*")]
        files += [f"open: {name}" for name in self.agent.open_files()]
        return files, [str(path) for path in self.state.rglob("*") if path.is_file()]


@pytest.fixture(scope="session")
def agent() -> Iterator[windows.WindowsAgent | None]:
    """The real agent; None where it is not wanted."""
    if not WANTED:
        yield None
        return
    with windows.running() as running:
        (running.drive / "data").mkdir(exist_ok=True)
        for path in (running.drive / "windows" / "temp").glob("qga-*"):
            path.unlink()  # of a session before, which had its notes elsewhere
        yield running


@pytest.fixture
def live(agent: windows.WindowsAgent | None, tmp_path: Path) -> Windows:
    """The real agent: such tests are marked `windows`, and left out where there is none."""
    assert agent
    return Windows(agent.uri, tmp_path / "state", agent)


@pytest.fixture
def win(
    agent: windows.WindowsAgent | None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Windows]:
    """The real agent, or what it said when this test was recorded."""
    if agent and WANTED != "record":
        yield Windows(agent.uri, tmp_path / "state", None)
        return
    record = RECORDED / f"{request.node.name}.jsonl"
    handler = Recorder(agent) if agent else Replay(record)
    fake = FakeAgent(tmp_path / "win.sock", handler)
    yield Windows(fake.uri, tmp_path / "state", None)
    fake.close()
    if isinstance(handler, Recorder):
        handler.close()
        handler.save(record)
    else:
        handler.check()


@pytest.fixture
def data(live: Windows) -> Iterator[Path]:
    """The folder C:\\data, empty."""
    folder = live.drive / "data"
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    yield folder
    assert live("ls", DATA).code == 0  # clears away what a killed run has left
    assert live.left() == ([], [])


def good(ran: Ran) -> str:
    """What a qga has printed that ended well."""
    assert (ran.code, ran.err) == (0, "")
    return ran.out
