"""What keeps a guest open between tasks of Ansible, where it cannot: nothing is run."""

import contextlib
import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qga_cli.errors import NotDelivered, TimedOut
from qga_cli.inside.tasks.frames import HEAD
from tests.kit.fake import FakeAgent, Handler, Silence
from tests.kit.running import eventually
from tests.lab.process import is_over

broker: Any = importlib.import_module("ansible_collections.qga.guest.plugins.plugin_utils.broker")
lasting: Any = importlib.import_module("ansible_collections.qga.guest.plugins.plugin_utils.lasting")


PYTHON = "/usr/bin/python3"
PIPED = f"/bin/sh -c '{PYTHON} && sleep 0'"


def brokers(folder: Path) -> list[int]:
    """Those of this folder, by pid."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"broker.py" in words and os.fsencode(folder) in words:
                found.append(int(entry.name))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / ("cp" + "x" * 120)  # longer than a socket's path may be
    yield path
    for pid in brokers(path):
        os.kill(pid, signal.SIGKILL)


def run(way: Any, line: str = PIPED, given: bytes = b"print()") -> Any:
    return way.run(line, given, bytearray().extend, bytearray().extend, 20)


def test_a_guest_without_ports_is_opened_for_each_task(folder: Path, local_agent: str) -> None:
    """One broker finds that out, and says so to every later task; it ends when it is not found."""
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    assert run(way, "echo", b"") is None  # needs no Python, so no broker is started for it
    assert not brokers(folder)
    assert run(way) is None
    assert "only libvirt's guests" in way.why
    first = brokers(folder)
    assert len(first) == 1
    assert run(way) is None
    assert brokers(folder) == first
    way.end()
    assert eventually(lambda: not brokers(folder), 10)


def test_a_silent_agent_is_unreachable_at_once(
    folder: Path, fake: Callable[[Handler], FakeAgent]
) -> None:
    """After its time limit, once; the next task asks anew."""
    silent = fake(lambda request: Silence())
    way = lasting.Lasting(str(folder), silent.uri, "g", 60, 1)
    began = time.monotonic()
    with pytest.raises(NotDelivered):
        run(way)
    assert time.monotonic() - began < 8
    assert not list(folder.glob("qga-*[0-9a-f]"))


def test_a_broker_that_nobody_wants_ends(folder: Path, local_agent: str) -> None:
    assert run(lasting.Lasting(str(folder), local_agent, "g", 1, 5)) is None
    assert eventually(lambda: not brokers(folder), 10)
    assert not list(folder.glob("qga-*[0-9a-f]"))


def test_a_dead_brokers_socket_is_no_obstacle(folder: Path, local_agent: str) -> None:
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    assert run(way) is None
    (dead,) = brokers(folder)
    os.kill(dead, signal.SIGKILL)
    assert eventually(lambda: is_over(dead), 5)
    assert run(way) is None
    assert brokers(folder) != [dead]


def test_a_folder_of_others_is_not_used(folder: Path, local_agent: str) -> None:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    assert run(way) is None
    assert not brokers(folder)


@contextmanager
def answered(folder: Path, way: Any, broker: Callable[..., None], *words: object) -> Iterator[None]:
    """A broker of ours, that gets the socket at which `way` looks for one, and `words`."""
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        number = os.open(folder, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{number}/{way._name}")
        os.close(number)
        listener.listen()
        thread = threading.Thread(target=broker, args=(listener, *words))
        thread.start()
        yield
        thread.join()


def test_a_broker_that_dies_leaves_the_outcome_unknown(folder: Path, local_agent: str) -> None:
    """Sent, and no end heard: not repeated."""
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    with answered(folder, way, hear_and_go, 2):
        with pytest.raises(Exception, match="may have run"):
            run(way)
        assert not way.put(b"data", 0o600, "/x", 20)  # but a file, which goes another way


def hear_and_go(listener: socket.socket, times: int) -> None:
    """A broker that takes a request and is gone."""
    for _ in range(times):
        with listener.accept()[0] as task:
            task.recv(1000)


def test_a_program_that_goes_on_writing_has_no_more_time(folder: Path, local_agent: str) -> None:
    """As long as there was something to read, nobody looked at the clock."""
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    with (
        answered(folder, way, say_yes, 20.0),
        pytest.raises(TimedOut, match=r"within 0.5 s: it was ended"),
    ):
        way.run("yes", b"", len, len, 0.5)


def say_yes(listener: socket.socket, seconds: float) -> None:
    """A broker whose task writes without end; at most so long, for it to be heard of."""
    until = time.monotonic() + seconds
    with listener.accept()[0] as task, contextlib.suppress(OSError):
        while time.monotonic() < until:
            task.sendall(HEAD.pack(b"O", 0, 65536) + b"yes\n" * 16384)


def test_a_write_that_ends_just_now_is_not_stuck() -> None:
    """Looked at twice, it seemed to last since this machine's start."""
    since = iter([time.monotonic(), 0.0])
    made = type("Writing", (broker.Broker,), {"_writing_since": property(lambda _: next(since))})
    assert not object.__new__(made)._is_stuck()


def test_where_nothing_can_be_written_each_task_goes_alone(tmp_path: Path) -> None:
    (tmp_path / "cp").touch()
    for folder in (tmp_path / "cp", tmp_path / "cp" / "inner"):
        way = lasting.Lasting(str(folder), None, "g", 60, 5)
        assert run(way) is None
        assert str(folder) in way.why
        way.end()
