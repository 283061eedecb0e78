"""What is measured: each row one job, done by qga and by what people use today."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import measure

PEERS = Path(__file__).parent / "peers"
QGA = [str(Path(sys.executable).parent / "qga")]
MIB = 2**20
PORTS, CALLS = ("--channel", "always"), ("--channel", "never")
BIG = "bench64"  # a file of 64 MiB in the guest's /var/tmp and in our folder

Command = Callable[["Setting"], list[str]]


class Setting:
    """What the rows work on: the guest's name, a local agent's socket, folders for files."""

    def __init__(self, guest: str, socket: Path, fleet: str, folder: Path) -> None:
        self.guest = guest
        self.socket = f"unix:{socket}"
        self.fleet = fleet  # a socket template with many agents
        self.folder = folder
        self._virtomate: Path | None = None

    def virtomate(self, *words: str) -> list[str]:
        """A command line of virtomate, which is installed here when it is wanted first."""
        if self._virtomate is None:
            self._virtomate = self.folder / "virtomate"
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
            subprocess.run([*pip, "--target", str(self._virtomate), "virtomate"], check=True)
        program = str(self._virtomate / "bin" / "virtomate")
        return ["env", f"PYTHONPATH={self._virtomate}", sys.executable, program, *words]

    def file(self, name: str, size: int) -> str:
        """A local file of `size` random bytes."""
        path = self.folder / name
        if not path.exists():
            with open(path, "wb") as out:
                for _ in range(0, size, MIB):
                    out.write(os.urandom(min(MIB, size)))
        return str(path)

    def big(self) -> str:
        """64 MiB that nothing can compress."""
        return self.file(BIG, 64 * MIB)

    def log(self) -> str:
        """64 MiB of lines that differ in numbers, as logs do."""
        path = self.folder / "log"
        if not path.exists():
            line = "Nov 26 {:02}:{:02}:{:02} web1 sshd[{}]: Accepted publickey for root port {}\n"
            with open(path, "w") as out:
                for second in range(64 * MIB // 72):
                    clock = second // 3600 % 24, second // 60 % 60, second % 60
                    out.write(line.format(*clock, second * 7919 % 30000, second * 104729 % 65536))
        return str(path)


class Peer:
    """What a job is compared with. `goal` is the ratio to reach, None where there is none."""

    def __init__(self, name: str, goal: float | None, command: Command) -> None:
        self.name = name
        self.goal = goal
        self.command = command


class Row:
    """One job of ours, done by its peers too."""

    def __init__(self, name: str, command: Command, *peers: Peer, runs: int = 9) -> None:
        self.name = name
        self.command = command
        self.peers = peers
        self.runs = runs

    def run(self, setting: Setting) -> list[measure.Pair]:
        """Measure it: a pair for each peer."""
        commands = [each(setting) for each in (self.command, *(p.command for p in self.peers))]
        ours, *peers = measure.in_turn(commands, self.runs)
        return [measure.Pair(ours, peer) for peer in peers]


def python(script: str, *words: str) -> list[str]:
    return [sys.executable, str(PEERS / script), *words]


def _shell(script: str, *words: str) -> list[str]:
    return ["sh", str(PEERS / script), *words]


def _ends(setting: Setting, where: str) -> tuple[str, str, list[str]]:
    """Where a bare loop finds the agent, the folder there to copy from and to, our options."""
    if where == "agent calls":
        return setting.guest, "/var/tmp", [*CALLS]
    return setting.socket, str(setting.folder), ["-c", setting.socket]


def _out(where: str, *loops: tuple[str, float, int], runs: int) -> Row:
    """64 MiB from guest to host. A loop has a name, the ratio to reach and its chunk in bytes."""

    def ours(setting: Setting) -> list[str]:
        _, folder, options = _ends(setting, where)
        source, target = f"{setting.guest}:{folder}/{BIG}", str(setting.folder / "ours")
        return [*QGA, "cp", "-q", *options, source, target]

    def loop(chunk: int) -> Command:
        def theirs(setting: Setting) -> list[str]:
            agent, folder, _ = _ends(setting, where)
            target = str(setting.folder / "theirs")
            return python("read.py", agent, f"{folder}/{BIG}", str(chunk), target)

        return theirs

    peers = [Peer(name, goal, loop(chunk)) for name, goal, chunk in loops]
    return Row(f"`cp` 64 MiB out, {where}", ours, *peers, runs=runs)


def _in(where: str, *loops: tuple[str, float, int], runs: int) -> Row:
    """64 MiB from host to guest."""

    def ours(setting: Setting) -> list[str]:
        _, folder, options = _ends(setting, where)
        return [*QGA, "cp", "-q", *options, setting.big(), f"{setting.guest}:{folder}/in"]

    def loop(chunk: int) -> Command:
        def theirs(setting: Setting) -> list[str]:
            agent, folder, _ = _ends(setting, where)
            return python("write.py", agent, f"{folder}/in", str(chunk), setting.big())

        return theirs

    peers = [Peer(name, goal, loop(chunk)) for name, goal, chunk in loops]
    return Row(f"`cp` 64 MiB in, {where}", ours, *peers, runs=runs)


def _log(setting: Setting, compress: str) -> list[str]:
    target = f"{setting.guest}:/var/tmp/log"
    return [*QGA, "cp", "-q", *CALLS, "--compress", compress, setting.log(), target]


def _virsh(setting: Setting) -> list[str]:
    return ["virsh", "qemu-agent-command", setting.guest, '{"execute":"guest-ping"}']


def _batch(setting: Setting) -> list[str]:
    return ["sh", "-c", 'yes guest-ping | head -200 | "$@"', "sh", *QGA, "batch", setting.guest]


def _exec(*argv: str) -> tuple[Row, Row]:
    """A short program: by agent calls, and with its streams on ports."""
    name = f"`exec {' '.join(argv)}`"
    script = "virsh + jq + base64, no pauses"

    def theirs(setting: Setting) -> list[str]:
        return _shell("exec.sh", setting.guest, *argv)

    def row(name: str, goal: float, *options: str) -> Row:
        return Row(
            name, lambda s: [*QGA, "exec", *options, s.guest, *argv], Peer(script, goal, theirs),
            Peer("virtomate guest-run", None, lambda s: s.virtomate("guest-run", s.guest, *argv)),
        )  # fmt: skip

    return row(name, 1.3), row(f"{name}, ports", 0.9, *PORTS)


def _moved(way: str, goal: float) -> tuple[Row, Row]:
    """64 MiB through ports, beside agent calls and beside the bare stream."""

    def paths(setting: Setting) -> tuple[str, str]:
        there = f"{setting.guest}:/var/tmp/"
        if way == "in":
            return setting.big(), f"{there}moved"
        return f"{there}{BIG}", str(setting.folder / "moved")

    def copy(*options: str) -> Command:
        return lambda s: [*QGA, "cp", "-q", *options, *paths(s)]

    def bare(setting: Setting) -> list[str]:
        name = BIG if way == "out" else "bare"
        return python("stream.py", setting.guest, way, f"/var/tmp/{name}", setting.big())

    return (
        Row(f"`cp` 64 MiB {way}", copy(), Peer("by agent calls", goal, copy(*CALLS)), runs=2),
        Row(
            f"`cp` 64 MiB {way}", copy(),
            Peer("bare stream and SHA-512", 1.5, bare), runs=5,
        ),
    )  # fmt: skip


ROWS = (
    Row(
        "one `ping`",
        lambda s: [*QGA, "ping", s.guest],
        Peer("virsh qemu-agent-command", 2.0, _virsh),
        Peer("bare libvirt-python", 1.0, lambda s: python("ping.py", s.guest)),
        Peer("virtomate guest-ping", None, lambda s: s.virtomate("guest-ping", s.guest)),
    ),
    Row(
        "200 times `ping` in a shell", lambda s: _shell("times.sh", "200", *QGA, "ping", s.guest),
        Peer("200 times virsh", 2.0, lambda s: _shell("times.sh", "200", *_virsh(s))), runs=2,
    ),
    *_exec("ip", "addr", "list"),
    *_exec("true"),
    Row(
        "200 commands in a `batch`", _batch,
        Peer("bare libvirt-python loop", 1.15, lambda s: python("pings.py", s.guest, "200")),
    ),
    Row(
        "200 commands in a `batch`", _batch,
        Peer("200 virsh processes", 0.15, lambda s: _shell("times.sh", "200", *_virsh(s))), runs=2,
    ),
    _out("agent calls", ("best bare loop, 1 MiB", 1.1, MIB), ("64 KiB loop", 0.7, 65536), runs=2),
    _in(
        "agent calls", ("best bare loop, 120 KiB", 1.1, 122_880), ("64 KiB loop", 0.7, 65536),
        runs=1,
    ),
    _out("raw socket", ("best bare loop, 1 MiB", 1.1, MIB), runs=3),
    _in("raw socket", ("best bare loop, 1 MiB", 1.1, MIB), runs=3),
    *_moved("in", 0.1),
    *_moved("out", 0.2),
    Row(
        "`cp` of a 64 MiB log in, agent calls, `--compress auto`", lambda s: _log(s, "auto"),
        Peer("`--compress none`", None, lambda s: _log(s, "none")), runs=1,
    ),
    Row(
        "`exec` with 64 MiB of output", lambda s: [*QGA, "exec", s.guest, "cat", f"/var/tmp/{BIG}"],
        Peer("bare loop that reads the file", 1.2,
             lambda s: python("read.py", s.guest, f"/var/tmp/{BIG}", str(MIB), os.devnull)),
        runs=2,
    ),
    Row(
        "`exec` with 64 MiB of output, ports",
        lambda s: [*QGA, "exec", *PORTS, s.guest, "cat", f"/var/tmp/{BIG}"],
        Peer("agent calls", None, lambda s: [*QGA, "exec", s.guest, "cat", f"/var/tmp/{BIG}"]),
        runs=2,
    ),
    Row(
        "`--version`", lambda s: [*QGA, "--version"],
        Peer("python -c pass", 1.6, lambda s: [sys.executable, "-c", "pass"]), runs=25,
    ),
)  # fmt: skip
