"""TAB in real shells: bash, zsh and fish on a terminal, with the generated scripts loaded."""

import os
import pty
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent
SCRIPTS = REPO / "completions"
DUMP = 'printf %s "$QGA_LINE" >$DUMP.new && mv $DUMP.new $DUMP'
START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        f"source {SCRIPTS}/qga.bash\n"
        "bind 'set bell-style none'; bind 'set completion-query-items 0'; bind 'set page-completions off'\n"
        "dump() { printf %s \"$READLINE_LINE\" >$DUMP.new; mv $DUMP.new $DUMP; }\n"
        "bind -x '\"\\C-x\\C-p\": dump'\n",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D; bindkey -e\n"
        "unsetopt beep; LISTMAX=1000\n"
        "dump() { print -rn -- \"$BUFFER\" >$DUMP.new; mv $DUMP.new $DUMP; }\n"
        "zle -N dump; bindkey '^x^p' dump\n",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        f"source {SCRIPTS}/qga.fish\n"
        "bind \\cx\\cp 'printf %s (commandline | string collect) >$DUMP.new; mv $DUMP.new $DUMP'\n",
    ),
}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        argv, setup = START[name]
        self.dump = folder / "line"
        self.shown = b""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, {**env, "DUMP": str(self.dump)})
        threading.Thread(target=self._read, daemon=True).start()
        for line in setup.splitlines():
            self.send(line + "\n")
        assert self.line("") == ""

    def send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def line(self, text: str, then: str = "") -> str:
        """What the command line reads after `text` and the keys in `then`."""
        self.dump.unlink(missing_ok=True)
        self.send("\x15" + text + then + "\x18\x10")
        end = time.monotonic() + 20
        while not self.dump.exists():
            assert time.monotonic() < end, self.shown.decode(errors="replace")
            time.sleep(0.01)
        return self.dump.read_text(errors="surrogateescape")

    def tab(self, text: str) -> str:
        """What TAB makes of `text`; asked again while it makes nothing, as a busy machine may."""
        end = time.monotonic() + 5
        line = self.line(text, "\t")
        while line == text and time.monotonic() < end:
            line = self.line(text, "\t")
        return line

    def close(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self) -> None:
        while True:
            try:
                self.shown += os.read(self._terminal, 65536)
            except OSError:
                return
