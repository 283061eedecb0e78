"""Scripts that run in guests, tried here."""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli.exec.context import NO_INPUT, Context, request
from qga_cli.inside import script
from tests.kit.running import GUARD, eventually

END, KEEPER = script("exec/end"), script("exec/keeper")
GONE = "99999999"  # above the kernel's largest pid


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_walk_down_a_tree_ends_where_a_process_has_gone(shell: str) -> None:
    functions, mark, _ = END.partition("exec 2>/dev/null\n")
    assert mark
    text = f'{functions} tree=; below {GONE} x; ours $$ x; ours {GONE} x && exit 9; echo "<$tree>"'
    done = subprocess.run([shell, "-c", f"{text} # x"], capture_output=True, text=True, timeout=20)
    assert done.stdout == "<>\n"


@pytest.mark.slow
def test_the_time_until_kill_passes_in_a_slow_guest_too(tmp_path: Path) -> None:
    (tmp_path / "grep").write_text('#!/bin/sh\nsleep 1; exec /bin/grep "$@"\n')
    (tmp_path / "grep").chmod(0o755)
    mark = f"qga-slow-{os.getpid()}"
    tree = ["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.1; done"]
    marked = os.environ | {"QGA_EXEC": mark}
    slow = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    end = ["sh", "-c", END, "qga-end", GONE, mark, "TERM", "150"]
    with subprocess.Popen(tree, env=marked, stdout=subprocess.PIPE) as program:
        assert program.stdout
        program.stdout.readline()
        began = time.monotonic()
        subprocess.run(end, env=slow, check=True)
        assert 2.5 < time.monotonic() - began < 7  # a look, the time, and one or two more looks
        assert program.wait(GUARD) == -signal.SIGKILL


def test_a_program_that_is_about_to_start_is_ended_too() -> None:
    mark = f"qga-late-{os.getpid()}"
    text = f"# {mark}\nread -r line; (QGA_EXEC={mark}; export QGA_EXEC; exec sleep 9); exit $?"
    end = ["sh", "-c", END, "qga-end"]
    with subprocess.Popen(["sh", "-c", text], stdin=subprocess.PIPE) as wrapper:
        with subprocess.Popen([*end, f"{wrapper.pid}", mark, "TERM", "0"]) as helper:
            with pytest.raises(subprocess.TimeoutExpired):
                helper.wait(1)
            wrapper.communicate(b"\n", timeout=GUARD)
        assert wrapper.returncode == 128 + signal.SIGTERM
    subprocess.run([*end, GONE, mark, "TERM", "0"], check=False, timeout=20)  # nothing to wait for


WRAPPER = script("exec/can_run") + script("exec/wrapper")
READS = 'read -r end; read -r qga_context; eval "$qga_context"; qga_around; exec "$@"\n'


@pytest.mark.parametrize("given", ["", "/tmp"])
@pytest.mark.parametrize(
    ("text", "how"),
    [
        (WRAPPER, {"reads": False}),
        (WRAPPER, {"reads": True}),
        (script("exec/detached"), {"reads": True}),
        (READS, {"reads": False, "lines": True}),
    ],
    ids=["alone", "with input", "detached", "on ports"],
)
def test_a_full_tmp_is_no_obstacle(text: str, how: dict[str, bool], given: str) -> None:
    """A bash before 5.1 keeps here-documents there; `df` and `rm` are what one runs then."""
    agent: Any = SimpleNamespace(transport=SimpleNamespace(write_chunk=10**6))
    first = "" if "qga_keep" in text else "END"
    argv = ["sh", "-c", 'echo "<$TMPDIR>"']
    words, source = request(agent, text, "qga-full", argv, Context(), NO_INPUT, first, **how)
    full = 'mount -t tmpfs -o size=4k tmpfs /tmp; cat /dev/zero >/tmp/x 2>&-; exec "$@"'
    env = {"PATH": os.environ["PATH"], "BASH_COMPAT": "50", **({"TMPDIR": given} if given else {})}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", full, "sh", "bash", "--posix", *words[1:]],
        input=source, capture_output=True, timeout=GUARD, env=env,
    )  # fmt: skip
    assert done.stdout.startswith(b"<%s>\n" % given.encode()), done


