"""The scripts at a guest's end of a port, where there is none."""

import contextlib
import os
import re
import threading
import time
from pathlib import Path

import pytest

from qga_cli.channel.unopened import NOT_SEEN
from tests.inside.conftest import Run

SAID = b"org.qga-cli.port.00\nhello\norg.qga-cli.port.01\nend\n:\n"
WAYS = ["relayed", "bare"]
GREETING = 'echo "$qga_hello" >&3 || exit 97'


def on_files(text: str) -> str:
    """The script, with files of the test's folder for ports."""
    begin = "IFS= read -r qga_out"
    assert begin in text
    return text.replace(begin, f'open_port() {{ eval "exec $2<>$1"; }}\n{begin}', 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("program", "code", "reason"),
    [
        ("true", 97, b"this guest shows no ports\n"),
        ("no-such-program", 127, b""),
        ("/etc/passwd", 126, b""),
    ],
)
def test_it_tells_why_the_program_was_not_started(
    sh: Run, way: str, program: str, code: int, reason: bytes
) -> None:
    done = sh(f"channel/port+exec/can_run+channel/stream+channel/{way}", program, stdin=SAID)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.endswith(reason)


def test_a_port_that_nobody_may_open_yet_is_waited_for(sh: Run, tmp_path: Path) -> None:
    """With SELinux, until udev has given its device a label that we may open."""
    (tmp_path / "class/vport1p2").mkdir(parents=True)
    (tmp_path / "class/vport1p2/name").write_text("mine\n")
    (tmp_path / "vport1p2").write_bytes(b"")

    def labelled(text: str) -> str:
        """The third look finds it open to us."""
        text = text.replace("/sys/class/virtio-ports", f"{tmp_path}/class")
        text = text.replace("/dev/$", f"{tmp_path}/$").replace('[ -w "', 'may_write "')
        text = text.replace('" ] ||', '" ||')
        looks = "looks=0; may_write() { looks=$((looks+1)); [ $looks = 3 ] && [ -e $1 ]; }\n"
        return f"{looks}{text}\nopen_port mine 3 && echo said >&3 && echo $looks"

    done = sh("channel/port", around=labelled)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"3\n", b"")
    assert (tmp_path / "vport1p2").read_bytes() == b"said\n"


def test_a_port_that_has_gone_is_not_waited_for(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"")

    def greeted(text: str) -> str:
        assert GREETING in text
        return on_files(text.replace(GREETING, ":"))

    began = time.monotonic()
    done = sh("channel/port+exec/can_run+channel/stream+channel/bare", "true",
              stdin=b"/dev/full\nhello\nin\nend\n:\n", around=greeted)  # fmt: skip
    assert done.returncode == 0
    assert time.monotonic() < began + 3  # not five tries, one a second


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            "channel/port+exec/can_run+channel/stream+channel/relayed",
            "/dev/full\nhello\nin\nend\n:\n",
        ),
        ("channel/port+exec/can_run+channel/stream+channel/bare", "/dev/full\nhello\nin\nend\n:\n"),
        ("channel/port+exec/can_run+exec/ported", "out hello end\n/dev/full hello end\n\n:\n"),
        ("channel/port+exec/can_run+exec/ported", "/dev/full hello end\nout hello end\n\n:\n"),
        ("channel/port+files/flow", "/dev/full\nhello\nend\n\n"),
    ],
)
def test_without_a_greeting_nothing_is_started(
    sh: Run, tmp_path: Path, names: str, said: str
) -> None:
    """The host has taken the port away meanwhile, and starts the program some other way."""
    for name in ("in", "out"):
        (tmp_path / name).write_bytes(b"")

    def whole(text: str) -> str:
        moved = f"{text}touch started\n" if names.endswith("flow") else text
        begin = re.search(r"^IFS=.* read -r qga_out", moved, re.MULTILINE)
        assert begin
        opening = 'open_port() { eval "exec $2<>$1"; }\n'
        return f"{moved[: begin.start()]}{opening}{moved[begin.start() :]}"

    done = sh(names, "touch", "started", stdin=said.encode(), around=whole)
    assert (done.returncode, (tmp_path / "started").exists()) == (97, False), done.stderr


