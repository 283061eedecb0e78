"""One set of streams for many guests: nobody's bytes are lost, mixed up or given to one alone."""

import errno
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.guests.fanout import Gathered, Prefixed, Reader, Shared
from tests.kit.running import eventually

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def prefixed(out: io.BytesIO, name: str = "web1") -> Prefixed:
    return Prefixed(out, name, threading.Lock())


def shown(*pieces: bytes, name: str = "web1") -> bytes:
    out = io.BytesIO()
    stream = prefixed(out, name)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    stream.close()
    return out.getvalue()


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], b""),
        ([b""], b""),
        ([b"a\nb\n"], b"web1: a\nweb1: b\n"),
        ([b"a", b"b\nc"], b"web1: ab\nweb1: c\n"),
        ([b"\n\n"], b"web1: \nweb1: \n"),
        ([b"\xff\x00\r\n"], b"web1: \xff\x00\r\n"),
    ],
)
def test_each_line_has_its_name(pieces: list[bytes], text: bytes) -> None:
    assert shown(*pieces) == text


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40)))
def test_bytes_pass_unchanged_however_they_are_cut(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    lines = [line.removeprefix(b"web1: ") for line in shown(*pieces).split(b"\n")]
    wanted = whole if whole.endswith(b"\n") or not whole else whole + b"\n"
    assert b"\n".join(lines) == wanted


def test_a_line_without_end_is_broken_not_kept() -> None:
    out = io.BytesIO()
    prefixed(out).write(b"x" * 200_000)
    assert len(out.getvalue()) > 200_000


def test_a_hostile_name_moves_nothing() -> None:
    assert shown(b"a\n", name="\x1b[2Jweb") == b"\\x1b[2Jweb: a\n"


def test_what_comes_after_the_guest_was_given_up_is_dropped() -> None:
    out = io.BytesIO()
    stream = prefixed(out)
    stream.write(b"in time")
    stream.close()
    assert stream.write(b"late\n") == 5
    assert out.getvalue() == b"web1: in time\n"


def test_lines_of_several_guests_stay_whole() -> None:
    out, lock = io.BytesIO(), threading.Lock()

    def talk(name: str) -> None:
        stream = Prefixed(out, name, lock)
        for number in range(300):
            stream.write(b"begin ")
            stream.write(f"{number}\n".encode())

    threads = [threading.Thread(target=talk, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = out.getvalue().decode().splitlines()
    for name in "abcd":
        mine = [line for line in lines if line.startswith(f"{name}: ")]
        assert mine == [f"{name}: begin {number}" for number in range(300)]


def test_gathered_output_is_compared_and_copied() -> None:
    first, second, third = Gathered(), Gathered(), Gathered()
    for piece in (b"same ", b"text"):
        first.write(piece)
    second.write(b"same text")
    third.write(b"same text\n")
    assert first.digest() == second.digest() != third.digest()
    out = io.BytesIO()
    for one in (first, third):
        one.close()
        one.copy_to(out)
    assert out.getvalue() == b"same text\nsame text\n"
    for one in (first, second, third):
        one.free()


def test_gathered_output_may_be_large() -> None:
    one, out = Gathered(), io.BytesIO()
    for _ in range(5):
        one.write(b"x" * 2**20)
    one.copy_to(out)
    one.free()
    assert (one.size, len(out.getvalue())) == (5 * 2**20, 5 * 2**20 + 1)


@settings(deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 700))
def test_every_guest_reads_all_of_the_input(data: bytes, step: int) -> None:
    shared = Shared(io.BytesIO(data))
    first, second = (io.BufferedReader(Reader(shared), buffer_size=64) for _ in "ab")
    got: list[bytes] = [b"", b""]
    while True:
        pieces = [first.read(step), second.read(step * 2)]
        got = [whole + piece for whole, piece in zip(got, pieces, strict=True)]
        if not any(pieces):
            break
    shared.free()
    assert got == [data, data]


def read_all(reader: Reader, into: bytearray) -> None:
    while data := reader.read(50_000):
        into.extend(data)


class _FullOnce(io.FileIO):
    """A disk that has no room for a moment: it takes a part, and then nothing once."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "w+")
        self._room = room
        self._told = False

    def write(self, data: "ReadableBuffer", /) -> int:
        if self._told:
            return super().write(data)
        if not self._room:
            self._told = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(memoryview(data)[: self._room])
        self._room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 100, 2**16, 2**16 + 100])
def test_input_that_cannot_be_kept_is_no_shorter_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """One guest heard of it; the next had a hole in its input, or none, and reported success."""
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: _FullOnce(tmp_path / "kept", room))
    data = os.urandom(200_000)
    shared = Shared(io.BytesIO(data))
    kept = room // 2**16 * 2**16
    for _ in range(3):
        reader, got = Reader(shared), bytearray()
        with pytest.raises(OSError, match="No space left on device, where it is kept"):
            read_all(reader, got)
        assert got == data[:kept]
        with pytest.raises(OSError, match="No space left"):  # for whoever asks again
            reader.read(1)
    shared.free()


def test_input_that_cannot_be_read_is_so_for_every_guest() -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            data = super().read1(size)
            if not data:
                self.seek(0)
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return data

    shared = Shared(Broken(b"begin"))
    for _ in range(3):
        reader = Reader(shared)
        assert reader.read(10) == b"begin"
        with pytest.raises(OSError, match="Input/output error"):
            reader.read(10)
    shared.free()


def test_no_guest_waits_for_input_that_is_there_already() -> None:
    """Whoever asked for what comes next held what was there until it came."""
    ours, theirs = os.pipe()
    with open(ours, "rb") as source, open(theirs, "wb", buffering=0) as typed:
        shared = Shared(source)
        got = [bytearray() for _ in range(4)]

        def read(into: bytearray) -> None:
            reader = Reader(shared)
            while data := reader.read(1):
                into.extend(data)

        readers = [threading.Thread(target=read, args=(into,)) for into in got]
        for reader in readers:
            reader.start()
        for count in range(1, 21):
            typed.write(b"x")
            seen = eventually(lambda: all(len(into) == count for into in got), 5)  # noqa: B023
            if not seen:
                break
        typed.close()
        for reader in readers:
            reader.join()
        shared.free()
    assert seen, count
