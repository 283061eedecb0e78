"""bash, zsh and fish on a terminal of their own, with the generated completion loaded."""

import os
import pty
import signal
import sys
import threading
import time
from pathlib import Path

from tests import REPO
from tests.kit.running import GUARD

SCRIPTS = REPO / "completions"
NAMES = ("bash", "zsh", "fish")
_START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "PS1=; bind 'set bell-style none'; bind 'set completion-query-items 0'\n"
        "bind 'set page-completions off'; bind 'set enable-bracketed-paste off'\n"
        'dump() { printf %s "$READLINE_LINE" >"$DUMP.new"; mv "$DUMP.new" "$DUMP"; }\n'
        "bind -x '\"\\C-x\\C-p\": dump'\n"
        f". {SCRIPTS}/qga.bash\n",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1=; unsetopt beep prompt_sp; LISTMAX=1000; bindkey -e\n"
        'dump() { print -rn -- "$BUFFER" >"$DUMP.new"; mv "$DUMP.new" "$DUMP"; }\n'
        "zle -N dump; bindkey '^x^p' dump\n"
        f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D\n",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "bind \\cx\\cp 'commandline | string collect >$DUMP.new; mv $DUMP.new $DUMP'\n"
        f". {SCRIPTS}/qga.fish\n",
    ),
}
_PROGRAM = """#!/bin/sh
for word; do printf '%s\\0' "$word"; done >>"$QGA_LOG"
printf '\\1' >>"$QGA_LOG"
[ "$1" = __complete ] || exit 0
exec {python} -P -m qga_cli "$@"
"""


class Shell:
    """An interactive shell in `folder`, whose `qga` notes its words and only completes."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        argv, setup = _START[name]
        self.screen = b""
        self._dump = folder / "line"
        self._log = folder / "log"
        program = folder / "bin" / "qga"
        program.parent.mkdir()
        program.write_text(_PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        env = {
            "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "xterm",
            "LANG": "C.UTF-8", "PYTHONPATH": str(SCRIPTS.parent), "QGA_LOG": str(self._log),
            "DUMP": str(self._dump), **env,
        }  # fmt: skip
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, env)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._send(setup)
        self.line("")

    def line(self, text: str, keys: str = "") -> str:
        """What the command line reads after `text` and then `keys`."""
        self._dump.unlink(missing_ok=True)
        self._send(f"\x15{text}{keys}\x18\x10")
        self._wait(self._dump)
        return self._dump.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n")

    def tab(self, text: str) -> str:
        """What TAB makes of `text`; asked again while a busy machine is silent."""
        end = time.monotonic() + 5
        line = self.line(text, "\t")
        while line == text and time.monotonic() < end:
            line = self.line(text, "\t")
        return line

    def calls(self) -> list[list[str]]:
        """The words of every `qga` that ran since last asked."""
        text = self._log.read_bytes() if self._log.exists() else b""
        self._log.unlink(missing_ok=True)
        runs = text.decode("utf-8", "surrogateescape").split("\1")
        return [run.split("\0")[:-1] for run in runs if run]

    def run(self, text: str) -> list[str]:
        """The words that `qga` gets when TAB is typed behind `text`, and then Enter."""
        self.tab(text)
        self.calls()
        self._send("\r")
        self._wait(self._log)
        self.line("")
        return self.calls()[-1]

    def add_program(self, name: str) -> None:
        """Put a program on PATH and let the shell know, which zsh needs."""
        program = self._log.parent / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        self._send("\x15hash -r\r")
        self.line("")

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._reader.join()
        os.close(self._terminal)

    def _send(self, text: str) -> None:
        os.write(self._terminal, text.encode("utf-8", "surrogateescape"))

    def _wait(self, path: Path) -> None:
        end = time.monotonic() + GUARD
        while not path.exists():
            assert time.monotonic() < end, self.screen.decode(errors="replace")[-2000:]
            time.sleep(0.005)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # EIO: the shell has gone
                return
            self.screen += data
            # fish 4 asks the terminal what it is, and reads no key before the answer.
            for _ in range(data.count(b"\x1b[c") + data.count(b"\x1b[0c")):
                os.write(self._terminal, b"\x1b[?62;22c")