def test_a_relay_that_ended_long_ago_is_not_killed(sh: Run, tmp_path: Path) -> None:
    """The one of the input ends with that; hours later its pid may be another's."""
    for name in ("in", "out", "err"):
        (tmp_path / name).write_bytes(b"")
    waits = """
        until read -r hello && read -r first other feeder; do :; done <out
        while [ -e /proc/$feeder ]; do :; done
        echo $feeder >feeder
    """

    def logged(text: str) -> str:
        begin = "IFS=' ' read -r qga_out"
        assert begin in text
        kill = 'kill() { echo "$*" >>killed; command kill "$@"; }'
        opening = 'open_port() { eval "exec $2<>$1"; }'
        return text.replace(begin, f"{kill}\n{opening}\n{begin}", 1)

    said = b"out hello end\nerr hello end\nin\nqga_around() { :; }\n"
    done = sh("channel/port+exec/can_run+exec/ported", "sh", "-c", waits, stdin=said, around=logged)
    if b"here-documents are no pipes" in done.stderr:
        return  # nothing is run this way there
    assert done.returncode == 0, done.stderr
    feeder = (tmp_path / "feeder").read_text().strip()
    killed = tmp_path / "killed"
    assert feeder not in (killed.read_text().split() if killed.exists() else [])


def test_a_kernel_that_does_not_count_has_no_input_by_ports(sh: Run, tmp_path: Path) -> None:
    """What the relay had not passed on when the port was closed would be lost."""
    for name in ("out", "in"):
        (tmp_path / name).write_bytes(b"")

    def uncounted(text: str) -> str:
        assert "/proc/self/io" in text
        return on_files(text.replace("/proc/self/io", "/proc/self/none"))

    said = b"out\nhello\nin\nend\n:\n"
    done = sh(
        "channel/port+exec/can_run+channel/stream+channel/relayed",
        "true",
        stdin=said,
        around=uncounted,
    )
    assert (done.returncode, done.stdout) == (97, b"")
    assert done.stderr == b"this kernel does not count what a process writes\n"
    assert (tmp_path / "out").read_bytes() == b""


def test_the_relay_s_pid_comes_before_all_of_the_program_s(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"input\n")
    (tmp_path / "out").write_bytes(b"")
    telling = "IFS=' ' read -r qga_pid qga_x"

    def slow(text: str) -> str:
        assert telling in text
        return on_files(text.replace(telling, f"sleep 0.3; {telling}"))

    said = b"out\nhello\nin\nend\nqga_around() { :; }\n"
    words = "sh", "-c", "echo 42; cat"
    done = sh(
        "channel/port+exec/can_run+channel/stream+channel/relayed", *words, stdin=said, around=slow
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rb"hello\n\d+\n42\ninput\nend 0\n", (tmp_path / "out").read_bytes())


def test_a_bare_program_has_the_ports_themselves(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"input\n")
    (tmp_path / "out").write_bytes(b"")
    said = b"out\nhello\nin\nend\nqga_around() { :; }\n"
    words = "sh", "-c", "cat; exit 7"
    done = sh(
        "channel/port+exec/can_run+channel/stream+channel/bare", *words, stdin=said, around=on_files
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == b"hello\ninput\nend 7\n"


def test_a_poke_says_something_and_waits_for_no_host(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "open").write_bytes(b"")
    os.mkfifo(tmp_path / "closed")
    full = os.open(tmp_path / "closed", os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, bytes(4096))

    def on_these(text: str) -> str:
        assert "pids=\n" in text
        return text.replace("pids=\n", 'open_port() { eval "exec $2<>$1"; }\npids=\n', 1)

    began = time.monotonic()
    done = sh("channel/port+channel/poke", "closed", "absent/one", "open", around=on_these)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "open").read_bytes() == b"\n"
    assert time.monotonic() < began + 10  # a second, even where sleep takes no fraction
    os.close(full)


def test_a_port_that_the_guest_sees_late_is_waited_for(sh: Run, tmp_path: Path) -> None:
    def on_folders(text: str) -> str:
        assert "/sys/class/virtio-ports" in text
        moved = text.replace("/sys/class/virtio-ports", "ports").replace("/dev/$", "$")
        return f'{moved}open_port "$1" 3 && echo seen >&3\n'

    (tmp_path / "ports").mkdir()
    hidden = sh("channel/port", "mine", around=on_folders)
    assert hidden.stderr.endswith(b"this guest shows no ports\n")
    for number, name in enumerate(("other", "mine")):
        (tmp_path / f"ports/{number}").mkdir()
        (tmp_path / f"ports/{number}/name").write_text(f"{name}\n")
    (tmp_path / "1").touch()
    (tmp_path / "ports/1/name").rename(tmp_path / "late")
    plugging = threading.Timer(0.5, (tmp_path / "late").rename, [tmp_path / "ports/1/name"])
    plugging.start()
    assert sh("channel/port", "mine", around=on_folders).stderr == b""
    plugging.join()
    unseen = sh("channel/port", "another", around=on_folders)
    assert unseen.stderr == f"{NOT_SEEN}\n".encode()
    assert (tmp_path / "1").read_text() == "seen\n"
