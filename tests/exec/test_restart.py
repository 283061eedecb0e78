"""The agent is restarted while a program of ours runs: it goes on, or its outcome is unknown."""

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qga_cli.errors import OutcomeUnknown, Refused
from qga_cli.exec import calls
from qga_cli.exec.calls import AgentCalls
from qga_cli.exec.streamed import StreamedProgram
from tests import lab
from tests.kit.command import qga
from tests.kit.in_guest import await_agent
from tests.kit.running import Started, eventually, execute
from tests.lab.local_agent import agent as run_local_agent

# init starts it again. Found by its name, for a shell's command line has the word too.
KILL = "kill -9 $(pidof qemu-ga)"


def restart(guest: lab.Guest) -> None:
    """Kill the agent by a program that outlives it."""
    ran = qga("exec", "-d", guest.name, "--", "sh", "-c", KILL)
    assert ran.code in (0, 125), ran.err
    assert await_agent(guest)


def test_a_program_goes_on_when_the_agent_is_back(guest: lab.Guest) -> None:
    text = "i=0; while [ $i -lt 60 ]; do echo $i; echo e$i >&2; i=$((i+1)); sleep 0.1; done; exit 7"
    running = Started("exec", guest.name, "--", "sh", "-c", text)
    assert running.line() == "0"
    restart(guest)
    code, out, err = running.end()
    assert (code, err) == (7, "".join(f"e{i}\n" for i in range(60)))
    read = out.split()  # but for what a buffer of ours held behind the first line
    assert read == [str(i) for i in range(60 - len(read), 60)]
    assert len(read) > 30


def test_a_program_that_restarts_the_agent_itself(guest: lab.Guest) -> None:
    """As an upgrade of the agent's package does."""
    text = f"echo old; sleep 1; {KILL}; sleep 2; echo new; exit 3"
    ran = qga("exec", guest.name, "--", "sh", "-c", text)
    assert await_agent(guest)
    assert (ran.code, ran.out, ran.err) == (3, "old\nnew\n", "")


@pytest.mark.parametrize("seconds", [3, 30])
def test_last_words_are_waited_for_where_the_agent_forgot_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """It has just ended when it is looked for, and what it wrote last is on its way still."""
    really, wrapper = AgentCalls.status, list[int]()

    def forgetful(self: AgentCalls, pid: int) -> Mapping[str, Any]:
        if pid == wrapper[0] and time.monotonic() > began + 0.5:
            raise Refused("PID is not known", desc="PID 7 does not exist")
        return really(self, pid)

    def started(self: AgentCalls, *words: Any, **more: Any) -> int:
        wrapper.append(really_start(self, *words, **more))
        return wrapper[-1]

    really_start = AgentCalls.start
    monkeypatch.setattr(AgentCalls, "start", started)
    monkeypatch.setattr(AgentCalls, "status", forgetful)
    began = time.monotonic()
    program = "sh", "-c", f"echo old; sleep {seconds}; echo new; exit 3"
    with run_local_agent(tmp_path, "own") as agent:  # which ends what runs still
        uri = f"unix:{agent.socket}"
        if seconds == 3:
            ran = execute(uri, *program)
            assert (ran.code, ran.out) == (3, b"old\nnew\n")
        else:  # the wrapper alone was killed, say
            with pytest.raises(OutcomeUnknown, match="may run still"):
                execute(uri, *program)
            assert time.monotonic() < began + 15


def test_what_is_lost_with_the_agent_may_have_run(guest: lab.Guest) -> None:
    """It ends with its agent, as under systemd: that is no reason to start it again."""
    text = f"sleep 1; {KILL}; kill -9 $PPID $$"  # later than guest-exec's reply
    ran = qga("exec", "-o", "json", guest.name, "--", "sh", "-c", text)
    assert await_agent(guest)
    error = json.loads(ran.stderr)
    error = error.get("error", error)
    assert (ran.code, error["code"], error["kind"]) == (125, 8, "outcome-unknown")
    assert "pid " in error["message"]


def test_an_agent_that_stays_away(spare: lab.Guest) -> None:
    running = Started("exec", spare.name, "--", "sh", "-c", "echo here; sleep 1000")
    assert running.line() == "here"
    qga("exec", "-d", spare.name, "--", "sh", "-c", "mv /usr/sbin/qemu-ga /root; " + KILL)
    code, _, err = running.end()
    assert code == 125
    assert "it may run still" in err
    assert "pid " in err
    lab.down(spare.name)  # nothing can be called in it any more


def deadly(guest: lab.Guest, program: str, word: str) -> None:
    """Have the agent killed by the next run of a program with that word, which does its work too.

    After a second: before, guest-exec's reply may be lost with the agent. Not by any run of
    it: a slow exec runs `rm` as it ends, also the one that plants this.
    """
    back = f"mv.real /bin/{program}.real /bin/{program}"
    script = (
        f'#!/bin/sh\ncase " $* " in *" {word} "*) ;; *) exec {program}.real "$@" ;; esac\n'
        f'{back}\nsleep 1\n{KILL}\nsleep 1\n{program} "$@"\n'
    )
    made = (
        f"[ -e /bin/mv.real ] || cp /bin/mv /bin/mv.real; cp /bin/{program} /bin/x; "
        f"mv.real /bin/x /bin/{program}.real; cat >/bin/x; chmod 755 /bin/x; "
        f"mv.real /bin/x /bin/{program}"
    )
    ran = qga("exec", guest.name, "--", "sh", "-c", made, stdin=script.encode())
    assert ran.code == 0, ran.err


def test_a_copy_that_may_be_there(spare: lab.Guest, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("new")
    deadly(spare, "stat", "/etc/hostname")  # before anything of the copy is there
    ran = qga("cp", f"{spare.name}:/etc/hostname", str(tmp_path / "back"))
    assert ran.code == 5, ran.err
    assert await_agent(spare)
    deadly(spare, "mv", "./f")  # the last step
    ran = qga("cp", str(tmp_path / "f"), f"{spare.name}:/root/f")
    assert ran.code == 8, ran.err
    assert "/root/f may be the new file" in ran.err
    assert await_agent(spare)  # perhaps within the second that `mv` waits for
    assert eventually(lambda: qga("cat", f"{spare.name}:/root/f").out == "new", 5)
    deadly(spare, "rm", "/root/f")  # a program that goes on
    assert qga("rm", f"{spare.name}:/root/f").code == 0
    assert qga("cat", f"{spare.name}:/root/f").code == 1


@pytest.mark.slow
def test_an_end_that_is_known_is_told_though_the_agent_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tar x && reboot`: it was waited for, and then the end was not known."""
    monkeypatch.setattr(calls, "_RETURN", 0.5)
    carry = StreamedProgram._carry
    with run_local_agent(tmp_path, "gone") as agent:

        def carried(self: StreamedProgram) -> bool:
            moved = carry(self)
            if self.ended:
                os.kill(agent.pid, signal.SIGKILL)
            return moved

        monkeypatch.setattr(StreamedProgram, "_carry", carried)
        ran = execute(f"unix:{agent.socket}", "sh", "-c", "sleep 1; echo out; exit 3")
    assert (ran.code, ran.out) == (3, b"out\n")
