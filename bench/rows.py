"""What is measured: each row one job, done by qga and by what people use today."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench import measure

PEERS = Path(__file__).parent / "peers"
QGA = [str(Path(sys.executable).parent / "qga")]
MIB = 2**20


class Setting:
    """What the rows work on: the guest's name, a local agent's socket, folders for files."""

    def __init__(self, guest: str, socket: Path, fleet: str, folder: Path) -> None:
        self.guest = guest
        self.socket = f"unix:{socket}"
        self.fleet = fleet  # a socket template with 32 agents behind it
        self.folder = folder

    def file(self, name: str, size: int) -> str:
        """A local file of `size` random bytes."""
        path = self.folder / name
        if not path.exists():
            with open(path, "wb") as out:
                for _ in range(0, size, MIB):
                    out.write(os.urandom(min(MIB, size)))
        return str(path)


class Row:
    """One comparison. `goal` is the ratio to reach, None where there is none."""

    def __init__(
        self,
        name: str,
        peer: str,
        goal: float | None,
        commands: Callable[[Setting], tuple[list[str], list[str]]],
        runs: int = 9,
    ) -> None:
        self.name = name
        self.peer = peer
        self.goal = goal
        self.commands = commands
        self.runs = runs

    def run(self, setting: Setting) -> measure.Pair:
        """Measure it."""
        return measure.pair(*self.commands(setting), self.runs)


def _python(script: str, *words: str) -> list[str]:
    return [sys.executable, str(PEERS / script), *words]


def _shell(script: str, *words: str) -> list[str]:
    return ["sh", str(PEERS / script), *words]


def _copy_out(setting: Setting, chunk: int, where: str) -> tuple[list[str], list[str]]:
    """64 MiB from guest to host; the file lies in the guest since set-up."""
    ours = str(setting.folder / "ours")
    peers = str(setting.folder / "peers")
    if where == "libvirt":
        source, flags, place = "/var/tmp/bench64", [], setting.guest
    else:
        source, flags = setting.file("bench64", 64 * MIB), ["-c", setting.socket]
        place = setting.socket
    name = setting.guest
    return (
        [*QGA, "cp", "-q", *flags, f"{name}:{source}", ours],
        _python("read.py", place, source, str(chunk), peers),
    )


def _copy_in(setting: Setting, chunk: int, where: str) -> tuple[list[str], list[str]]:
    """64 MiB from host to guest."""
    local = setting.file("bench64", 64 * MIB)
    if where == "libvirt":
        target, flags, place = "/var/tmp/bench64", [], setting.guest
    else:
        target, flags, place = str(setting.folder / "in"), ["-c", setting.socket], setting.socket
    return (
        [*QGA, "cp", "-q", *flags, local, f"{setting.guest}:{target}"],
        _python("write.py", place, target, str(chunk), local),
    )


ROWS = [
    Row(
        "one `ping`", "virsh qemu-agent-command", None,
        lambda s: ([*QGA, "ping", s.guest],
                   ["virsh", "qemu-agent-command", s.guest, '{"execute":"guest-ping"}']),
    ),
    Row(
        "one `ping`", "bare libvirt-python", 1.5,
        lambda s: ([*QGA, "ping", s.guest], _python("ping.py", s.guest)),
    ),
    Row(
        "`exec ip addr list`", "virsh + jq + base64", 0.8,
        lambda s: ([*QGA, "exec", s.guest, "ip", "addr", "list"],
                   _shell("exec.sh", s.guest, "ip", "addr", "list")),
    ),
    Row(
        "`exec true`", "virsh + jq + base64", 0.8,
        lambda s: ([*QGA, "exec", s.guest, "true"], _shell("exec.sh", s.guest, "true")),
    ),
    Row(
        "200 commands in a `batch`", "bare libvirt-python loop", 1.15,
        lambda s: (["sh", "-c", 'yes guest-ping | head -200 | "$@"', "sh", *QGA, "batch", s.guest],
                   _python("pings.py", s.guest, "200")),
    ),
    Row(
        "200 commands in a `batch`", "200 virsh processes", 0.15,
        lambda s: (["sh", "-c", 'yes guest-ping | head -200 | "$@"', "sh", *QGA, "batch", s.guest],
                   _shell("pings.sh", s.guest, "200")), runs=3,
    ),
    Row("`cp` 64 MiB out, libvirt", "best bare loop (1 MiB)", 1.1,
        lambda s: _copy_out(s, MIB, "libvirt"), runs=3),
    Row("`cp` 64 MiB out, libvirt", "64 KiB loop", 0.7,
        lambda s: _copy_out(s, 65536, "libvirt"), runs=3),
    Row("`cp` 64 MiB in, libvirt", "best bare loop (120 KiB)", 1.1,
        lambda s: _copy_in(s, 120 * 1024, "libvirt"), runs=3),
    Row("`cp` 64 MiB in, libvirt", "64 KiB loop", 0.7,
        lambda s: _copy_in(s, 65536, "libvirt"), runs=3),
    Row("`cp` 64 MiB out, raw socket", "best bare loop (1 MiB)", 1.1,
        lambda s: _copy_out(s, MIB, "socket"), runs=5),
    Row("`cp` 64 MiB in, raw socket", "best bare loop (1 MiB)", 1.1,
        lambda s: _copy_in(s, MIB, "socket"), runs=5),
    Row("`--version`", "python -c pass", 1.6,
        lambda s: ([*QGA, "--version"], [sys.executable, "-c", "pass"]), runs=25),
]  # fmt: skip
