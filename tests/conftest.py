"""Fixtures: the command line as users run it, three kinds of agent, folders at both ends."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.freeze.record import Record
from qga_cli.transports import connect
from tests import lab
from tests.kit.channels import may_write_ports
from tests.kit.command import SUITE, Configured, Far, Ran, qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.policies import ENTRY
from tests.lab.local_agent import agent as run_local_agent

# A shell's background job ignores the first, and nohup's the second: all that is started here would
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Five thousand tests in one process: more may be open at a time than the usual 1,024.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if 0 < _soft < 8192 <= _hard:
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, _hard))
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# What draws for a terminal is tested in this process too, whatever terminal that has.
os.environ["TERM"] = "xterm"


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


@pytest.fixture(scope="session")
def systemd() -> Iterator[lab.Guest]:
    """A guest as most are: its agent is a service of systemd's. Leave it as you found it."""
    with lab.up(f"qga-systemd-{os.getpid()}", "trixie-systemd") as running:
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
        if {"guest", "spare", "systemd"} & {*item.fixturenames, *filter(None, map(str, kinds))}:
            item.add_marker("guest")
        if "live" in item.fixturenames:
            item.add_marker("windows")
    left_out = [item for item in items if lacking & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
