"""The public names, what they do, and that the command line does not pay for them."""

import inspect
import io
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import qga_cli
from qga_cli import connect, errors
from qga_cli.transports import libvirt
from qga_cli.transports.libvirt_link import Link
from tests import lab
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence

SIGNATURES = {
    "connect": "(uri: str | None = None) -> qga_cli.library.Host",
    "Host.guests": "(self) -> dict[str, str]",
    "Host.guest": "(self, name: str) -> qga_cli.library.Guest",
    "Host.close": "(self) -> None",
    "Guest.close": "(self) -> None",
    "Guest.ping": "(self, timeout: float | None = None) -> None",
    "Guest.call": "(self, command: str, arguments: collections.abc.Mapping[str, object] | None "
    "= None, *, timeout: float | None = None) -> 'Any'",
    "Guest.open_stream": "(self, argv: collections.abc.Sequence[str], *, "
    "env: collections.abc.Mapping[str, str] | None = None, workdir: str = '', user: str = '', "
    "timeout: float = 30.0, prompt: bool = False) -> 'ProgramStream'",
    "Guest.run": "(self, argv: collections.abc.Sequence[str], *, stdin: 'InputSource | None' = "
    "None, stdout: collections.abc.Callable[[bytes], object] = <built-in function "
    "len>, stderr: collections.abc.Callable[[bytes], object] = <built-in function "
    "len>, env: collections.abc.Mapping[str, str] | None = None, workdir: str = '', "
    "user: str = '', timeout: float | None = None, interrupt: "
    "qga_cli.interrupt.Interrupt | None = None, channel: str = '') -> "
    "qga_cli.agent.program.Completed",
    "Guest.put": "(self, source: str, path: str, *, owner: str = '', channel: str = '', timeout: "
    "float | None = None, interrupt: qga_cli.interrupt.Interrupt | None = None) -> "
    "None",
    "Guest.fetch": "(self, path: str, target: str, *, channel: str = '', timeout: float | None = "
    "None, interrupt: qga_cli.interrupt.Interrupt | None = None) -> None",
    "Guest.exec": "(self, argv: collections.abc.Sequence[str], *, stdin: bytes = b'', "
    "env: collections.abc.Mapping[str, str] | None = None, workdir: str = '', user: str = '', "
    "timeout: float | None = None) -> qga_cli.agent.program.Completed",
}


def test_public_names() -> None:
    assert qga_cli.__all__ == [
        "Completed", "Guest", "Host", "QgaError", "__version__", "connect",
    ]  # fmt: skip
    for name in qga_cli.__all__:
        assert getattr(qga_cli, name) is not None
    with pytest.raises(AttributeError):
        _ = qga_cli.nosuch


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name: str) -> None:
    found: object = qga_cli
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)
    assert str(inspect.signature(found)) == SIGNATURES[name]


def test_the_package_alone_imports_nothing_of_it() -> None:
    code = "import qga_cli, sys; print([name for name in sys.modules if name[:8] == 'qga_cli.'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_readme_of_the_library_on_a_real_agent(local_agent: str) -> None:
    with connect(local_agent) as host:
        assert host.uri == local_agent
        guest = host.guest("x")
        guest.ping()
        done = guest.exec(["sh", "-c", "cat; echo oops >&2; exit 7"], stdin=b"\x00\xff")
        assert (done.code, done.stdout, done.stderr) == (7, b"\x00\xff", b"oops\n")
        assert repr(done).startswith("Completed(exitcode=7, signal=None, stderr=b'oops")
        assert guest.call("guest-get-host-name")["host-name"] == socket.gethostname()


def test_the_same_on_a_guest(guest: lab.Guest) -> None:
    with connect(guest.uri) as host:
        assert host.guests()[guest.name] == "running"
        done = host.guest(guest.name).exec(["uname", "-n"])
        assert (done.code, done.stdout.decode().strip()) == (0, guest.name)
        with pytest.raises(errors.NoGuest):
            host.guest("nosuch")


def test_a_guest_that_is_closed_takes_no_place(
    monkeypatch: pytest.MonkeyPatch, local_agent: str
) -> None:
    """Each four that were asked for took one more connection, until their host was closed."""
    opened: list[Link] = []

    def link(uri: str) -> Link:
        opened.append(Link(uri))
        return opened[-1]

    monkeypatch.setattr(libvirt, "Link", link)
    with connect("test:///default") as host:
        for _ in range(20):
            with host.guest("test") as guest:
                guest.close()
    assert len(opened) == 1
    with connect(local_agent) as host:
        for _ in range(2):  # a socket has one client: the second would wait for the first
            with host.guest("x") as guest:
                guest.ping(5)


def test_errors_are_those_of_the_command_line(fake: Callable[[Handler], FakeAgent]) -> None:
    def handler(request: dict[str, object]) -> object:
        raise AgentFault("no way")

    with connect(fake(handler).uri) as host:
        with pytest.raises(errors.Refused) as caught:
            host.guest("x").call("guest-get-fsinfo")
        assert caught.value.desc == "no way"


def test_a_command_we_do_not_know_passes(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: {"new": 1})
    with connect(agent.uri) as host:
        assert host.guest("x").call("guest-from-tomorrow", {"a": 1}) == {"new": 1}
    assert agent.requests == [{"execute": "guest-from-tomorrow", "arguments": {"a": 1}}]


@pytest.mark.parametrize("command", ["guest-get-fsinfo", "guest-from-tomorrow"])
def test_no_time_left_is_not_all_the_time_there_is(
    fake: Callable[[Handler], FakeAgent], command: str
) -> None:
    """`timeout=max(0, until - now)` waited 30 seconds where the time was over."""
    agent, begun = fake(lambda request: Silence()), time.monotonic()
    with connect(agent.uri) as host, pytest.raises(errors.NotAnswering):
        host.guest("x").call(command, timeout=0)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("argv", ["ls -l", []])
def test_argv_is_a_list_of_words(argv: list[str], local_agent: str) -> None:
    with connect(local_agent) as host, pytest.raises(errors.UsageError):
        host.guest("x").exec(argv)


def test_no_error_is_its_own_cause(local_agent: str) -> None:
    """Whoever walks the chain of causes, as Ansible does, comes to its end."""
    with connect(local_agent) as host, pytest.raises(errors.TimedOut) as caught:
        host.guest("x").exec(["sleep", "60"], timeout=0.2)
    seen: list[BaseException] = []
    error: BaseException | None = caught.value
    while error:
        assert error not in seen
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_file_there_and_back(local_agent: str, tmp_path: Path) -> None:
    """A socket has one client: the copy goes through the guest's own connection."""
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 2000)
    with connect(local_agent) as host:
        guest = host.guest("x")
        guest.put(str(source), str(tmp_path / "there"))
        guest.fetch(str(tmp_path / "there"), str(tmp_path / "back"))
        guest.ping()
        with pytest.raises(errors.FileError):
            guest.put(str(tmp_path), str(tmp_path / "no"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_streams_pass_through_as_they_come(local_agent: str) -> None:
    out, err = bytearray(), bytearray()
    with connect(local_agent) as host:
        done = host.guest("x").run(
            ["sh", "-c", "cat; echo no >&2; exit 3"], stdin=io.BytesIO(b"yes"),
            stdout=out.extend, stderr=err.extend,
        )  # fmt: skip
    assert (done.code, bytes(out), bytes(err)) == (3, b"yes", b"no\n")
