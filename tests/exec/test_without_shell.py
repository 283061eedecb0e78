"""exec where the guest lacks what streaming needs: /proc or dd, or any POSIX shell."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli.exec.without_proc import END
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.running import GUARD, Started, eventually
from tests.lab.local_agent import agent

MB = 2**20


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An agent whose programs find no dd."""
    folder = tmp_path_factory.mktemp("poor")
    programs = folder / "bin"
    programs.mkdir()
    for name in ("setpriv", "sh", "head", "cat", "sleep", "ps", "seq", "tr", "wc", "env"):
        program = shutil.which(name)
        assert program
        (programs / name).symlink_to(program)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(programs))
        with agent(folder, "poor") as running:
            patch.undo()
            yield f"unix:{running.socket}"


@pytest.mark.root
@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_what_a_real_agent_without_sh_cannot_start(tmp_path: Path, language: str) -> None:
    """It quotes the program, and up to 9.0 all it says, as its locale has quotes."""
    empty = ("unshare", "--mount", "bash", "-ec", 'mount -t tmpfs none /usr/bin; exec "$@"', "-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", language)
        with agent(tmp_path, "bare", around=empty) as running:
            patch.undo()
            uri = f"unix:{running.socket}"
            assert poorly(uri, "x", "--", "/no/such")[0] == 127
            assert poorly(uri, "x", "--", "/etc/passwd")[0] == 126


