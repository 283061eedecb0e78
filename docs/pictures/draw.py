"""Draws the README's pictures: real commands on real guests, seen through a terminal (tmux).

`make pictures` runs it. Look at each picture before committing it: `rsvg-convert` makes a PNG.
"""

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from rich.console import Console
from rich.text import Text

from tests import lab

HERE = Path(__file__).parent
WIDTH, HEIGHT = 100, 30
PROMPT = "$ "
TEXT = re.compile(r'(<text [^>]*?x=")([\d.]+)("[^>]*? textLength=")[\d.]+("[^>]*>)(.*?)</text>')
WORDS = re.compile("[^\xa0]+(?:\xa0[^\xa0]+)*")  # with single blanks between them
CELL = 12.2  # units of the picture that rich gives a character
FONT = "'DejaVu Sans Mono', Menlo, Consolas, monospace"


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self._name = f"qga-pictures-{os.getpid()}"
        environment = {
            "PS1": PROMPT, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder), "HISTFILE": "/dev/null",
        }  # fmt: skip
        exports = [f"{name}={value}" for name, value in environment.items()]
        self._tmux(
            "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(folder),
            "env", *exports, "bash", "--norc", "--noprofile",
        )  # fmt: skip
        self.wait(lambda screen: screen.rstrip().endswith("$"))

    def type(self, line: str) -> None:
        """Type a line on a clear screen."""
        self._tmux("send-keys", "clear", "Enter")
        self.wait(lambda screen: screen.strip() == "$")
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def finished(self) -> str:
        """The screen with its colours once the prompt is back, the prompt left out."""
        self.wait(lambda screen: screen.endswith("\n$"))
        lines = self._screen("-e").rstrip().split("\n")
        return "\n".join(lines[:-1])

    def key(self, name: str) -> None:
        """Press a key."""
        self._tmux("send-keys", name)

    def resize(self, height: int) -> None:
        """Have so many lines."""
        self._tmux("resize-window", "-x", str(WIDTH), "-y", str(height))

    def wait(self, seen: Callable[[str], bool], seconds: float = 120) -> str:
        """The screen with its colours as soon as `seen` is content with its text."""
        end = time.monotonic() + seconds
        while not seen(self._screen().rstrip()):
            if time.monotonic() > end:
                raise TimeoutError(self._screen())
            time.sleep(0.02)
        return self._screen("-e")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def _screen(self, *options: str) -> str:
        return self._tmux("capture-pane", "-p", *options)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self._name, "-f", os.devnull, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def draw(name: str, screen: str) -> None:
    """Write one picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in screen.rstrip().split("\n"):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="qga", unique_id=f"qga-{name}")
    # rich names a font on somebody's server; the reader's own will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
    svg = svg.replace("Fira Code, monospace", FONT)
    svg = TEXT.sub(_columns, svg)
    (HERE / f"{name}.svg").write_text("".join(f"{line.rstrip()}\n" for line in svg.splitlines()))
    sys.stdout.write(f"docs/pictures/{name}.svg\n")


def _columns(text: re.Match[str]) -> str:
    """A line's text cut at its wide gaps, each piece put in its place.

    Viewers that know no textLength, or drop blanks at the beginning, then draw columns too.
    """
    begin, x, middle, end, content = text.groups()
    pieces = []
    for piece in WORDS.finditer(unescape(content).replace(" ", "\xa0")):
        at, length = float(x) + piece.start() * CELL, len(piece[0]) * CELL
        pieces.append(f"{begin}{at:g}{middle}{length:g}{end}{escape(piece[0])}</text>")
    return "".join(pieces)


@contextmanager
def guests() -> Iterator[None]:
    """Two guests; the policy of one forbids programs, as on RHEL."""
    with lab.up("web1"), lab.up("db1", "bullseye", block_rpcs=["guest-exec"]):
        yield


BUSY = {
    "web1": "while :; do dd if=/dev/zero of=/data/log bs=1M count=20 conv=fsync; done",
    "web2": "while :; do :; done",
}


def top(terminal: Terminal) -> None:
    """The fleet on a whole screen: one guest writes, one computes, one is frozen."""
    with lab.up("web2", "trixie"):
        for name, script in BUSY.items():
            terminal.type(f"qga exec -d {name} -- timeout 90 sh -c '{script}' >/dev/null")
            terminal.finished()
        terminal.type("qga fs freeze --for 60s db1")
        terminal.finished()
        terminal.resize(8)
        terminal.type("qga top --timeout 10s web1,web2,db1")
        terminal.wait(lambda screen: "M\n" in screen and "1 frozen" in screen)
        time.sleep(6)  # a look between whose two ends there is nothing but work
        draw("top", terminal.wait(lambda screen: "1 frozen" in screen))
        terminal.key("q")
        terminal.resize(HEIGHT)
        terminal.type("qga fs thaw db1")
        terminal.finished()


def main() -> None:
    """Draw them all."""
    with guests(), TemporaryDirectory() as place, Terminal(Path(place)) as terminal:
        Path(place, "site.tar").write_bytes(os.urandom(20 << 20))
        terminal.type("qga cp site.tar web1:/data/")
        draw("cp", terminal.wait(lambda screen: re.search(r"\b1\dM", screen) is not None))
        terminal.finished()
        terminal.type("qga exec web1 -- fallocate -l 520M /data/base.db")
        terminal.finished()
        for name, line in {
            "list": "qga list web1,db1",
            "fs-list": "qga fs list web1",
            "doctor": "qga doctor db1",
            "exec": "qga exec web1 -- sh -c 'uname -sr; exit 7'; echo $?",
        }.items():
            terminal.type(line)
            draw(name, terminal.finished())
        top(terminal)


if __name__ == "__main__":
    main()
