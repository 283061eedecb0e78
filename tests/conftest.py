"""Fixtures: the command line as users run it, three kinds of agent, folders at both ends."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.freeze.record import Record
from qga_cli.transports import connect
from tests import lab
from tests.channels import may_write_ports
from tests.fake import FakeAgent, Handler
from tests.lab.local_agent import agent as run_local_agent
from tests.policies import ENTRY
from tests.running import readable

# A shell's background job ignores the first, and nohup's the second: all that is started here would
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# What draws for a terminal is tested in this process too, whatever terminal that has.
os.environ["TERM"] = "xterm"

_CLEAN = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith("QGA_") and key not in ("NO_COLOR", "FORCE_COLOR", "LIBVIRT_DEFAULT_URI")
}

SUITE = os.environ.get("QGA_TEST_SUITE", "bookworm")  # of the guests: which agent they run
if "QGA_TEST_CHANNEL" in os.environ:  # every test with ports of ours, or without
    _CLEAN["QGA_CHANNEL"] = os.environ["QGA_TEST_CHANNEL"]


Configured = Callable[..., "Ran"]


class Ran:
    """What one command line did."""

    def __init__(self, code: int, stdout: bytes, stderr: bytes) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()


def qga(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None, timeout: float = 60
) -> Ran:
    """Run the command line with its output in pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "qga_cli", *words],
        input=stdin,
        capture_output=True,
        env=_environment(env),
        timeout=timeout,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def qga_tty(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None, timeout: float = 60
) -> Ran:
    """Run it with stdout on a terminal of 100 columns, a little stdin and stderr in pipes."""
    master, slave = pty.openpty()
    source, sink = os.pipe()
    os.write(sink, stdin)
    os.close(sink)
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *words],
        stdin=source,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=_environment(env),
    )
    os.close(slave)
    os.close(source)
    out = b""
    while readable(master, timeout):
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the last writer has closed the terminal
            break
        if not data:
            break
        out += data
    os.close(master)
    _, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out.replace(b"\r\n", b"\n"), err)


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    # No configuration of whoever runs the tests.
    clean = {
        **_CLEAN,
        "XDG_CONFIG_HOME": "/nonexistent",
        "COLUMNS": "100",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }
    return clean | (extra or {})


class Far:
    """A folder on an agent's side, and the way there."""

    def __init__(self, connect: str | None, name: str, folder: str) -> None:
        self.flags = ["-c", connect] if connect else []
        self.name = name
        self.folder = folder

    def __call__(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
        """Run qga; FAR in its words is the folder there."""
        place = f"{self.name}:{self.folder}"
        words = tuple(word.replace("FAR", place) for word in words)
        return qga(*self.flags, *words, stdin=stdin, env=env)

    def good(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        """The same; it must succeed, without a word on stderr. Returns its output."""
        done = self(*words, stdin=stdin, env=env)
        assert (done.code, done.err) == (0, ""), done.err
        return done.out

    def sh(self, script: str) -> str:
        """What a script in that folder prints. A socket has one client: we go past it here."""
        if self.flags:
            return subprocess.check_output(["sh", "-c", script], cwd=self.folder, text=True)
        return self.good("exec", self.name, "sh", "-c", f'cd "$0" && {script}', self.folder)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Callable[[Handler], FakeAgent]]:
    """Makes a scripted agent; its `uri` goes to --connect."""
    made: list[FakeAgent] = []

    def make(handler: Handler, greeting: bytes = b"") -> FakeAgent:
        made.append(FakeAgent(tmp_path / f"agent{len(made)}.sock", handler, greeting))
        return made[-1]

    yield make
    for agent in made:
        Record(connect(agent.uri).open("").identity()).clear()
        agent.close()


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """Runs a command line on a machine whose /etc/qga/config.toml says what is given first."""

    def run(text: str, *words: str, stdin: bytes = b"", own: str = "", entry: str = ENTRY) -> Ran:
        system = tmp_path / "etc.toml"
        system.write_text(text)
        (tmp_path / "qga").mkdir(exist_ok=True)
        (tmp_path / "qga" / "config.toml").write_text(own)
        done = subprocess.run(
            [sys.executable, "-c", entry, str(system), *words],
            input=stdin,
            capture_output=True,
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "LANG": "C.UTF-8"},
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def local_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real qemu-ga on this machine, every mutating command blocked."""
    with run_local_agent(tmp_path_factory.mktemp("agent"), "local") as running:
        yield f"unix:{running.socket}"


@pytest.fixture(scope="session")
def guest() -> Iterator[lab.Guest]:
    """A real guest under libvirt, shared by the whole session: leave it as you found it."""
    with lab.up(f"qga-test-{os.getpid()}", SUITE) as running:
        yield running
        Record((running.uri, running.name)).clear()


@pytest.fixture(scope="session")
def _spares() -> Iterator[str]:
    name = f"qga-spare-{os.getpid()}"
    yield name
    lab.down(name)


@pytest.fixture
def spare(_spares: str) -> Iterator[lab.Guest]:
    """A running guest that may be changed and stopped; it is made anew after that."""
    running = lab.up(_spares, SUITE)
    yield running
    Record((running.uri, running.name)).clear()


@pytest.fixture(params=["local", "guest"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    if request.param == "local":
        (tmp_path / "far").mkdir()
        yield Far(request.getfixturevalue("local_agent"), "vm", str(tmp_path / "far"))
        return
    guest: lab.Guest = request.getfixturevalue("guest")
    folder = f"/var/tmp/{tmp_path.name}"
    qga("mkdir", f"{guest.name}:{folder}")
    yield Far(None, guest.name, folder)
    qga("rm", "-rf", f"{guest.name}:{folder}")


@pytest.fixture
def near(local_agent: str, tmp_path: Path) -> Far:
    (tmp_path / "far").mkdir()
    return Far(local_agent, "vm", str(tmp_path / "far"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs on a real guest, for `make test-matrix`; leave out what cannot run here.

    Nothing is skipped: what is left out is counted as deselected, and its marker says why.
    """
    lacking = {"root"} if os.geteuid() != 0 else set()
    if not may_write_ports():
        lacking.add("port_written")
    if not os.environ.get("QGA_WINDOWS"):
        lacking.add("windows")
    for item in items:
        assert isinstance(item, pytest.Function)
        kinds = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if {"guest", "spare"} & {*item.fixturenames, *filter(None, map(str, kinds))}:
            item.add_marker("guest")
        if "live" in item.fixturenames:
            item.add_marker("windows")
    left_out = [item for item in items if lacking & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
