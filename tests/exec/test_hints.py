"""What was meant for a shell is told as that, and never in the name of a script of ours."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.exec.sinks import Complaint
from tests import lab
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence
from tests.kit.running import GUARD
from tests.lab.local_agent import agent as run_local_agent


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["ls -la /etc"], "there is no shell: `qga exec VM -- ls -la /etc`"),
        (["ls -la /etc | wc"], "there is no shell: `qga exec VM -- sh -c 'ls -la /etc | wc'`"),
        (["ls *.c  d"], "there is no shell: `qga exec VM -- sh -c 'ls *.c  d'`"),
        (["it's"], ""),
        (["cd", "/tmp"], "cd is a word of the shell; -w DIR runs a program in a folder"),
        (["export", "A=1"], "export is a word of the shell: `qga exec VM -- sh -c 'export ...'`"),
        (["A=1", "env"], "there is no shell: -e A=1 sets a variable"),
        (["nosuch"], ""),
    ],
)
def test_a_shells_words(guest: lab.Guest, words: list[str], hint: str) -> None:
    ran = qga("exec", guest.name, "--", *words)
    lines = [f"qga: {guest.name}: no program {words[0]!r} in the guest"]
    if hint:
        lines.append("hint: " + hint.replace("VM", guest.name))
    assert (ran.code, ran.out, ran.err.splitlines()) == (127, "", lines)


def test_what_cannot_be_executed(guest: lab.Guest) -> None:
    made = "printf '#!/nosuch\\n' >/tmp/1; printf '\\177ELFxx' >/tmp/2; chmod +x /tmp/1 /tmp/2"
    assert qga("exec", guest.name, "--", "sh", "-c", made).code == 0
    first, second = (qga("exec", guest.name, "--", f"/tmp/{name}") for name in "12")
    assert (first.code, second.code) == (127, 126)
    assert "what its #! line names" in first.err
    assert second.err.endswith("'/tmp/2' is not executable in the guest: Exec format error\n")


@pytest.mark.parametrize("words", [("exec", "x", "--"), ("rsh", "x")])
def test_a_program_whose_end_no_agent_tells_may_have_run(
    fake: Callable[[Handler], FakeAgent], words: tuple[str, ...]
) -> None:
    """The guest lets it be started, and blocks guest-exec-status."""
    status = {"name": "guest-exec-status", "enabled": False, "success-response": True}

    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-info":
            return {"version": "7.2.22", "supported_commands": [status]}
        if request["execute"] == "guest-exec":
            return {"pid": 7}
        raise AgentFault(f"The command {request['execute']} has been disabled for this instance")

    ran = qga("-c", fake(handle).uri, *words, "reboot")
    assert ran.code == (255 if words[0] == "rsh" else 125)
    assert "guest-exec-status is blocked by the guest's policy: " in ran.err
    assert "was started (pid 7 in the guest): it may run still\n" in ran.err


def test_an_agent_that_closes_no_file_is_told_of_once(tmp_path: Path) -> None:
    """The file was closed once more at the end, which was a bug of ours in the message."""
    with run_local_agent(tmp_path, "agent", "-b", "guest-file-close") as running:
        words = ("-c", f"unix:{running.socket}", "exec", "vm", "--", "wc", "-c")
        ran = qga(*words, stdin=bytes(3_000_000))
    assert (ran.code, ran.out) == (125, "")
    assert ran.err.startswith("qga: vm: guest-file-close is blocked by the guest's policy")


def test_a_programs_own_words_are_its_own(guest: lab.Guest) -> None:
    ran = qga("exec", guest.name, "--", "sh", "-c", "nosuch; exit 127")
    assert (ran.code, ran.err) == (127, "sh: 1: nosuch: not found\n")
    ran = qga("exec", guest.name, "--", "sh", "-c", "printf qga- >&2; exit 127")
    assert (ran.code, ran.err) == (127, "qga-")


@pytest.mark.parametrize(
    ("pieces", "said", "passed"),
    [
        ([b"qga-1: 36: exec: cd: not found\n"], "cd: not found", b""),
        ([b"qga-1", b": line 36: exec: ", b"cd: not found\n"], "cd: not found", b""),
        ([b"qga-1: exec: line 36: cd: not found\n"], "cd: not found", b""),
        ([b"qga", b"-2: x\n"], "", b"qga-2: x\n"),
        ([b"x", b"qga-1: 1: y"], "", b"xqga-1: 1: y"),
        ([b"q"], "", b"q"),  # a program that asks, and waits for an answer
        ([b"qga-1: " + b"x" * 9000], "", b"qga-1: " + b"x" * 9000),
        ([], "", b""),
    ],
)
def test_a_shells_complaint(pieces: list[bytes], said: str, passed: bytes) -> None:
    out = bytearray()
    complaint = Complaint(out.extend, "qga-1")
    for piece in pieces:
        complaint.take(piece)
    assert (complaint.said, bytes(out)) == (said, passed)
    complaint.release()
    assert bytes(out) == b"".join(pieces)


def test_what_runs_on_is_told_when_the_time_is_over_and_the_agent_silent(
    fake: Callable[[Handler], FakeAgent],
) -> None:
    """It said that no answer had come, and guest-exec had been sent."""
    agent = fake(lambda request: Silence() if request["execute"] == "guest-exec" else {})
    words = ["-c", agent.uri, "exec", "-n", "--timeout", "300ms", "--kill-after", "1ms", "x", "--"]
    soon = "from qga_cli.cli import main, run; run._GRACE = 0.1; main.main()"
    ran = subprocess.run(
        [sys.executable, "-c", soon, *words, "reboot"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=GUARD,
    )  # fmt: skip
    said = "qga: x: no answer within 0.3 s: reboot may still run in x; its pid is not known\n"
    assert (ran.returncode, ran.stderr) == (124, said)
