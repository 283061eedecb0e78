"""The command line as users run it, and what it did."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable

from tests.kit.running import GUARD, readable

_CLEAN = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith("QGA_") and key not in ("NO_COLOR", "FORCE_COLOR", "LIBVIRT_DEFAULT_URI")
}

if "QGA_TEST_CHANNEL" in os.environ:  # every test with ports of ours, or without
    _CLEAN["QGA_CHANNEL"] = os.environ["QGA_TEST_CHANNEL"]

SUITE = os.environ.get("QGA_TEST_SUITE", "bookworm")  # of the guests: which agent they run
Configured = Callable[..., "Ran"]


class Ran:
    """What one command line did."""

    def __init__(self, code: int, stdout: bytes, stderr: bytes) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()


def qga(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None, timeout: float = GUARD
) -> Ran:
    """Run the command line with its output in pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "qga_cli", *words],
        input=stdin,
        capture_output=True,
        env=environment(env),
        timeout=timeout,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def qga_tty(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None, timeout: float = GUARD
) -> Ran:
    """Run it with stdout on a terminal of 100 columns, a little stdin and stderr in pipes."""
    master, slave = pty.openpty()
    source, sink = os.pipe()
    os.write(sink, stdin)
    os.close(sink)
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", *words],
        stdin=source,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=environment(env),
    )
    os.close(slave)
    os.close(source)
    out = b""
    while readable(master, timeout):
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the last writer has closed the terminal
            break
        if not data:
            break
        out += data
    os.close(master)
    _, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out.replace(b"\r\n", b"\n"), err)


def environment(extra: dict[str, str] | None) -> dict[str, str]:
    # No configuration of whoever runs the tests.
    clean = {
        **_CLEAN,
        "XDG_CONFIG_HOME": "/nonexistent",
        "COLUMNS": "100",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }
    return clean | (extra or {})


class Far:
    """A folder on an agent's side, and the way there."""

    def __init__(self, connect: str | None, name: str, folder: str) -> None:
        self.flags = ["-c", connect] if connect else []
        self.name = name
        self.folder = folder

    def __call__(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
        """Run qga; FAR in its words is the folder there."""
        place = f"{self.name}:{self.folder}"
        words = tuple(word.replace("FAR", place) for word in words)
        return qga(*self.flags, *words, stdin=stdin, env=env)

    def good(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        """The same; it must succeed, without a word on stderr. Returns its output."""
        done = self(*words, stdin=stdin, env=env)
        assert (done.code, done.err) == (0, ""), done.err
        return done.out

    def sh(self, script: str) -> str:
        """What a script in that folder prints. A socket has one client: we go past it here."""
        if self.flags:
            return subprocess.check_output(["sh", "-c", script], cwd=self.folder, text=True)
        return self.good("exec", self.name, "sh", "-c", f'cd "$0" && {script}', self.folder)
