"""Ansible's broker and a guest that lies in its frames, takes nothing, or has gone."""

import contextlib
import importlib
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.errors import OutcomeUnknown
from qga_cli.inside.tasks.frames import HEAD, SIZE
from tests.ansible.test_broker import PIPED, PYTHON, run
from tests.kit.running import eventually

broker: Any = importlib.import_module("ansible_collections.qga.guest.plugins.plugin_utils.broker")
lasting: Any = importlib.import_module("ansible_collections.qga.guest.plugins.plugin_utils.lasting")


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


def test_whatever_keeps_a_guest_from_being_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that has no thread left: each task waited for ever."""

    def connect(uri: str | None) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(broker, "connect", connect)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        held = broker.Broker(listener, str(tmp_path / "s"), 60, 5)
        with contextlib.suppress(RuntimeError):
            held._open("", "g", PYTHON)
    assert held._ready.is_set()
    assert (held._refusal, held._obstacle) == (b"N", "can't start new thread")


def test_whatever_loses_a_guest_is_told(tmp_path: Path) -> None:
    class Breaking:
        def read(self, seconds: float) -> bytes:
            raise MemoryError

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        held = broker.Broker(listener, str(tmp_path / "s"), 60, 5)
        ours, task = socket.socketpair()
        held._tasks[1], held._stream = task, Breaking()
        with contextlib.suppress(MemoryError):
            held._hear(b"")
        assert ours.recv(1) == b"L"
    ours.close()
    task.close()


def test_a_broker_does_not_end_in_the_middle_of_a_look(tmp_path: Path) -> None:
    """Two calls on one connection: libvirt before 10.2 may lose one, and it never ends."""
    looking, looked = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow:
        def is_there(self) -> bool:
            looking.set()
            looked.wait(0.3)
            order.append("looked")
            return True

        def close(self) -> None:
            order.append("closed")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        held = broker.Broker(listener, str(tmp_path / "s"), 60, 5)
        held._stream = Slow()
        look = threading.Thread(target=held._look)
        look.start()
        assert looking.wait(30)
        held.close()
        look.join()
    assert order == ["looked", "closed"]


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
