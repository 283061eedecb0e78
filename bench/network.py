"""`python -m bench.network`: ssh, scp and rsync through the agent, beside the guest's own network.

Both reach the same sshd of the same guest, which has a network card of QEMU's (slirp) for the peer.
Then what one tunnel does: answers, a further connection, one byte there and back.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench import measure
from bench.rows import MIB, QGA
from tests import lab
from tests.lab.hypervisor import virsh

SIZE = 64 * MIB
FILES = 2000
ANSWERS, AT_ONCE, ROUND_TRIPS = 200, 20, 500
# An address, sshd that listens, busybox's web pages, an echo.
PREPARE = """
set -e
card=$(ls /sys/class/net | grep -v '^lo$' | head -n1)
ip addr add 10.0.2.15/24 dev $card 2>/dev/null || true
ip link set $card up; ip link set lo up
key=/etc/ssh/ssh_host_ed25519_key
[ -e $key ] || ssh-keygen -q -t ed25519 -N '' -f $key
mkdir -p /run/sshd /srv; echo 'a page' >/srv/index.html
pgrep -x sshd >/dev/null || /usr/sbin/sshd
busybox httpd -p 127.0.0.1:80 -h /srv
socat TCP-LISTEN:7,bind=127.0.0.1,fork,reuseaddr,nodelay EXEC:cat </dev/null >/dev/null 2>&1 &
"""


class Ssh:
    """ssh, scp and rsync to the guest, through the agent or over its network."""

    def __init__(self, folder: Path, host: str) -> None:
        self.ssh = ["ssh", "-F", str(folder / "conf"), "-o", "BatchMode=yes", host]
        self._folder = folder
        self._host = host

    def login(self) -> list[str]:
        """One login, one short program."""
        return [*self.ssh, "true"]

    def scp(self) -> list[str]:
        """A large file, in."""
        words = ["scp", "-q", "-F", str(self._folder / "conf"), str(self._folder / "big")]
        return [*words, f"{self._host}:/var/tmp/big"]

    def rsync(self) -> list[str]:
        """Small files, in, to where there are none yet."""
        line = "rsync -a -e '{0}' {1}/files/ {2}:/var/tmp/{3}.$$/"
        ssh = f"ssh -F {self._folder}/conf -o BatchMode=yes"
        return ["sh", "-c", line.format(ssh, self._folder, self._host, self._host)]


def main() -> None:
    """Measure, and print the ratios."""
    with ExitStack() as stack:
        suite = sys.argv[1] if len(sys.argv) > 1 else "bookworm"
        guest = stack.enter_context(lab.up(f"qga-net-{os.getpid()}", f"{suite}-tools"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        prepare(guest, folder)
        ours, theirs = Ssh(folder, f"{guest.name}.qga"), Ssh(folder, "direct")
        print("ours / over the emulated network", flush=True)
        for name, goal, runs, command in (
            ("ssh login", 1.5, 9, Ssh.login),
            ("scp of 64 MiB, in", 0.0, 5, Ssh.scp),
            (f"rsync of {FILES} files", 1.3, 5, Ssh.rsync),
        ):
            pair = measure.Pair(*measure.in_turn([command(ours), command(theirs)], runs))
            took, peer = measure.median(pair.ours), measure.median(pair.peer)
            wanted = f"(goal {goal})" if goal else f"({SIZE / took / 1e6:.0f} MB/s, goal 20)"
            print(f"{pair.ratio:6.2f} {wanted}  {name}: {took:.2f} s, {peer:.2f} s", flush=True)
        tunnel(guest)


def prepare(guest: lab.Guest, folder: Path) -> None:
    """Give the guest an address, a key and servers; and us files, and names for it."""
    subprocess.run([*QGA, "exec", guest.name, "--", "sh", "-c", PREPARE], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    forward = f"hostfwd_add hostnet0 tcp:127.0.0.1:{port}-10.0.2.15:22"
    virsh(guest.uri, "qemu-monitor-command", guest.name, "--hmp", forward)
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    subprocess.run([*QGA, "ssh", "add", guest.name, "root", f"@{key}.pub"], check=True)
    config = subprocess.run([*QGA, "ssh", "config"], check=True, capture_output=True, text=True)
    (folder / "conf").write_text(
        f"User root\nIdentityFile {key}\n"
        f"Host direct\nHostName 127.0.0.1\nPort {port}\nStrictHostKeyChecking no\n"
        f"UserKnownHostsFile {folder}/known\nLogLevel ERROR\n" + config.stdout
    )
    (folder / "big").write_bytes(os.urandom(SIZE))
    (folder / "files").mkdir()
    for number in range(FILES):
        (folder / "files" / str(number)).write_bytes(os.urandom(1024))
    if not shutil.which("rsync"):
        raise SystemExit("rsync is not installed")


def tunnel(guest: lab.Guest) -> None:
    """What goes through one `forward`."""
    words = [*QGA, "forward", guest.name, "0:80", "0:7"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        web, echo = (
            int(process.stdout.readline().partition("127.0.0.1:")[2].split()[0]) for _ in range(2)
        )
        took(lambda: answer(web))  # the first one finds whatever carries it
        opened = statistics.median(took(lambda: answer(web)) for _ in range(9))
        print(f"{opened * 1000:6.1f} ms (goal 30)  a further connection, its page included")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            began = time.perf_counter()
            right = sum(pool.map(lambda _: answer(web), range(ANSWERS)))
            spent = time.perf_counter() - began
        print(f"{right:6} of {ANSWERS} pages right, {AT_ONCE} at once, in {spent:.2f} s")
        with socket.create_connection(("127.0.0.1", echo), 60) as one:
            times = [took(lambda: there_and_back(one)) for _ in range(ROUND_TRIPS)]
        print(f"{statistics.median(times) * 1000:6.1f} ms (goal 3)  one byte there and back")
        process.terminate()


def answer(port: int) -> bool:
    """Whether one page comes, whole."""
    with socket.create_connection(("127.0.0.1", port), 60) as one:
        one.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = b""
        while data := one.recv(65536):
            said += data
    return said.endswith(b"\r\n\r\na page\n")


def there_and_back(one: socket.socket) -> None:
    """A byte, and its echo."""
    one.sendall(b"x")
    one.recv(1)


def took(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
