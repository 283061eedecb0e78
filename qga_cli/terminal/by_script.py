"""A terminal's carrier by script(1), for guests without Python.

Two of them, in a pipe. The first gives the program its terminal and reads its keys from a FIFO;
the second makes the output the input of another terminal, which the agent polls as
inside/begin.py explains. Before util-linux 2.40 script reads no output while a program does
not take its input, so keys are sent a little at a time; since then it passes no keys on while
there is output, so Ctrl-C ends a flood some megabytes late.
"""

import os
import secrets
import shlex
import signal
import time

from qga_cli.agent import Agent, program
from qga_cli.agent.program import capture, wait_for_end
from qga_cli.agent.scope import Scope
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import BadReply, QgaError, Refused, Unsupported
from qga_cli.inside import script
from qga_cli.terminal.carrier import DEVICE, PARTING, READ, Carrier, TerminalRequest

_PLACES = ("/run", "/dev/shm", "/tmp")  # as in inside/terminal/prepare.sh
_NAME = 64  # bytes of a terminal's name
_CHUNK = 1024  # bytes of keys a call; a FIFO takes up to 4096 whole or not at all
_FEW = 64  # keys that a person types: never held back
_CALM = 0.1  # seconds to wait, after a chunk, for the program's output to end
_RETRY = 0.25  # seconds, after the FIFO was full
_FULL = 65536  # bytes
_LEASE = 8.0  # seconds between two signs of life; the guest gives up after 25 to 50 without
_START = 20.0  # seconds


