"""Guests that are thrown away: up, down, and what is there."""

import json
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from tests.lab import cache
from tests.lab.domain import Wish, describe, read_mark
from tests.lab.hypervisor import connection, stop_daemons, virsh
from tests.lab.kernel import kernel
from tests.lab.process import LabError, run, say
from tests.lab.tools import disk

DATA_SIZE = 768 * 1024 * 1024


class _Silent(LabError):
    """A guest whose agent does not answer."""


@dataclass(frozen=True)
class Guest:
    """A running guest; as a context manager it is destroyed at the end."""

    name: str
    uri: str
    suite: str
    agent_version: str
    folder: Path

    @property
    def console(self) -> Path:
        """What the guest has written to its serial console since it started."""
        return self.folder / "console.log"

    def state(self) -> str:
        """The domain's state in virsh's words, say `running` or `shut off`."""
        return virsh(self.uri, "domstate", self.name).strip()

    def call(self, command: str, timeout: int = 10, **arguments: object) -> object:
        """Send one agent command past the code under test, and return its result."""
        return _call(self.uri, self.name, command, arguments, timeout)

    def destroy(self) -> None:
        """Stop the guest and remove its disks; a guest that is gone already is fine."""
        with _lock(self.name):
            _remove(self.uri, self.name)

    def __enter__(self) -> Self:
        """Nothing is done here: `up` returned a running guest."""
        return self

    def __exit__(self, *_: object) -> None:
        """Destroy the guest."""
        self.destroy()


class Entry(NamedTuple):
    """One line of what is there."""

    name: str
    suite: str
    state: str
    folder: Path


