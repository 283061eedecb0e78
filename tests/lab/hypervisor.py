"""libvirt on this machine: which one plain `virsh` means, and getting it to answer.

A daemon that is started here is noted in the cache, by its process id and start time, so that
`stop_daemons` ends those and no others.
"""

import grp
import os
import signal
import socket
import time
from pathlib import Path

from tests.lab import cache
from tests.lab.process import LabError, is_over, run, say

LOCAL = ("qemu:///system", "qemu:///session")


def connection() -> str:
    """The URI that plain virsh resolves to, with its daemon answering."""
    if Path("/run/systemd/system").exists():
        uri = run("virsh", "uri").strip()
    else:
        _open_kvm()
        uri = _resolved() or _start_daemons()
    if uri not in LOCAL:
        raise LabError(f"virsh connects to {uri}; the lab boots guests under {' or '.join(LOCAL)}")
    return uri


def virsh(uri: str, *command: str) -> str:
    """Run one virsh command."""
    return run("virsh", "-q", "-c", uri, *command)


def stop_daemons() -> None:
    """End the daemons that the lab has started, unless a guest of somebody else runs under them."""
    with cache.lock("daemons"):
        running = {note: pid for note in _notes() if (pid := _noted(note)) is not None}
        if running and (uri := _resolved()):
            others = virsh(uri, "list", "--name").split()
            if others:
                say(f"libvirt's daemons stay: {', '.join(others)} run under them")
                return
        for note, pid in sorted(running.items()):  # libvirtd before virtlogd
            _end(note.name, pid)
        for note in _notes():
            note.unlink()


def _start_daemons() -> str:
    """Start libvirt's daemon as systemd would have: root's, or the one of an ordinary user."""
    with cache.lock("daemons"):
        if uri := _resolved():
            return uri  # another process was faster
        say("starting libvirtd")
        command = ["libvirtd"]
        if os.geteuid() != 0:
            command.append("--timeout=120")  # as virsh itself would start it
        elif not _answers("/run/libvirt/virtlogd-sock"):
            log = cache.folder("daemons") / "virtlogd"
            run("virtlogd", "-d", "-p", f"{log}.pid")
            _note(log, int(Path(f"{log}.pid").read_text()))
        # libvirt waits for killed QEMUs to vanish, and process 1 of a container may be no one who
        # reaps: tini does that for all descendants of the daemon, and hands on SIGTERM.
        run("tini", "--version")  # an error here is seen, one after the fork would not be
        note = cache.folder("daemons") / "libvirtd"
        script = 'echo $$ >"$0"; exec tini -s -- "$@" </dev/null >/dev/null 2>&1'
        run("setsid", "--fork", "sh", "-c", script, str(note), *command)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if uri := _resolved():
                _note(note, int(note.read_text()))
                return uri
            time.sleep(0.05)
    raise LabError("libvirtd does not answer; run it in the foreground to see why")


def _notes() -> list[Path]:
    """The notes of the daemons that the lab has started; `.pid` is virtlogd's own lock."""
    return sorted(note for note in cache.folder("daemons").iterdir() if note.suffix != ".pid")


def _note(note: Path, pid: int) -> None:
    note.write_text(f"{pid} {_birth(pid)}\n")


def _noted(note: Path) -> int | None:
    """The process of a note, if it is still that process: ids are used again."""
    pid, _, birth = note.read_text().strip().partition(" ")
    return int(pid) if birth and _birth(int(pid)) == birth else None


def _birth(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), stat field 22); "" if none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _end(name: str, pid: int) -> None:
    """Ask a daemon to end, and wait until it has."""
    birth, deadline = _birth(pid), time.monotonic() + 20
    os.kill(pid, signal.SIGTERM)
    while _birth(pid) == birth and not is_over(pid):
        if time.monotonic() > deadline:
            raise LabError(f"{name} (process {pid}) does not end")
        time.sleep(0.05)
    say(f"stopped {name}")


def _resolved() -> str | None:
    """The URI that virsh resolves to, if a daemon answers.

    virsh is kept from starting one itself: nobody would reap what that one leaves behind.
    """
    try:
        return run("env", "LIBVIRT_AUTOSTART=0", "virsh", "uri").strip()
    except LabError as error:
        if "failed to connect" not in str(error):
            raise
        return None


def _open_kvm() -> None:
    """Give /dev/kvm the owner and mode that udev gives it, where there is no udev.

    libvirt probes QEMU with the right to open any device, then finds that its user libvirt-qemu
    may not open this one, drops what it learnt and probes again: 4 s for each call.
    """
    kvm = Path("/dev/kvm")
    if os.geteuid() != 0 or not kvm.exists() or Path("/run/udev/control").exists():
        return
    status, group = kvm.stat(), grp.getgrnam("kvm").gr_gid
    if status.st_mode & 0o060 != 0o060 or status.st_gid != group:
        say("giving /dev/kvm to the group kvm, as udev does")
        os.chown(kvm, -1, group)
        kvm.chmod(0o660)


def _answers(path: str) -> bool:
    """Whether a daemon takes connections there; one of its name may be another root's."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0
