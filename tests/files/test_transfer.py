"""How one file's pieces go from a source to a target."""

import threading
from collections.abc import Callable, Generator

import pytest

from qga_cli.errors import FileError
from qga_cli.files.copy_file.transfer import CopyOptions, transfer
from qga_cli.files.guest.facts import FileFacts

WAIT = 10.0  # seconds


class Pieces:
    """A source of `count` pieces, of one byte each."""

    name = "x"

    def __init__(self, count: int, on_read: Callable[[int], None] = lambda number: None) -> None:
        self.facts = FileFacts()
        self.is_abandoned = False
        self._count = count
        self._on_read = on_read

    def pieces(self, start: int, chunk: int) -> Generator[tuple[int, bytes], None, None]:
        for number in range(self._count):
            self._on_read(number)
            yield number, b"x"

    def prefix(self, length: int) -> str:
        raise NotImplementedError

    def digest(self) -> str:
        return ""

    def abandon(self) -> None:
        self.is_abandoned = True


class Target:
    """Notes what happens to it."""

    chunk = 1

    def __init__(self, on_write: Callable[[int], None] = lambda offset: None) -> None:
        self.seen: list[object] = []
        self._on_write = on_write

    def begin(self, facts: FileFacts, prove: object) -> int:
        return 0

    def write(self, offset: int, data: bytes) -> None:
        self._on_write(offset)
        self.seen.append(offset)

    def finish(self, facts: FileFacts, digest: str) -> None:
        self.seen.append("finish")

    def abandon(self, *, keep: bool) -> str:
        self.seen.append("abandon")
        return ""


def copy(source: Pieces, target: Target, *, overlap: bool = True) -> None:
    transfer(source, target, CopyOptions(), lambda: None, lambda count: None, overlap=overlap)


@pytest.mark.parametrize("overlap", [True, False])
def test_pieces_are_written_in_order(overlap: bool) -> None:
    source, target = Pieces(100), Target()
    copy(source, target, overlap=overlap)
    assert target.seen == [*range(100), "finish"]
    assert not source.is_abandoned


def test_a_piece_is_written_while_the_next_is_read() -> None:
    second = threading.Event()

    def on_read(number: int) -> None:
        if number == 1:
            second.set()

    waited = []
    target = Target(lambda offset: waited.append(second.wait(WAIT)))
    copy(Pieces(2, on_read), target)
    assert waited == [True, True]


def test_one_agent_is_not_asked_from_two_threads() -> None:
    threads = set()

    def note(number: int) -> None:
        threads.add(threading.get_ident())

    copy(Pieces(3, note), Target(note), overlap=False)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("number", [0, 1, 8, 9])
@pytest.mark.parametrize("side", ["read", "write"])
def test_after_a_failure_nothing_is_written(number: int, side: str) -> None:
    """The write that fails may be the last one, found when all has been read."""

    def fail(at: int) -> None:
        if at == number:
            raise FileError("no room")

    source, target = (Pieces(10, fail), Target()) if side == "read" else (Pieces(10), Target(fail))
    with pytest.raises(FileError, match="no room"):
        copy(source, target)
    assert target.seen == [*range(number), "abandon"]
    assert source.is_abandoned
