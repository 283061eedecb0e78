"""Output of console programs as UTF-8: they write the code page of their console."""

from __future__ import annotations

import codecs

from qga_cli.agent.program import captured, wait_for_end
from qga_cli.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.exec.calls import AgentCalls

_PATIENCE = 5.0  # seconds for chcp


class Page:
    """The guest's code page, asked for when first needed."""

    def __init__(self, calls: AgentCalls) -> None:
        self._calls = calls
        self._name: str | None = None

    def name(self) -> str:
        """Python's name of it; empty if there is none."""
        if self._name is None:
            self._name = self._ask()
        return self._name

    def _ask(self) -> str:
        try:
            pid = self._calls.start(["cmd.exe", "/d", "/c", "chcp"], capture=True)
        except Refused:
            return ""
        status = wait_for_end(lambda: self._calls.status(pid), _PATIENCE)
        if status is None:
            return ""
        said, _ = captured(status)  # `Active code page: 850`, translated
        page = "cp" + bytes(byte for byte in said if 48 <= byte <= 57).decode()
        try:
            return codecs.lookup(page).name
        except LookupError:
            return ""


class Readable:
    """Passes UTF-8 on as it is, and from the first byte on that is none, decodes the code page."""

    def __init__(self, sink: Callable[[bytes], object], page: Page) -> None:
        self._sink = sink
        self._page = page
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._other: codecs.IncrementalDecoder | None = None

    def take(self, data: bytes) -> None:
        """A piece of the stream."""
        self._decode(data, final=False)

    def close(self) -> None:
        """It has ended, perhaps inside a character."""
        self._decode(b"", final=True)

    def _decode(self, data: bytes, *, final: bool) -> None:
        if self._other is None:
            held, _ = self._utf8.getstate()
            try:
                text = self._utf8.decode(data, final)
            except UnicodeDecodeError:
                self._other = self._decoder()
                text = self._other.decode(held + data, final)
        else:
            text = self._other.decode(data, final)
        if text:
            self._sink(text.encode("utf-8", "surrogateescape"))

    def _decoder(self) -> codecs.IncrementalDecoder:
        if name := self._page.name():
            return codecs.getincrementaldecoder(name)("replace")
        return codecs.getincrementaldecoder("utf-8")("surrogateescape")