def up(
    name: str,
    suite: str = "bookworm",
    memory: int = 512,
    block_rpcs: Sequence[str] = (),
    agent_args: Sequence[str] = (),
    timeout: float = 120,
) -> Guest:
    """Boot a guest and return when its agent answers; one that is up already is returned as is.

    One that does not answer within `timeout` seconds is booted anew, once: QEMU's emulation now
    and then resets a booting guest without end. `memory` is in MiB. `block_rpcs` are wire names
    that the guest's policy forbids, `agent_args` further options of its qemu-ga.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", name):
        raise LabError(f"{name!r} is no host name: letters, digits and hyphens")
    if memory < 256:
        raise LabError("the kernel does not boot in less than 256 MiB")
    wish = Wish(suite, memory, tuple(block_rpcs), tuple(agent_args))
    uri = connection()
    try:
        return _come_up(uri, name, wish, timeout)
    except _Silent as error:
        say(f"{error}\nbooting it anew")
        return _come_up(uri, name, wish, timeout, anew=True)


def _come_up(uri: str, name: str, wish: Wish, timeout: float, *, anew: bool = False) -> Guest:
    with _lock(name):
        folder = None if anew else _running(uri, name, wish)
        if folder is None:
            _remove(uri, name)
            folder = _boot(uri, name, wish)
    version = _await_agent(uri, name, folder, time.monotonic() + timeout)
    return Guest(name, uri, wish.suite, version, folder)


def down(name: str) -> None:
    """Stop a guest of the lab and remove its disks; does nothing when there is none."""
    uri = connection()
    with _lock(name):
        _remove(uri, name)


def guests() -> list[Entry]:
    """The guests of the lab, running or not."""
    uri = connection()
    found = []
    for name in filter(None, virsh(uri, "list", "--all", "--name").splitlines()):
        try:
            mark = read_mark(uri, name)
            if mark:
                state = virsh(uri, "domstate", name).strip()
                found.append(Entry(name, mark[0].suite, state, mark[1]))
        except LabError as error:
            if "failed to get domain" not in str(error):  # else it has gone meanwhile
                raise
    return found


def console(name: str) -> Path:
    """The console log of a guest of the lab."""
    uri = connection()
    mark = read_mark(uri, name)
    if mark is None:
        raise LabError(f"{name} is not a guest of the lab")
    return mark[1] / "console.log"


def purge() -> None:
    """Remove the cache, the guests that live in it, and the daemons that were started for them.

    Guests of another cache stay. Where none has been made, libvirt is not even asked.
    """
    home = cache.folder()
    if any(cache.folder("guests").iterdir()):
        for entry in guests():
            if entry.folder.is_relative_to(home):
                down(entry.name)
    stop_daemons()
    cache.remove(home)


def _lock(name: str) -> AbstractContextManager[None]:
    return cache.lock(f"guest-{name}", f"another process boots or stops {name}")


def _exists(uri: str, name: str) -> bool:
    return name in virsh(uri, "list", "--all", "--name").splitlines()


def _running(uri: str, name: str, wish: Wish) -> Path | None:
    """The folder of a guest of that name if it runs; an error if it is not what is wished for."""
    if not _exists(uri, name):
        return None
    mark = read_mark(uri, name)
    if mark is None:
        raise LabError(f"a domain {name} exists in {uri} that the lab did not make; left alone")
    if virsh(uri, "domstate", name).strip() != "running":
        return None
    if mark[0] != wish:
        raise LabError(f"{name} is up with other settings ({mark[0]}); take it down first")
    return mark[1]


def _boot(uri: str, name: str, wish: Wish) -> Path:
    """Make the disks and the domain of a new guest, and start it."""
    with ThreadPoolExecutor() as pool:
        kernel_job, image_job = pool.submit(kernel), pool.submit(disk, wish.suite)
    boot_files, root = kernel_job.result(), image_job.result()
    folder = cache.folder("guests", name)
    overlay = ("-q", "-f", "qcow2", "-F", "raw", "-b", str(root))
    run("qemu-img", "create", *overlay, str(folder / "root.qcow2"))
    with open(folder / "data.img", "wb") as data:
        data.truncate(DATA_SIZE)
    run("mkfs.ext4", "-q", "-F", "-L", "data", str(folder / "data.img"))
    (folder / "domain.xml").write_text(describe(name, wish, folder, boot_files, uri))
    try:
        virsh(uri, "define", str(folder / "domain.xml"))
        virsh(uri, "start", name)
    except LabError:
        _remove(uri, name)
        cache.remove(folder)
        raise
    return folder


def _await_agent(uri: str, name: str, folder: Path, deadline: float) -> str:
    """Wait until the agent answers, and return its version."""
    while True:
        try:
            info = _call(uri, name, "guest-info", {}, 5)
        except LabError as error:
            if "unable to execute QEMU agent command" in str(error):
                return "unknown"  # an answer too: guest-info is blocked
            if time.monotonic() > deadline or "domain is not running" in str(error):
                raise _Silent(f"{name} does not answer: {error}\n{_tail(folder)}") from error
            time.sleep(0.1)
            continue
        assert isinstance(info, dict)
        return str(info["version"])


def _tail(folder: Path) -> str:
    log = folder / "console.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(["the end of its console:", *lines[-15:]])


def _call(uri: str, name: str, command: str, arguments: dict[str, object], timeout: int) -> object:
    request = json.dumps({"execute": command, "arguments": arguments})
    reply = virsh(uri, "qemu-agent-command", name, request, "--timeout", str(timeout))
    result: object = json.loads(reply)["return"]
    return result


def _remove(uri: str, name: str) -> None:
    """Do away with a guest, running or not; whoever calls holds its lock."""
    if not _exists(uri, name):
        return
    mark = read_mark(uri, name)
    if mark is None:
        raise LabError(f"the lab did not make the domain {name} in {uri}; left alone")
    if mark[1].parts[-2:] != ("guests", name):
        raise LabError(f"{mark[1]}, in the XML of {name}, is no folder of the lab; left alone")
    try:
        virsh(uri, "destroy", name)
    except LabError:
        if virsh(uri, "domstate", name).strip() != "shut off":
            raise
    virsh(uri, "undefine", name, "--managed-save", "--snapshots-metadata")
    cache.remove(mark[1])
