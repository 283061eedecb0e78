"""`qga top`: on a terminal of tmux, line by line, and in a pipe."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from qga_cli.cli.top import keys, press
from qga_cli.guests.targets import Target
from qga_cli.metrics.collector import Look
from qga_cli.metrics.overview import Overview
from qga_cli.metrics.reading import Reading
from qga_cli.render.board import SORTS, Sight, frame
from qga_cli.transports.counters import Counters
from tests.kit.command import qga
from tests.kit.running import eventually
from tests.lab.local_agent import LocalAgent
from tests.lab.local_agent import agent as local_qemu_ga

EMPTY = {
    "state": None, "agent": "answering", "frozen": False, "cpu%": None, "memory": None,
    "memory-total": None, "load": None, "full%": None, "mountpoint": None, "received": None,
    "sent": None, "read": None, "written": None,
}  # fmt: skip


def row(vm: str, **known: Any) -> dict[str, Any]:
    return {"vm": vm, **EMPTY, **{name.replace("_", "%"): value for name, value in known.items()}}


BUSY = row("web1", state="running", cpu_=97.6, memory=300 << 20, load=12.5, full_=93.2,
           mountpoint="/var/lib/postgresql/15/main", received=1048576.0, sent=1023.0,
           read=999999.0, written=0.0)  # fmt: skip
ROWS = [
    row("an-extraordinarily-long-name-of-a-guest.example.org", state="running", cpu_=1.0),
    BUSY | {"memory-total": 512 << 20},
    row("ウェブ\x1b[2J1", agent="not answering", state="running"),
    row("db1", agent="frozen", frozen=True, state="running"),
    row("old", state="shut off", agent=None),
]


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("help", [False, True])
def test_every_line_fits(width: int, help: bool) -> None:
    sight = Sight()
    sight.help = help
    lines = plain(frame(ROWS, sight, (24, width), 2.0, ""))
    assert len(lines) == 24
    assert max(map(cell_len, lines)) <= width
    assert not any("\x1b" in line for line in lines)
    if not help:
        assert lines[2].split()[-4:] == ["IN", "OUT", "READ", "WRITE"]
        assert lines[3].split()[-4:] == ["1.0M", "1023B", "977K", "0B"]
        assert ("300M/512M" in lines[3]) == (width >= 100)


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("what", ["trouble", "keys", "filter", "help"])
def test_what_is_wider_than_the_screen_stays_on_its_line(width: int, what: str) -> None:
    """Of a host that could not be asked the last words were seen alone, not which one it is."""
    sight = Sight()
    sight.typing = what == "filter"
    sight.help = what == "help"
    sight.filter = "x y " * 40 if sight.typing else ""
    trouble = "alpha: " + "it cannot be reached " * 9 if what == "trouble" else ""
    lines = plain(frame(ROWS, sight, (24, width), 2.0, trouble))
    assert len(lines) == 24
    assert max(map(cell_len, lines)) <= width
    if trouble:
        assert lines[-1].startswith("alpha: ")


def test_many_guests_are_drawn_as_far_as_there_is_room() -> None:
    rows = [row(f"vm{number}", state="running", cpu_=float(number)) for number in range(200)]
    sight = Sight()
    lines = plain(frame(rows, sight, (24, 80), 2.0, ""))
    assert [line.split()[0] for line in lines[3:5]] == ["vm199", "vm198"]
    assert lines[-1].endswith("1-20 of 200, arrows")
    press(sight, "end", 19)
    lines = plain(frame(rows, sight, (24, 80), 2.0, ""))
    assert [line.split()[0] for line in lines[21:23]] == ["vm1", "vm0"]
    press(sight, "page up", 19)
    assert plain(frame(rows, sight, (24, 80), 2.0, ""))[-1].endswith("162-181 of 200, arrows")


def test_order_and_filter() -> None:
    sight = Sight()

    def names() -> list[str]:
        return [str(one["vm"])[:4] for one in sight.chosen(ROWS)]

    assert names()[:2] == ["web1", "an-e"]
    for key in "nr":
        press(sight, key, 10)
    assert names()[:2] == ["ウェブ\x1b", "web1"]
    for key in SORTS:
        press(sight, key, 10)
        assert len(names()) == len(ROWS)
    for key in ("/", "X", "rub out", "F", "r", "o"):
        press(sight, key, 10)
    assert (sight.typing, names()) == (True, ["db1"])
    press(sight, "enter", 10)
    assert (sight.typing, names()) == (False, ["db1"])
    press(sight, "escape", 10)
    assert len(names()) == len(ROWS)


def test_keys_that_terminals_send() -> None:
    data = "q\x1b[A\x1bOB\x1b[5~\x1b[15~\x1b[1;5Cé\x1b".encode()
    assert keys(data) == ["q", "up", "down", "page up", "é", "escape"]


def look(taken: float, cpu: float | None, user: int, received: int) -> Look:
    """One guest, that counts for itself, or, with `cpu`, whose hypervisor does."""
    reading = Reading(Target(None, "x", "x", "running"))
    reading.taken = taken
    reading.told["guest-network-get-interfaces"] = [
        {"name": name, "statistics": dict.fromkeys(("rx-bytes", "tx-bytes"), received)}
        for name in ("lo", "eth0")
    ]
    made = Look({}, [reading])
    made.taken = taken
    if cpu is None:
        cpus = [{"type": "linux", "user": user, "idle": 10000 - user}]
        reading.told["guest-get-cpustats"] = cpus
    else:
        made.counters["x"] = Counters(cpu, 2)
        made.counters["x"].disks = {"vda": (received, 0)}
    return made


def test_rates_and_counters_that_begin_anew() -> None:
    overview = Overview()
    (first,) = overview.rows(look(100.0, 5.0, 0, 1000))
    assert (first["cpu%"], first["received"], first["read"]) == (None, None, None)
    (second,) = overview.rows(look(102.0, 7.0, 0, 3000))
    assert (second["cpu%"], second["received"], second["read"]) == (50.0, 1000.0, 1000.0)
    (third,) = overview.rows(look(104.0, 1.0, 0, 0))
    assert (third["cpu%"], third["received"], third["read"]) == (None, None, None)


def test_a_guest_that_was_not_asked_again_keeps_its_figures() -> None:
    overview, last = Overview(), look(102.0, None, 500, 3000)
    overview.rows(look(100.0, None, 0, 1000))
    (before,) = overview.rows(last)
    assert before["received"] == 1000.0
    assert overview.rows(last) == [before]


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[tuple[str, dict[str, LocalAgent]]]:
    with ExitStack() as stack:
        made = {
            name: stack.enter_context(local_qemu_ga(tmp_path, name))
            for name in ("web1", "web2", "db1")
        }
        yield f"unix:{tmp_path}/{{vm}}.sock", made


@pytest.mark.slow
def test_one_answer_in_a_pipe(agents: tuple[str, dict[str, LocalAgent]]) -> None:
    ran = qga("-c", agents[0], "top", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    rows = json.loads(ran.out)
    assert [one["vm"] for one in rows] == ["db1", "web1", "web2"]
    assert all(one["full%"] > 0 and one["mountpoint"] for one in rows)
    assert all(0 <= one["cpu%"] <= 100 for one in rows)  # a rate: it has looked twice
    ran = qga("-c", agents[0], "top", "web1")
    assert ran.out.splitlines()[0].split("\t")[:5] == ["vm", "state", "agent", "frozen", "cpu%"]
    assert ran.out.splitlines()[1].split("\t")[:4] == ["web1", "-", "answering", "false"]


def test_a_host_that_cannot_be_asked_is_told_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "qga").mkdir()
    hosts = f'[hosts]\nhere = "unix:{tmp_path}/{{vm}}.sock"\ndead = "unix:/nosuch/{{vm}}"\n'
    (tmp_path / "qga" / "config.toml").write_text(hosts)
    with local_qemu_ga(tmp_path, "web1"):
        ran = qga("top", "*/*", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert [line.split("\t")[0] for line in ran.out.splitlines()] == ["vm", "here/web1"]
    assert ran.err == "qga: dead: cannot connect to /nosuch: No such file or directory\n"
    assert ran.code == 123


class Tmux:
    """A shell in tmux, of 80 columns and 24 lines."""

    def __init__(self, folder: Path) -> None:
        self._name = f"qga-top-{os.getpid()}"
        shell = ["env", "PS1=$ ", "HISTFILE=/dev/null", "bash", "--norc", "--noprofile"]
        self("new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), *shell)

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-L", self._name, "-f", os.devnull, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def type(self, *words: str) -> None:
        self("send-keys", *words)

    def see(self, seen: Callable[[str], object]) -> str:
        """The screen, once `seen` is content with it."""
        shown = [""]

        def look() -> object:
            shown[0] = self("capture-pane", "-p")
            return seen(shown[0])

        assert eventually(look), shown[0]
        return shown[0]


@pytest.mark.slow
def test_on_a_terminal(agents: tuple[str, dict[str, LocalAgent]], tmp_path: Path) -> None:
    uri, made = agents
    tmux = Tmux(tmp_path)
    try:
        tmux.type("stty -g >before", "Enter")
        tmux.type("-l", f"{sys.executable} -P -m qga_cli -c '{uri}' top -d 300ms --timeout 1s")
        tmux.type("Enter")
        screen = tmux.see(lambda text: "3 running" in text and "%" in text.split("db1")[-1])
        assert screen.startswith("qga top: 3 guests, 3 running")
        titles = "VM STATE CPU MEM LOAD FULL MOUNTED IN OUT READ WRITE"
        assert screen.splitlines()[2].split() == titles.split()
        tmux.type("n")
        tmux.see(lambda text: [line.split()[0] for line in text.splitlines()[3:6]]
                 == ["db1", "web1", "web2"])  # fmt: skip
        tmux.type("r")
        tmux.see(lambda text: text.splitlines()[3].startswith("web2"))
        tmux.type("?")
        tmux.see(lambda text: "by processor" in text)
        tmux.type("q")  # any key goes back
        tmux.see(lambda text: "by processor" not in text)
        tmux.type("/", "d", "b")
        tmux.see(lambda text: "1 of 3 guests" in text and "web1" not in text)
        tmux.type("Enter", "Escape")
        tmux.see(lambda text: "web1" in text)
        os.kill(made["db1"].pid, signal.SIGSTOP)  # keys are heard all the same
        tmux.see(lambda text: "1 no answer" in text)
        tmux("resize-window", "-x", "120", "-y", "30")
        screen = tmux.see(lambda text: "  MOUNTED  " in text)
        assert len(screen.splitlines()[0]) == 120
        tmux.type("C-z")  # the shell has its own screen, and gives it back
        tmux.see(lambda text: "Stopped" in text)
        tmux.type("fg", "Enter")
        tmux.see(lambda text: text.startswith("qga top"))
        tmux.type("q")
        tmux.see(lambda text: "qga top:" not in text)
        tmux.type("-l", "echo code $?; stty -g >after; echo done")
        tmux.type("Enter")
        assert "\ncode 0\n" in tmux.see(lambda text: "\ndone" in text)
        tmux.type("-l", f"TERM=dumb {sys.executable} -P -m qga_cli -c '{uri}' top web1; echo ended")
        tmux.type("Enter")
        tmux.see(lambda text: "\nended" in text)  # one answer, and no key was needed
    finally:
        os.kill(made["db1"].pid, signal.SIGCONT)
        tmux("kill-server")
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
