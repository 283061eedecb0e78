"""A real Windows agent without Windows: qemu-ga.exe under wine, behind a socket.

It runs as this user and sees this machine as drive Z: nothing is to be run there that changes the
clock, the power, users, or files outside its drive C. wine has no PowerShell, no code pages of
consoles and no VSS; its cmd opens the file behind `>` for itself alone; `taskkill` is ours.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import cache, host, packages
from tests.lab.process import LabError, say

HERE = Path(__file__).parent
PACKAGES = """
    bison dpkg-dev flex g++-mingw-w64-x86-64-win32 gcc-mingw-w64-x86-64-win32 gettext
    libz-mingw-w64-dev m4 mingw-w64-tools ninja-build pkg-config python3-venv wine wine64
""".split()
PROGRAMS = ("qemu-ga", "taskkill", "curl", "tar", "args", "gen")
SERVER = "/usr/lib/wine/wineserver64"


def is_built() -> bool:
    """Whether all there is to build has been built."""
    return all((_folder() / f"{name}.exe").exists() for name in PROGRAMS)


def build() -> None:
    """Build it, in five minutes; at once where it is there already."""
    host.install(PACKAGES)
    with cache.lock("windows", "another process builds the Windows agent"):
        if not is_built():
            say("building a Windows agent, which takes five minutes")
            log = _folder() / "build.log"
            with open(log, "w") as out:
                words = [str(HERE / "build.sh"), str(_folder()), packages.mirror()]
                code = subprocess.run(["bash", *words], stdout=out, stderr=out).returncode
            if code:
                raise LabError(f"building the Windows agent failed: see {log}")
        _prefix()


class WindowsAgent:
    """A running agent. `drive` is its drive C as this machine sees it."""

    def __init__(self) -> None:
        self.folder = _folder()
        self.socket = self.folder / "qga.sock"
        self.drive = _prefix() / "drive_c"
        self._bridge: subprocess.Popen[bytes] | None = None
        self._agent: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """For --connect."""
        return f"unix:{self.socket}"

    def start(self) -> None:
        """Start the port and the agent; returns when it answers."""
        port = self.folder / "com"
        self.socket.unlink(missing_ok=True)
        self._bridge = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, HERE / "bridge.py",
             self.socket, port]
        )  # fmt: skip
        _await(self.socket.exists, "the port")
        # wine's mountmgr owns dosdevices/com*: the registry tells it the port as wineserver starts.
        _wine(
            "reg", "add", r"HKLM\Software\Wine\Ports", "/v", "COM9", "/d", os.readlink(port), "/f"
        )
        self.stop_agent()  # the wineserver of that
        self.start_agent()

    def start_agent(self, *, ask: bool = True) -> None:
        """Start the agent alone; do not `ask` it whether it answers while qga holds the socket."""
        home = self.drive / "Program Files" / "Qemu-ga"
        with open(self.folder / "agent.log", "w") as log:
            self._agent = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "wine", r"C:\Program Files\Qemu-ga\qemu-ga.exe",
                 "-m", "isa-serial", "-p", "COM9", "-l", r"C:\qemu-ga.log"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, env=_environment(),
                start_new_session=True,
            )  # fmt: skip
        if ask:
            _await(self._answers, "the agent")

    def stop_agent(self) -> None:
        """End the agent and every other program of this wine."""
        subprocess.run([SERVER, "-k"], env=_environment())
        subprocess.run([SERVER, "-w"], env=_environment(), timeout=30)
        if self._agent:
            self._agent.wait(30)
            self._agent = None

    def stop(self) -> None:
        """End everything."""
        self.stop_agent()
        if self._bridge:
            self._bridge.send_signal(signal.SIGKILL)
            self._bridge.wait()
        self.socket.unlink(missing_ok=True)

    def processes(self) -> list[str]:
        """The command lines of what runs there, the agent and wine's own services excepted."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"WINEPREFIX={self.drive.parent}\0".encode() not in (
                    (entry / "environ").read_bytes() + b"\0"
                ):
                    continue
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue
            if line and not any(word in line for word in _SERVICES):
                found.append(line)
        return found

    def open_files(self) -> list[str]:
        """Private files of qga's, and those of C:\\data, that anything there has open."""
        found = []
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                name = os.readlink(link)
            except OSError:
                continue
            if name.startswith((f"{self.drive}/windows/temp/qga-", f"{self.drive}/data/")):
                found.append(name)
        return found

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1)
            link.connect(str(self.socket))
            link.sendall(b'{"execute": "guest-ping"}\n')
            try:
                return b"return" in link.recv(100)
            except TimeoutError:
                return False


_SERVICES = ("qemu-ga.exe", "wineserver", "system32\\", "services.exe", "explorer.exe /desktop")


@contextmanager
def running() -> Iterator[WindowsAgent]:
    """The agent, for one process at a time."""
    with cache.lock("windows-run", "another process runs the Windows agent"):
        agent = WindowsAgent()
        try:
            agent.start()
            yield agent
        finally:
            agent.stop()


def _folder() -> Path:
    return cache.folder("windows")


def _prefix() -> Path:
    """wine's folder, made on first use, with all programs in it."""
    prefix = _folder() / "prefix"
    if not (prefix / "made").exists():
        if prefix.exists():
            shutil.rmtree(prefix)
        _wine("wineboot", "-i")
        _wine("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        _wine("reg", "add", r"HKCU\Software\Wine\DllOverrides", "/v", "taskkill.exe", "/d",
              "native", "/f")  # fmt: skip
        subprocess.run([SERVER, "-w"], env=_environment(), timeout=60, check=True)
        (prefix / "made").touch()
    drive, programs = prefix / "drive_c", _folder() / "sys" / "bin"
    home = drive / "Program Files" / "Qemu-ga"
    home.mkdir(parents=True, exist_ok=True)
    helpers = [programs / f"gspawn-win64-helper{kind}.exe" for kind in ("", "-console")]
    for source in (_folder() / "qemu-ga.exe", *helpers):
        shutil.copy2(source, home)
    for name in ("taskkill", "curl", "tar"):
        shutil.copy2(_folder() / f"{name}.exe", drive / "windows" / "system32")
    for name in ("args", "gen"):
        shutil.copy2(_folder() / f"{name}.exe", drive)
    return prefix


def _wine(*words: str) -> None:
    subprocess.run(["wine", *words], env=_environment(), check=True, timeout=300,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip


def _environment() -> dict[str, str]:
    """Nothing of this user's, which programs there would see and tests record."""
    home = _folder() / "home"
    home.mkdir(exist_ok=True)
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEPREFIX": str(_folder() / "prefix"),
    }


def _await(holds: "object", what: str) -> None:
    assert callable(holds)
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"{what} of the Windows lab does not come up")
        time.sleep(0.05)
