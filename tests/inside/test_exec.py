"""The scripts of `inside/exec`."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from qga_cli.exec.context import INLINE, NO_INPUT, Context, quote
from qga_cli.inside import loaded_at_once, script
from tests.inside.conftest import Run
from tests.kit.running import GUARD

GONE = "99999999"  # above the kernel's largest pid
MARK = b"the-end"


def line(how: str = NO_INPUT, **around: object) -> bytes:
    """What a script reads of a program's context."""
    return Context(**around).line(how)  # type: ignore[arg-type]


def test_the_wrapper_tells_streams_and_code(sh: Run) -> None:
    given = MARK + b"\n" + line(INLINE, env={"end": "a  'b'\nc"}, workdir="/usr") + b"\0\xff\n"
    words = 'echo "$end $PWD"; cat; echo err >&2; exit 3'
    done = sh("exec/can_run+exec/wrapper", "sh", "-c", words, stdin=given)
    # One reply for both, or each in its own: whichever is cheaper in the guest.
    out, err = (done.stdout + done.stderr).split(MARK + b" 3 ")[:2]
    assert out == b"a  'b'\nc /usr\n\0\xff\n"
    assert err.split() == [*([b"killed"] if b"killed" in err else []), b"err"]


def test_the_wrapper_tells_a_signal(sh: Run) -> None:
    done = sh("exec/can_run+exec/wrapper", "sh", "-c", "kill -9 $$", stdin=MARK + b"\n" + line())
    told = (done.stdout + done.stderr).splitlines()
    assert [text.split()[:2] for text in told] == [[MARK, b"137"]] * 2
    assert all(text.split()[2] in (b"killed", b"killedkilled") for text in told)


def test_a_timer_that_misses_a_milder_signal_is_ended(sh: Run) -> None:
    """It lived on for 50 seconds, and `exec` with it: a TERM that meets a child of a shell before
    that has given up its parent's traps is lost. Here it loses all that can be lost."""
    begin = "{ exec >/dev/null"

    def deaf(text: str) -> str:
        assert begin in text
        return text.replace(begin, f"{{ trap '' HUP INT TERM; {begin[2:]}", 1)

    done = sh("exec/can_run+exec/wrapper", "true", stdin=MARK + b"\n" + line(), around=deaf)
    assert (done.stdout + done.stderr).count(MARK + b" 0") == 2


@pytest.mark.parametrize(("program", "code"), [("/no/such", 127), ("/etc", 126), ("no-such", 127)])
def test_the_wrapper_starts_nothing_that_is_no_program(sh: Run, program: str, code: int) -> None:
    done = sh("exec/can_run+exec/wrapper", program, stdin=MARK + b"\n" + line())
    assert (done.returncode, done.stdout) == (code, b"")


@pytest.mark.parametrize("program", ["/usr/bin/hidden", "hidden"])
def test_a_program_that_root_may_not_look_at_is_there(sh: Run, program: str) -> None:
    """SELinux hides ip from an agent that it confines: "no program 'ip'" was a lie."""
    said = "ls: cannot access '/usr/bin/hidden': Permission denied"
    done = sh("exec/can_run+exec/wrapper", program, stdin=MARK + b"\n" + line(),
              around=lambda text: f'ls() {{ echo "{said}" >&2; return 2; }}\n{text}')  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (126, b"", b"Permission denied\n")


def test_a_detached_program_takes_the_shells_place(sh: Run) -> None:
    words = "echo out $A; echo err >&2; exit 4"
    done = sh("exec/scope+exec/detached", "sh", "-c", words, stdin=line(env={"A": "1"}))
    assert (done.returncode, done.stdout, done.stderr) == (4, b"out 1\n", b"err\n")
    assert sh("exec/scope+exec/detached", "no-such", stdin=line()).returncode == 127


def test_without_proc_a_megabyte_is_kept_of_each_stream(sh: Run) -> None:
    words = "cat /dev/zero | head -c 2000000; echo err >&2; exit 5"
    done = sh("exec/bounded", "sh", "-c", words, stdin=line())
    assert (done.returncode, len(done.stdout)) == (5, 2**20 + 1)
    assert done.stderr == b"err\nqga\n"  # and the mark


def test_a_script_runs_from_a_file_without_a_name(sh: Run) -> None:
    text = b'echo "$0 $1 $QGA_FILE"; cat\n'
    name = f"qga-{os.urandom(8).hex()}"
    given = name.encode() + b"\n" + text + b"its input"
    words = (str(len(text)), "/bin/sh", "/proc/self/fd/9", "a word")
    done = sh("exec/script", *words, stdin=given)
    assert done.stdout == b"/proc/self/fd/9 a word \nits input", done.stderr
    for place in ("/dev/shm", "/run", "/tmp", "/var/tmp"):
        assert not Path(place, name).exists()


def test_a_script_that_can_be_kept_nowhere_is_told_as_that(sh: Run) -> None:
    """All is read-only, or has no inode left: the shell ended with 1 or 2, as the script might."""

    def nowhere(text: str) -> str:
        places = "/dev/shm /run /tmp /var/tmp"
        assert places in text
        return text.replace(places, "/proc/none /proc")

    done = sh("exec/script", "5", "/bin/sh", "/proc/self/fd/9", stdin=b"qga-0\ntrue\n",
              around=nowhere)  # fmt: skip
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr


