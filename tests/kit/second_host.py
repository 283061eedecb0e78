"""A second libvirtd on this machine, reached over TCP on the loopback, with guests of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.lab.domain import Wish, describe
from tests.lab.guest import DATA_SIZE
from tests.lab.hypervisor import virsh
from tests.lab.image import image
from tests.lab.kernel import kernel
from tests.lab.process import LabError, run

CONFIG = """\
listen_tls = 0
listen_tcp = 1
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "none"
host_uuid = "{uuid}"
"""

PLACES = {
    "HOME": "h",
    "XDG_RUNTIME_DIR": "r",
    "XDG_CONFIG_HOME": "c",
    "XDG_CACHE_HOME": "k",
}


class SecondHost:
    """An ordinary user's libvirtd; as a context manager it ends with all its guests."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.uri = f"qemu+tcp://127.0.0.1:{self.port}/session"
        # A short path: libvirt puts UNIX sockets deep below it, and theirs end at 107 bytes.
        self.folder = folder = Path(tempfile.mkdtemp(prefix="qga-"))
        self._guests: list[str] = []
        self._log = open(folder / "log", "wb")
        # Of its own, for no guest migrates to the host where it is.
        config = CONFIG.format(port=self.port, uuid=uuid.uuid4())
        (folder / "libvirtd.conf").write_text(config)
        for name in PLACES.values():
            (folder / name).mkdir(0o700)
        self._start()

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Kill the daemon, as its crash or an update would, and start it again."""
        # Not SIGTERM: the guests outlive a daemon that is killed.
        self._daemon.kill()
        self._daemon.wait()
        meanwhile()
        self._start()

    def _start(self) -> None:
        folder = self.folder
        # Root too gets the daemon of an ordinary user here: it sees another user id, but the
        # kernel still takes it for the owner of the images.
        self._daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM",
             "unshare", "--user", "--map-user=1000", "--map-group=1000",
             "/usr/sbin/libvirtd", "--listen",
             "-f", str(folder / "libvirtd.conf"), "-p", str(folder / "pid")],
            env={**os.environ, **{key: str(folder / name) for key, name in PLACES.items()}},
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._await()

    def boot(self, name: str) -> None:
        """Define and start a guest; its agent answers some seconds later."""
        folder = self.folder / name
        folder.mkdir()
        base = image("bookworm")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base),
            str(folder / "root.qcow2"))  # fmt: skip
        with open(folder / "data.img", "wb") as disk:
            disk.truncate(DATA_SIZE)
        run("mkfs.ext4", "-q", "-L", "data", str(folder / "data.img"))
        wish = Wish("bookworm", 512, (), ())
        xml = describe(name, wish, folder, kernel(), "qemu:///session")
        (folder / "domain.xml").write_text(xml)
        virsh(self.uri, "define", str(folder / "domain.xml"))
        virsh(self.uri, "start", name)
        self._guests.append(name)

    def migrate(self, name: str, target: "SecondHost") -> None:
        """Move a running guest, and its definition, to another host that sees the same files."""
        # Unsafe is what libvirt calls disks that are on no shared storage.
        virsh(self.uri, "migrate", "--live", "--unsafe", "--persistent", "--undefinesource",
              name, target.uri, "--migrateuri", f"tcp://127.0.0.1:{_free_port()}")  # fmt: skip
        self._guests.remove(name)
        target._guests.append(name)

    def __enter__(self) -> Self:
        """The daemon runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Destroy the guests and end the daemon."""
        for name in self._guests:
            virsh(self.uri, "destroy", name)  # its definition goes with the folder
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait()
        self._log.close()
        shutil.rmtree(self.folder)

    def _await(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                virsh(self.uri, "uri")
                return
            except LabError:
                if time.monotonic() > deadline or self._daemon.poll() is not None:
                    raise LabError((self.folder / "log").read_text()) from None
                time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