def test_a_shell_outside_the_path_of_the_agent(tmp_path: Path) -> None:
    """NixOS gives its agent a PATH of coreutils, find, grep and sed: /bin/sh is in none of them."""
    names = "setpriv cat dd head mkdir mv rm ls stat readlink find chmod chown sync sha512sum id"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in names.split():
        (programs / name).symlink_to(shutil.which(name) or "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(programs))
        with agent(tmp_path, "nix") as running:
            patch.undo()
            to = f"unix:{running.socket}"
            words = ("exec", "-e", "A=a b", "-w", "/usr", "x", "--")
            ran = qga("-c", to, *words, sys.executable, "-c", "import os; print(os.environ['A'])")
            assert (ran.code, ran.out) == (0, "a b\n"), ran.err
            assert qga("-c", to, "exec", "x", "sh", "-c", "exit 7").code == 7
            assert qga("-c", to, "script", "x", "-", stdin=b"echo $((1 + 1))").out == "2\n"
            assert qga("-c", to, "cp", __file__, f"x:{tmp_path}/new").code == 0
            listed = qga("-c", to, "ls", f"x:{tmp_path}").out.split()
            assert listed == ["bin", "new", "nix.sock", "nix.state"]
    assert (tmp_path / "new").read_bytes() == Path(__file__).read_bytes()


@pytest.mark.parametrize(
    ("system", "paths"),
    [
        ({"id": "nixos"}, ["sh", "/bin/sh"]),
        ({"id": "mswindows"}, ["sh"]),
        ({}, ["sh"]),
        (None, ["sh"]),
    ],
)
def test_a_shell_by_its_path_is_for_systems_that_have_one(
    fake: Callable[[Handler], FakeAgent], system: dict[str, object] | None, paths: list[str]
) -> None:
    """On Windows any user may make a \\bin\\sh.exe, and the agent would run it as SYSTEM."""

    def answer(request: dict[str, object]) -> object:
        if request["execute"] == "guest-get-osinfo" and system is not None:
            return system
        raise AgentFault("Failed to execute child process (No such file or directory)")

    agent = fake(answer)
    qga("-c", agent.uri, "exec", "x", "--", "true")
    sent = [request["arguments"] for request in agent.requests if "arguments" in request]
    asked = [str(one["path"]) for one in sent if isinstance(one, dict) and "path" in one]
    assert [path for path in asked if path.endswith("sh")] == paths


def test_a_shell_on_windows_is_not_used(tmp_path: Path) -> None:
    """S20: Git for Windows brings one, in whose /proc the agent opens nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS", "Windows_NT")
        with agent(tmp_path, "git") as running:
            patch.undo()
            ran = qga("-vv", "-c", f"unix:{running.socket}", "exec", "x", "--", "sleep", "1")
    assert ran.code == 0
    assert "output at the end only: a shell on Windows" in ran.err


def poorly(uri: str, *words: str, stdin: bytes = b"") -> "tuple[int, bytes, str]":
    ran = qga("-c", uri, "exec", *words, stdin=stdin)
    return ran.code, ran.stdout, ran.err


def test_streams_and_codes_without_dd(poor: str) -> None:
    script = "wc -c; echo to stderr >&2; exit 3"
    assert poorly(poor, "x", "--", "sh", "-c", script, stdin=b"12345") == (3, b"5\n", "to stderr\n")
    assert poorly(poor, "x", "--", "cat", stdin=b"\0\xff\n") == (0, b"\0\xff\n", "")
    assert poorly(poor, "x", "--", "sh", "-c", "kill -9 $$")[0] == 137


def test_a_context_without_dd(poor: str) -> None:
    words = "-e", "GREETING=a 'b'", "-w", "/usr", "x", "--", "sh", "-c", 'echo "$GREETING $PWD"'
    assert poorly(poor, *words) == (0, b"a 'b' /usr\n", "")
    code, out, err = poorly(poor, "-w", "/nowhere", "x", "--", "cat")
    assert (code, out) == (125, b"")
    assert "/nowhere" in err
    assert poorly(poor, "x", "--", "nosuch")[0] == 127


@pytest.mark.slow
def test_output_without_dd_is_bounded_and_the_loss_is_told(poor: str) -> None:
    for count, lost in ((MB, False), (MB + 1, True), (9 * MB, True)):
        code, out, err = poorly(poor, "x", "--", "head", "-c", str(count), "/dev/zero")
        assert out == bytes(MB)
        assert code == (125 if lost else 0)
        assert ("past the first megabyte is lost" in err) == lost
    script = f"head -c {9 * MB} /dev/zero >&2; echo out"
    code, out, err = poorly(poor, "x", "--", "sh", "-c", script)
    assert (code, out) == (125, b"out\n")


@pytest.mark.slow
def test_a_timeout_without_dd_ends_the_tree(poor: str) -> None:
    """`trap`: what does not end by TERM is killed."""
    script = "trap '' TERM; sleep 987 & sleep 987"
    words = ("-c", poor, "--timeout", "0.3", "exec", "--kill-after", "1s", "x", "--")
    assert qga(*words, "sh", "-c", script).code == 124
    assert subprocess.run(["pgrep", "-fx", "sleep 987"], stdout=subprocess.DEVNULL).returncode == 1


def test_a_program_that_is_not_there_is_told_in_words_of_qga(poor: str) -> None:
    code, _, err = poorly(poor, "x", "--", "no-such-program")
    assert (code, err.count("no-such-program"), "qga-" in err) == (127, 1, False), err


def test_input_that_comes_late_is_waited_for(poor: str) -> None:
    late = Started("-c", poor, "exec", "x", "--", "cat", stdin=subprocess.PIPE)
    assert late.process.stdin
    time.sleep(0.3)  # ten times the moment that a quick input has
    late.process.stdin.write(b"late\n")
    late.process.stdin.close()
    late.process.stdin = None
    assert late.end() == (0, "late\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("-d",)])
def test_it_is_told_what_is_waited_for_where_input_has_no_end(
    poor: str, words: tuple[str, ...]
) -> None:
    """`ssh HOST qga exec -d VM -- job` said nothing for ever."""
    waiting = Started("-c", poor, "exec", *words, "x", "--", "seq", "1", stdin=subprocess.PIPE)
    line = waiting.stderr.readline().decode()
    assert line == "qga: x: waiting for the end of the input; -n gives the program none\n"
    code, out, err = waiting.end()
    assert (code, err) == (0, "")
    assert out.strip().isdecimal() if words else out == "1\n"


def test_input_that_is_awaited_can_be_interrupted(poor: str) -> None:
    waiting = Started("-vv", "-c", poor, "exec", "x", "--", "cat", stdin=subprocess.PIPE)
    assert "output at the end only" in next(
        line for line in map(bytes.decode, waiting.stderr) if "at the end" in line
    )
    waiting.signal(signal.SIGINT)
    assert waiting.process.wait(GUARD) == -signal.SIGINT
    waiting.end()


def test_too_much_input_is_refused_before_the_program_runs(poor: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code, _, err = poorly(poor, "x", "--", "sh", "-c", f"echo >{ran}", stdin=bytes(100_000))
    assert code == 2
    assert "48 KiB of input at most" in err
    assert not ran.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "seconds", "signum"),
    [
        ("(sleep 986 & wait) & sleep 986; :", 0, signal.SIGTERM),
        # what it starts between the two signals
        ("trap '' TERM; while sleep 986 & do sleep 0.3; done", 1, signal.SIGKILL),
    ],
)
def test_a_tree_is_found_by_parents(script: str, seconds: int, signum: int) -> None:
    tree = subprocess.Popen(["sh", "-c", script], start_new_session=True)

    def asleep() -> int:
        count = ["pgrep", "-cx", "-s", f"{tree.pid}", "sleep"]
        return int(subprocess.run(count, capture_output=True).stdout)

    try:
        assert eventually(lambda: asleep() >= 2)
        end = ["sh", "-c", END, "qga-end", str(tree.pid), "TERM", str(seconds)]
        subprocess.run(end, check=True)
        assert tree.wait(GUARD) == -signum
        assert eventually(lambda: asleep() == 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tree.pid, signal.SIGKILL)
        tree.wait()


class Shellless:
    """The agent of a guest without a shell, as far as exec goes."""

    def __init__(self, *, exits: bool = True, code: int = 0) -> None:
        self.started: list[dict[str, object]] = []
        self._exits = exits
        self._code = code

    def __call__(self, request: dict[str, object]) -> object:
        arguments = request.get("arguments", {})
        assert isinstance(arguments, dict)
        if request["execute"] == "guest-exec":
            return self._start(arguments)
        if request["execute"] == "guest-exec-status":
            return self._status(int(arguments["pid"]))
        raise AgentFault("unexpected")

    def _start(self, arguments: dict[str, object]) -> object:
        if arguments["path"] == "sh":
            raise AgentFault("Failed to execute helper program (No such file or directory)")
        self.started.append(arguments)
        if arguments["path"] == "kill":
            self._exits, self._code = True, 143
        return {"pid": len(self.started)}

    def _status(self, pid: int) -> object:
        assert pid <= len(self.started)
        return {"exited": True, "exitcode": self._code} if self._exits else {"exited": False}


def test_arguments_without_shell_are_as_they_are(fake: Callable[[Handler], FakeAgent]) -> None:
    guest = Shellless(code=7)
    words = ["/a b/x", "", 'a "b"', "c\\", "%PATH%", "é"]
    assert qga("-c", fake(guest).uri, "exec", "x", "--", *words, stdin=b"in").code == 7
    assert guest.started[0]["path"] == words[0]
    assert guest.started[0]["arg"] == words[1:]
    assert guest.started[0]["input-data"] == base64.b64encode(b"in").decode()


def test_a_timeout_without_shell_ends_the_program(fake: Callable[[Handler], FakeAgent]) -> None:
    guest = Shellless(exits=False)
    ran = qga("-c", fake(guest).uri, "--timeout", "0.2", "exec", "x", "--", "sleep", "9")
    assert ran.code == 124
    assert guest.started[-1] == {"path": "kill", "arg": ["-s", "TERM", "1"]}


@pytest.mark.parametrize(
    ("why", "code"),
    [("No such file or directory", 127), ("Permission denied", 126), ("Not enough space", 125)],
)
def test_what_cannot_be_started_without_shell(
    fake: Callable[[Handler], FakeAgent], why: str, code: int
) -> None:
    def broken(request: dict[str, object]) -> object:
        raise AgentFault(f"Failed to execute helper program ({why})")

    assert qga("-c", fake(broken).uri, "exec", "x", "--", "nosuch").code == code


@pytest.mark.parametrize("flag", [("-e", "A=b"), ("-w", "/"), ("-u", "me")])
def test_a_context_without_shell_is_refused(
    fake: Callable[[Handler], FakeAgent], flag: tuple[str, str]
) -> None:
    guest = Shellless()
    ran = qga("-c", fake(guest).uri, "exec", *flag, "x", "--", "ls")
    assert ran.code == 125
    assert "no POSIX shell" in ran.err
    assert guest.started == []
