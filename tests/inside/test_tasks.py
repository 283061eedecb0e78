"""The runner of Ansible's tasks, on this machine: what it starts, tells, remembers and ends."""

import os
import select
import signal
import subprocess
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from qga_cli.inside import modules
from qga_cli.inside.tasks import FILES, START
from qga_cli.inside.tasks.frames import HEAD, SIZE
from tests.kit.running import GUARD, eventually
from tests.lab.process import is_over


class Host:
    """The host's end of a runner of its own."""

    def __init__(self, *python: str) -> None:
        text = modules("tasks", *FILES).encode()
        self.process = subprocess.Popen(
            [*(python or (sys.executable,)), "-c", START, str(len(text))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self.said = b""
        self.streams: dict[tuple[bytes, int], bytes] = defaultdict(bytes)
        os.write(self.process.stdin.fileno(), text)
        self.hear(b"H", 0)

    def send(self, kind: bytes, number: int, data: bytes = b"") -> None:
        assert self.process.stdin
        self.process.stdin.write(HEAD.pack(kind, number, len(data)) + data)
        self.process.stdin.flush()

    def script(self, number: int, text: str, *variables: bytes) -> None:
        first = b"\0".join([os.fsencode(sys.executable), *variables])
        self.send(b"P", number, SIZE.pack(len(first)) + first + text.encode())

    def shell(self, number: int, line: str, given: bytes = b"") -> None:
        self.send(b"S", number, SIZE.pack(len(line)) + line.encode() + given)

    def hear(self, kind: bytes, number: int) -> bytes:
        """Until there is a frame of this kind; what all of them had."""
        until = time.monotonic() + 20
        while (kind, number) not in self.streams:
            self.listen(until)
        return self.streams[kind, number]

    def listen(self, until: float = float("inf")) -> None:
        """Take what has come, or comes before `until`."""
        assert self.process.stdout
        left = min(until - time.monotonic(), 20)
        assert select.select([self.process.stdout], [], [], max(0.0, left))[0]
        piece = os.read(self.process.stdout.fileno(), 65536)
        assert piece, "the runner has ended"
        self.said += piece
        while len(self.said) >= HEAD.size:
            what, at, size = HEAD.unpack_from(self.said)
            if len(self.said) < HEAD.size + size:
                break
            self.streams[what, at] += self.said[HEAD.size : HEAD.size + size]
            self.said = self.said[HEAD.size + size :]

    def end(self, number: int) -> int:
        """How a run ended."""
        return os.waitstatus_to_exitcode(SIZE.unpack(self.hear(b"X", number))[0])


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with host.process:
        yield host
        assert host.process.stdin
        host.process.stdin.close()
        assert host.process.wait(GUARD) == 0


def test_a_shell_has_its_input_and_tells_its_end(host: Host) -> None:
    given = os.urandom(300_000)
    host.shell(1, "cat; echo oops >&2; exit 7", given)
    assert host.end(1) == 7
    assert host.streams[b"O", 1] == given
    assert host.streams[b"E", 1] == b"oops\n"
    host.shell(2, "kill -9 $$")
    assert host.end(2) == -signal.SIGKILL


def test_a_shell_meets_signals_as_one_that_was_just_started(host: Host) -> None:
    host.shell(1, "kill -PIPE $$; echo it is ignored")
    assert (host.end(1), host.streams[b"O", 1]) == (-signal.SIGPIPE, b"")


def test_who_reads_no_input_holds_nobody(host: Host) -> None:
    host.shell(1, "exec <&-; echo done", b"x" * 1_000_000)
    assert host.end(1) == 0
    assert host.streams[b"O", 1] == b"done\n"


def test_a_script_is_the_main_program(host: Host) -> None:
    """As `python3 <script`: its exit code, its traceback, nothing of another one's."""
    host.script(1, "import sys; left = 1; print(__name__, sys.argv); sys.exit(3)")
    assert host.end(1) == 3
    assert host.streams[b"O", 1] == b"__main__ ['']\n"
    host.script(2, "print('left' in globals())\nleft")
    assert host.end(2) == 1
    assert host.streams[b"O", 2] == b"False\n"
    assert b"NameError" in host.streams[b"E", 2]


def test_a_script_has_variables_of_its_own(host: Host) -> None:
    show = "import os, subprocess; subprocess.run(['sh', '-c', 'echo $A-$B'])"
    host.script(1, show, b"A=a=b", b"B=two words")
    host.script(2, show)
    assert (host.end(1), host.end(2)) == (0, 0)
    assert (host.streams[b"O", 1], host.streams[b"O", 2]) == (b"a=b-two words\n", b"-\n")


def test_equal_source_is_compiled_once(host: Host, tmp_path: Path) -> None:
    """Of another zip too; and other source is not taken for it."""
    script = """
import sys, zipimport
sys.path.insert(0, {!r})
import qga_probe, quopri
print(qga_probe.value, len([path for path in compiled if "probe" in path]))
"""
    counted = """
import builtins
compiled, old = [], compile
builtins.compile = lambda *a, **k: compiled.append(a[1]) or old(*a, **k)
"""
    said = []
    for number, value in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("qga_probe.py", f"value = {value}")
        host.script(number, counted + script.format(str(path)))
        assert host.end(number) == 0, host.streams[b"E", number]
        said.append(host.streams[b"O", number].split())
    assert said == [[b"1", b"1"], [b"1", b"0"], [b"2", b"1"]]


def test_what_is_ended_takes_its_tree_along(host: Host) -> None:
    """Also what has a group of its own, and what does not heed TERM."""
    stubborn = "sh -c 'trap : TERM; echo $$; while :; do sleep 301; done'"
    host.shell(1, f"trap '' TERM; setsid sleep 300 & echo $!; {stubborn}")
    while host.hear(b"O", 1).count(b"\n") < 2:
        host.listen()
    pids = [int(pid) for pid in host.streams[b"O", 1].split()]
    host.send(b"K", 1)
    # Killed, or told by its child's end a moment before.
    assert host.end(1) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert eventually(lambda: all(map(is_over, pids)), 5)


def test_what_does_not_heed_term_ends_though_its_parent_did(host: Host) -> None:
    """The shell of a task ends at once; what it waited for had nobody who killed it."""
    stubborn = "sh -c 'trap : TERM; echo $$; while :; do sleep 301; done'"
    host.shell(1, f"{stubborn}; echo over")
    while host.hear(b"O", 1).count(b"\n") < 1:
        host.listen()
    pid = int(host.streams[b"O", 1])
    host.send(b"K", 1)
    assert host.end(1) == -signal.SIGTERM
    assert eventually(lambda: is_over(pid), 10)


def test_a_background_child_is_left_alone(host: Host, tmp_path: Path) -> None:
    """It writes to nobody, and lives on; the next task is served meanwhile."""
    late = tmp_path / "late"
    host.shell(1, f"{{ sleep 0.3; echo more; echo more; echo yes >{late}; }} & echo first")
    assert host.end(1) == 0
    assert host.streams[b"O", 1] == b"first\n"
    assert eventually(late.exists, 10)
    assert host.streams[b"O", 1] == b"first\n"


def test_a_background_child_that_goes_on_writing_holds_no_task(host: Host) -> None:
    """The end of `yes &` was never told: what the shell had left was read for ever."""
    endless = """
import fcntl, os
fcntl.fcntl(1, 1031, 2**20)  # F_SETPIPE_SZ: who reads never finds it empty
os.write(1, b"first")
child = os.fork()
while not child:
    os.write(1, bytes(65536))
os.write(2, b"%d" % child)
"""
    host.script(1, endless)
    try:
        while (b"X", 1) not in host.streams:
            host.listen()
            assert len(host.streams[b"O", 1]) < 20_000_000
        assert host.end(1) == 0
        assert host.streams[b"O", 1].startswith(b"first")
        host.shell(2, "echo next")
        assert (host.end(2), host.streams[b"O", 2]) == (0, b"next\n")
    finally:
        os.kill(int(host.streams[b"E", 1]), signal.SIGKILL)


def test_all_that_was_written_comes_before_the_end(host: Host) -> None:
    """As much as a pipe may hold, of a task that has made it hold more."""
    text = "import fcntl, os; fcntl.fcntl(1, 1031, 2**20); os.write(1, bytes(10**6))"
    host.script(1, text)
    assert host.end(1) == 0
    assert len(host.streams[b"O", 1]) == 10**6


@pytest.mark.parametrize(
    "line",
    [
        "echo $$; exec sleep 300",
        # Does not heed TERM, and its parent ends at once, with it all that the runner knows of.
        "sh -c 'trap : TERM; echo $$; while :; do sleep 302; done'; echo over",
    ],
)
def test_the_hosts_end_ends_what_runs(line: str) -> None:
    host = Host()
    host.shell(1, line)
    pid = int(host.hear(b"O", 1))
    with host.process:
        assert host.process.stdin
        host.process.stdin.close()
        assert host.process.wait(GUARD) == 0
    assert is_over(pid)


def test_a_script_finds_what_was_installed_meanwhile(tmp_path: Path) -> None:
    """As by `pip install` in a task before it, in a folder that this has made."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    (packages,) = (tmp_path / "v/lib").glob("*/site-packages")
    packages.rmdir()
    host = Host(str(tmp_path / "v/bin/python3"))
    with host.process:
        host.script(1, "import late")
        assert host.end(1) == 1
        (tmp_path / "else").mkdir()
        (tmp_path / "else/far.py").write_text("")
        packages.mkdir()
        (packages / "late.py").write_text("")
        (packages / "away.pth").write_text(f"{tmp_path}/else\n")
        host.script(2, "import late, far")
        assert host.end(2) == 0, host.streams[b"E", 2]
        assert host.process.stdin
        host.process.stdin.close()


def test_what_a_task_makes_is_there_for_others() -> None:
    """The agent, and so the runner, may have another umask than sshd gives."""
    host = Host("sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable)
    with host.process:
        host.shell(1, "umask")
        host.script(2, "import os; print(oct(os.umask(0)))")
        assert (host.end(1), host.end(2)) == (0, 0)
        assert host.process.stdin
        host.process.stdin.close()
    assert int(host.streams[b"O", 1], 8) == int(host.streams[b"O", 2], 8) == 0o022


def test_a_script_has_the_time_zone_of_now() -> None:
    """A task may have set it: what Python has read of it once, it does not read again."""
    host = Host("unshare", "-rm", sys.executable)  # its own /etc/localtime
    with host.process:
        host.shell(1, "mount --bind /usr/share/zoneinfo/Asia/Tokyo /etc/localtime")
        assert host.end(1) == 0, host.streams[b"E", 1]
        host.script(2, "import time; print(time.tzname, time.localtime(0).tm_hour)")
        assert host.end(2) == 0
        assert host.process.stdin
        host.process.stdin.close()
    assert host.streams[b"O", 2] == b"('JST', 'JST') 9\n"
