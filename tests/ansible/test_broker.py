"""What keeps a guest open between tasks of Ansible, where it cannot: nothing is run."""

import contextlib
import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import NotDelivered, OutcomeUnknown, TimedOut
from qga_cli.inside.tasks.frames import HEAD, SIZE
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


def test_a_broker_that_dies_leaves_the_outcome_unknown(folder: Path, local_agent: str) -> None:
    """Sent, and no end heard: not repeated."""
    folder.mkdir(mode=0o700)
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    with socket.socket(socket.AF_UNIX) as listener:
        number = os.open(folder, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{number}/{way._name}")
        os.close(number)
        listener.listen()
        dying = threading.Thread(target=hear_and_go, args=(listener, 2))
        dying.start()
        with pytest.raises(Exception, match="may have run"):
            run(way)
        assert not way.put(b"data", 0o600, "/x", 20)  # but a file, which goes another way
        dying.join()


def hear_and_go(listener: socket.socket, times: int) -> None:
    """A broker that takes a request and is gone."""
    for _ in range(times):
        with listener.accept()[0] as task:
            task.recv(1000)


def test_a_program_that_goes_on_writing_has_no_more_time(folder: Path, local_agent: str) -> None:
    """As long as there was something to read, nobody looked at the clock."""
    folder.mkdir(mode=0o700)
    way = lasting.Lasting(str(folder), local_agent, "g", 60, 5)
    with socket.socket(socket.AF_UNIX) as listener:
        number = os.open(folder, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{number}/{way._name}")
        os.close(number)
        listener.listen()
        saying = threading.Thread(target=say_yes, args=(listener, 20.0))
        saying.start()
        with pytest.raises(TimedOut, match=r"within 0.5 s: it was ended"):
            way.run("yes", b"", len, len, 0.5)
        saying.join()


def say_yes(listener: socket.socket, seconds: float) -> None:
    """A broker whose task writes without end; at most so long, for it to be heard of."""
    until = time.monotonic() + seconds
    with listener.accept()[0] as task, contextlib.suppress(OSError):
        while time.monotonic() < until:
            task.sendall(HEAD.pack(b"O", 0, 65536) + b"yes\n" * 16384)


class Saying:
    """A guest's end of the stream that says this and then nothing more."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces, b""]

    def read(self, seconds: float) -> bytes:
        return self._pieces.pop(0)


@pytest.mark.parametrize(
    "frame",
    [
        HEAD.pack(b"O", 1, 2**32 - 1),
        HEAD.pack(b"N", 1, 0),
        HEAD.pack(b"X", 1, 2) + b"!!",
        HEAD.pack(b"X", 1, 4) + SIZE.pack(0x137F),
        HEAD.pack(b"X", 1, 4) + SIZE.pack(2**32 - 1),
        HEAD.pack(b"X", 1, 4) + SIZE.pack(2**16),
    ],
    ids=["too large", "what only a broker says", "no exit code", "stopped", "huge", "not 0"],
)
def test_a_guest_that_lies_in_its_frames_is_lost(tmp_path: Path, frame: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        held = broker.Broker(listener, str(tmp_path / "s"), 60, 5)
        held._stream = Saying(frame)
        held._hear(b"")
    assert held._obstacle == "the program in the guest says what ours never would"


class Deaf:
    """A guest's end of the stream that is alive, says nothing, and takes nothing until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.came: list[bytes] = []

    def write(self, data: bytes) -> None:
        assert self.go.wait(30)
        self.came.append(data)

    def is_there(self) -> bool:
        return True


class Serving:
    """A broker in this process, whose guest is thawed and has that stream."""

    def __init__(self, folder: Path, stream: Deaf) -> None:
        self._path = str(folder / "s")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen()
        self.broker = broker.Broker(self._listener, self._path, 60, 5)
        self.broker._open = lambda *_: None
        self.broker._stream = stream
        self.broker._guest = SimpleNamespace(call=lambda *_, **__: "thawed")
        self.broker._ready.set()
        self.thread = threading.Thread(target=self.broker.serve, args=("", "", PYTHON), daemon=True)
        self.thread.start()

    def ask(self, text: bytes, kind: bytes = b"S") -> socket.socket:
        task = socket.socket(socket.AF_UNIX)
        task.connect(self._path)
        data = SIZE.pack(len(text)) + text
        task.sendall(HEAD.pack(kind, 0, len(data)) + data)
        return task

    def close(self) -> None:
        self.broker._persist = 0
        self.thread.join(20)
        assert not self.thread.is_alive()
        self._listener.close()


def test_a_guest_that_takes_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Python was stopped: what was sent to it may run yet, the rest goes another way."""
    monkeypatch.setattr(broker, "_TAKES", 1.0)
    deaf = Deaf()
    serving = Serving(tmp_path, deaf)
    with contextlib.closing(serving), serving.ask(b"first") as sent:
        assert eventually(lambda: serving.broker._tasks)
        with serving.ask(b"second") as waiting:
            assert eventually(lambda: len(serving.broker._talking) == 2)
            told = [task.recv(1000) for task in (sent, waiting)]
    assert [kind[:1] for kind in told] == [b"L", b"N"]
    assert all(b"takes nothing any more" in kind for kind in told)
    deaf.go.set()


def test_a_task_that_has_gone_is_not_sent_later(tmp_path: Path) -> None:
    """It was told that its time is over; and who hears the guest does not wait for who writes."""
    deaf = Deaf()
    serving = Serving(tmp_path, deaf)
    with contextlib.closing(serving), serving.ask(b"first"):
        assert eventually(lambda: serving.broker._tasks)
        serving.broker._look()
        serving.ask(b"second").close()
        assert eventually(lambda: len(serving.broker._talking) == 2)
        deaf.go.set()
        assert eventually(lambda: len(serving.broker._talking) == 1)
        assert b"second" not in b"".join(deaf.came)


def lose_the_first(serving: Any) -> None:
    """As when the guest goes while it runs something."""
    assert eventually(lambda: serving._tasks)
    serving._lose("enough")


def test_a_module_runs_in_no_other_python_than_it_is_for(tmp_path: Path) -> None:
    """One of ansible_python_interpreter's was run by what an earlier task had opened."""
    takes = Deaf()
    takes.go.set()
    serving = Serving(tmp_path, takes)
    way = lasting.Lasting(str(tmp_path), None, "g", 60, 5)
    way._name = "s"
    with contextlib.closing(serving):
        for other in (f"{PYTHON}.11", "/opt/venv/bin/python", "/usr/bin/python"):
            assert run(way, PIPED.replace(PYTHON, other)) is None
            assert way.why == f"what keeps this guest open is {PYTHON}, not {other}"
        assert not takes.came
        losing = threading.Thread(target=lose_the_first, args=(serving.broker,))
        losing.start()
        with pytest.raises(OutcomeUnknown, match="enough"):
            run(way)
        losing.join()
        assert b"print()" in takes.came[0]


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