def runs(pid: str) -> bool:
    """Whether there is such a process, and nobody has yet to be told of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
def test_a_keeper_is_ready_when_its_0_is_what_orders_come_by(
    tmp_path: Path, shell: list[str]
) -> None:
    """While it reads the timer's pid its 0 is another pipe: orders would be lost in there."""
    pipes = [tmp_path / number for number in "34567"]
    for pipe in pipes:
        os.mkfifo(pipe)
    opened = "".join(f"exec {pipe.name}<>{pipe}\n" for pipe in pipes)
    text = f"# mark\n{opened}exec 2>&6\necho >&3\nread -r end <&6"
    wrapper = subprocess.Popen(["sh", "-c", text], stdin=subprocess.DEVNULL)
    keeper = subprocess.Popen(
        [*shell, "-c", KEEPER, "qga-keeper", f"{wrapper.pid}", "mark", "", ""],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    own = Path(f"/proc/{keeper.pid}/fd")
    try:
        assert eventually(lambda: os.path.samefile(own / "0", pipes[-1]))
        assert (own / "7").is_dir()
        pipes[-1].write_text("0\n")
        assert eventually(lambda: not (own / "7").is_dir())
        (own / "0").write_text("drop\n")
        keeper.wait(GUARD)  # it has heard that
    finally:
        for process in (keeper, wrapper):
            process.kill()
            process.wait()


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
@pytest.mark.parametrize("told", [True, False], ids=["told", "silence"])
@pytest.mark.parametrize(("pipe", "number"), [("4", "0"), ("5", "3"), ("8", "1"), ("8", "4")])
def test_a_dd_that_waits_ends_with_its_keeper(
    tmp_path: Path, pipe: str, number: str, told: bool, shell: list[str]
) -> None:
    """By whatever number it has the pipe open: GNU's dd reads its 0, uutils' its 3."""
    pipes = [tmp_path / name for name in "034567"]
    for fifo in pipes:
        os.mkfifo(fifo)
    opened = "".join(f"exec {fifo.name}<>{fifo}\n" for fifo in pipes)
    wrapper = subprocess.Popen(
        ["sh", "-c", f"# mark\n{opened}exec 2>&6\necho >&3\nread -r end <&6"]
    )
    soon = KEEPER.replace("sleep 20 &", "sleep 0.3 &")
    keeper = subprocess.Popen(
        [*shell, "-c", soon, "qga-keeper", f"{wrapper.pid}", "mark", "", "1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    path = f"/proc/{keeper.pid}/fd/{pipe}"
    way = "of" if pipe == "8" else "if"
    stays = ["sh", "-c", f"exec {number}<>{path}; while :; do sleep 0.1; done", f"{way}={path}"]
    other = ["sh", "-c", f"exec {number}<>{path}; while :; do sleep 0.1; done"]
    own = Path(f"/proc/{keeper.pid}/fd")
    helpers = []
    try:
        (tmp_path / "7").write_text("0\n")
        assert eventually(lambda: (own / "7").exists() and not (own / "7").is_dir())
        helpers = [subprocess.Popen(words) for words in (stays, other)]
        held = [f"/proc/{helper.pid}/fd/{number}" for helper in helpers]
        assert eventually(lambda: all(os.path.exists(at) for at in held))
        assert eventually(lambda: all(os.path.samefile(at, path) for at in held))
        if told:
            (own / "0").write_text(f"drop {helpers[0].pid}\n")
        keeper.wait(GUARD)
        assert helpers[0].wait(GUARD) == -signal.SIGTERM
        assert helpers[1].poll() is None  # the program itself
    finally:
        for process in (keeper, wrapper, *helpers):
            process.kill()
            process.wait()


@pytest.mark.parametrize("spool", ["qga-spool-test", ""])
def test_what_a_keepers_shell_complains_of_is_no_output(tmp_path: Path, spool: str) -> None:
    """The wrapper has ended, all but its pipes, when the keeper asks it for its timer."""
    pipes = [tmp_path / number for number in "3456"]
    for pipe in pipes:
        os.mkfifo(pipe)
    opened = "".join(f"exec {pipe.name}<>{pipe}\n" for pipe in pipes)
    text = f"# mark\n{opened}exec 2>&6\necho >&3\nread -r end <&6"
    wrapper = subprocess.Popen(["sh", "-c", text], stdin=subprocess.DEVNULL)
    words = ["qga-keeper", f"{wrapper.pid}", "mark", spool, ""]
    names = " ".join(f"{spool}{number}" for number in range(4)) if spool else ""
    soon = KEEPER.replace("sleep 20 &", "sleep 1 &")
    assert soon != KEEPER
    keeper = subprocess.Popen(
        ["sh", "-c", f"spools='{names}'\n{soon}", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    own = Path(f"/proc/{keeper.pid}")
    ticker = own / f"task/{keeper.pid}/children"
    try:
        assert eventually(lambda: (own / "fd/7").exists() and not (own / "fd/7").is_dir())
        assert eventually(ticker.read_text)  # what could go wrong has
        for number in "674":
            output = os.open(own / f"fd/{number}", os.O_RDWR | os.O_NONBLOCK)
            try:
                assert os.read(output, 4096) == b""
            except BlockingIOError:
                pass  # an empty pipe
            finally:
                os.close(output)
        if spool:
            (own / "fd/0").write_text("drop\n")
            keeper.wait(GUARD)
        else:  # by the kernel, say, that had no memory left
            left = ticker.read_text().split()
            keeper.kill()
            assert left
            assert eventually(lambda: not any(map(runs, left)))
    finally:
        for process in (keeper, wrapper):
            process.kill()
            process.wait()