class ScriptCarrier(Carrier):
    """Plain bytes both ways; the end is told by a word that only the guest and we know.

    Raises Unsupported if the guest has no script(1).
    """

    def __init__(self, agent: Agent, request: TerminalRequest) -> None:
        super().__init__(agent)
        self._word = secrets.token_hex(16)
        self._mark = b"\0" + self._word.encode()
        self._held = b""  # output that may be the mark's beginning
        self._keys = b""
        self._calm = True
        self._hung_up = False
        self._size: tuple[int, int] | None = None  # to be set
        self._wrote = self._renewed = self._pause = 0.0
        self._folder = self._prepare()
        run = _session(request, self._folder)
        variables = {
            "dir": self._folder,
            "mark": self._word,
            "run": run,
            "carry": script("terminal/carry"),
        }
        text = _with(variables, script("terminal/main"))
        self._pid = int(agent.call(EXEC, program.request(["sh"], stdin=text)).value["pid"])
        try:
            self._scope = Scope(agent)
            self._scope.hold([self._pid])
            self._output = self._open(self._device(), "r")
            self._fifo = self._open(f"{self._folder}/keys", "r+")
            self._lease = self._open(f"{self._folder}/lease", "r+")
        except QgaError:
            self._release()
            raise

    def type(self, keys: bytes) -> None:
        self._keys += keys

    def resize(self, size: tuple[int, int]) -> None:
        self._size = size

    def hang_up(self) -> None:
        self._keys = b""
        self._hung_up = True
        capture(self.agent, ["sh", "-c", script("terminal/hang_up"), "qga", self._folder])

    def full(self) -> bool:
        return len(self._keys) > _FULL

    def beat(self) -> None:
        now = time.monotonic()
        if now > self._renewed + _LEASE:
            self._renewed = now
            self._lease.write(b".")
            self._lease.flush()

    def push(self) -> bool:
        self.beat()
        now = time.monotonic()
        if self._size:
            words = [self._folder, *map(str, self._size)]
            capture(self.agent, ["sh", "-c", script("terminal/resize"), "qga", *words])
            self._size = None
        many = len(self._keys) > _FEW and not self._calm
        if not self._keys or now < self._wrote + (_CALM if many else self._pause):
            return False
        self._wrote = now
        chunk = self._keys[:_CHUNK]
        pressed = self._press(chunk)
        self._pause = 0.0 if pressed else _RETRY
        if pressed:
            self._keys = self._keys[len(chunk) :]
            self._calm = False
        return pressed

    def pull(self) -> bytes:
        came = self._output.read(READ)
        self._calm = self._calm or not came
        held = self._held + came
        at = held.find(self._mark)
        end = at + len(self._mark) + 3
        if at >= 0 and end <= len(held):
            code = held[end - 3 : end]
            if not code.isdigit():
                raise BadReply("the guest's end of the terminal talks nonsense")
            self.code = 128 + signal.SIGHUP if self._hung_up else int(code)
        if at < 0:
            at = held.rfind(b"\0")
            if at < 0 or not self._mark.startswith(held[at:]):
                at = len(held)
        self._held = held[at:]
        return held[:at]

    def _press(self, keys: bytes) -> bool:
        """Write into the FIFO; False when it is full, and then nothing was written."""
        self._fifo.write(keys)
        try:
            self._fifo.flush()
        except Refused as error:
            if "temporarily unavailable" not in error.desc:
                raise
            # stdio drops what it could not write, but fails the next write, which it does take.
            try:
                self._fifo.write_nothing()
            except Refused as again:
                self.agent.trace(1, again.desc)
            return False
        return True

    def _prepare(self) -> str:
        """Make the private folder in the guest."""
        folder = ""
        name = f"qga-{secrets.token_hex(16)}"  # not the end word: every user may list it
        try:
            prepare = _with({"folder": name}, script("terminal/prepare"))
            done = capture(self.agent, ["sh"], stdin=prepare)
            folder = done.stdout.decode("ascii", "replace").rstrip("\n")
        except Refused as error:
            if "No such file" not in error.desc:
                raise
        if folder not in [f"{place}/{name}" for place in _PLACES]:
            raise Unsupported(
                "a terminal needs python3 or script(1) in the guest",
                hint="in the guest, install python3, or util-linux (bsdutils on Debian); "
                "until then `qga exec -i VM -- sh` reads lines",
            )
        return folder

    def _device(self) -> str:
        """Wait for the name of the terminal to poll."""
        names = self._open(f"{self._folder}/device", "r")
        until = time.monotonic() + _START
        name = b""
        while not name.endswith(b"\n") and len(name) < _NAME:
            if time.monotonic() > until:
                raise Refused(f"script(1) in the guest gave no terminal within {_START:g} s")
            time.sleep(0.005)
            name += names.read(READ)
        device = name.decode("ascii", "replace").rstrip("\n")
        if not DEVICE.fullmatch(device):
            raise BadReply("the guest's end of the terminal talks nonsense")
        self.agent.trace(1, f"a terminal by the guest's script, in {self._folder}")
        return device

    def _bid_farewell(self) -> None:
        if self.code is None:  # else the program reads our farewell
            self.hang_up()
        self._fifo.write(f"\n{self._word}\n".encode())
        self._fifo.flush()
        wait_for_end(lambda: self._call(EXEC_STATUS, {"pid": self._pid}), PARTING)
        self._scope.close()


def _session(request: TerminalRequest, folder: str) -> str:
    """The command line for script: set the terminal up, and become the program."""
    rows, columns = request.size
    steps = [f"tty >{folder}/tty", f"stty sane rows {rows} cols {columns}", "unset run SHELL"]
    steps += [f"chown {_quoted(request.owner.encode())} $(tty) 2>/dev/null", "umask 022", "cd /"]
    if request.clean:
        steps.append("unset $(env | sed -n 's/^\\([A-Za-z_][A-Za-z_0-9]*\\)=.*/\\1/p')")
    steps += [f"export {os.fsdecode(k)}={_quoted(v)}" for k, v in request.environment.items()]
    steps.append("exec " + " ".join(map(_quoted, request.program)))
    return "\n".join(steps)


def _quoted(word: bytes) -> str:
    return shlex.quote(os.fsdecode(word))


def _with(variables: dict[str, str], script: str) -> bytes:
    """`script` with shell variables set in front of it."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    return os.fsencode("".join(lines) + script)