def test_a_part_of_a_script_does_not_run(sh: Run) -> None:
    given = f"qga-{os.urandom(8).hex()}\necho ran\n".encode()
    done = sh("exec/script", "4000", "/bin/sh", "/proc/self/fd/9", stdin=given)
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"could not keep the script in /" in done.stderr


@pytest.mark.parametrize("looks", ["with grep -z", "without"])
def test_a_tree_is_ended_by_its_mark(sh: Run, looks: str) -> None:
    """It stands behind other variables, and the parent is gone."""

    def around(text: str) -> str:
        start, found, rest = text.partition("grep -qzF Name /proc/self/status")
        assert found
        return text if looks == "with grep -z" else f"{start}false{rest}"

    mark = f"qga-inside-{os.getpid()}"
    stubborn = "trap '' TERM; echo; while :; do sleep 0.1; done"
    with subprocess.Popen(
        ["sh", "-c", stubborn], env=os.environ | {"QGA_EXEC": mark}, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout
        program.stdout.readline()
        try:
            done = sh("exec/end", GONE, mark, "TERM", "20", around=around)
            assert (done.returncode, program.wait(GUARD)) == (0, -signal.SIGKILL)
        finally:
            program.kill()


@pytest.mark.parametrize(("name", "ends"), [("qga", True), ("qga-over", False)])
def test_a_program_whose_qga_has_died_is_ended_unless_it_is_over(
    sh: Run, name: str, ends: bool
) -> None:
    mark = f"qga-inside-{os.urandom(8).hex()}"
    text = (
        f"# {mark}\nprintf {name} >/proc/self/comm; exec 3</dev/null; sleep 301 &\n"
        f"( QGA_EXEC={mark}; export QGA_EXEC; exec sleep 300 ) 3<&- & echo; wait $!; echo $?"
    )
    with subprocess.Popen(["sh", "-c", text, mark], stdout=subprocess.PIPE) as wrapper:
        assert wrapper.stdout
        wrapper.stdout.readline()
        assert sh("exec/orphan+exec/end", mark, "HUP", "0").returncode == 0
        if not ends:
            assert sh("exec/end", GONE, mark, "KILL", "20").returncode == 0
        expected = 128 + (signal.SIGHUP if ends else signal.SIGKILL)
        assert wrapper.stdout.readline() == b"%d\n" % expected
    assert sh("exec/orphan+exec/end", mark, "HUP", "0").returncode == 9


def test_a_tree_is_ended_by_its_parent(sh: Run) -> None:
    with subprocess.Popen(["sh", "-c", "sleep 300 & echo; wait"], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        if sh("exec/end_descendants", str(parent.pid), "KILL", "0").stderr.find(b"ps:") >= 0:
            parent.kill()
            pytest.skip("this busybox has a ps without -A -o")
        assert parent.wait(GUARD) == -signal.SIGKILL
        assert parent.stdout.read() == b""  # no child holds it


def test_a_keeper_takes_over_nothing_from_a_process_that_is_no_wrapper(sh: Run) -> None:
    assert sh("exec/keeper", GONE, "mark", "", "").returncode == 99
    with subprocess.Popen(["sleep", "60"]) as other:
        assert sh("exec/keeper", str(other.pid), "mark", "", "").returncode == 99
        other.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="acts as another user")
def test_a_keeper_writes_nothing_of_another_user_who_poses_as_the_wrapper(sh: Run) -> None:
    """He may only read it; root, by /proc, would have written it."""
    precious = Path(f"/var/tmp/qga-precious-{os.getpid()}")
    precious.write_bytes(b"\nprecious\n")
    opened = "".join(f" {number}<{precious}" for number in (0, 3, 4, 5))
    text = f"# mark\nexec{opened} 6>&2\nsleep 60; exit"
    try:
        with subprocess.Popen(
            ["sh", "-c", text], user=65534, group=65534, stderr=subprocess.DEVNULL
        ) as mallory:
            done = sh("exec/keeper", str(mallory.pid), "mark", "", "")
            mallory.kill()
        assert (done.returncode, precious.read_bytes()) == (99, b"\nprecious\n")
    finally:
        precious.unlink()


@pytest.mark.parametrize("kept", [1.0, 0.99, 0.5, 0.02])
def test_a_script_that_is_read_at_once_runs_whole_or_not_at_all(
    sh: Run, tmp_path: Path, kept: float
) -> None:
    """A part of it comes when the agent goes down in the middle."""
    text = 'touch begun; echo "$qga_end"; cat\n' + script("exec/can_run") + script("exec/wrapper")
    words, given = loaded_at_once(
        "mark", text, qga_end=quote("it's"), qga_context=quote("qga_around() { :; }")
    )
    assert words[0] == "sh"
    done = sh("exec/load", "sh", "-c", "exit 5", stdin=given[: int(len(given) * kept)],
              around=lambda _: words[2])  # fmt: skip
    if kept < 1:
        assert done.returncode not in (0, 5)
        assert not (tmp_path / "begun").exists()
    else:
        assert done.stdout.startswith(b"it's\n")
        assert b"it's 5 " in done.stdout
