"""What a program of the guest sees of qga around it, and what it can end there by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lab
from tests.kit.command import qga
from tests.kit.policies import lines


def test_a_program_finds_no_words_of_its_own_elsewhere(guest: lab.Guest) -> None:
    """As a bare guest-exec: `pgrep -f` passes itself by, and there is nobody else."""
    for words in (
        ["pgrep", "-fa", "anything"],
        ["pgrep", "-fxa", "sleep [0-9]0"],
        ["pgrep", "-xa", "dd"],
    ):
        ran = qga("exec", guest.name, "--", *words)
        assert (ran.code, ran.out, ran.err) == (1, "", ""), words
    # runuser and su stay beside the program. su is taken where there is no runuser.
    for hide in ("", "mv /sbin/runuser /sbin/runuser.away 2>/dev/null; "):
        qga("exec", guest.name, "--", "sh", "-c", f"{hide}:")
        for user in ("nobody", "root"):
            ran = qga("exec", "-u", user, guest.name, "--", "pgrep", "-fa", "anything")
            assert (ran.code, ran.out, ran.err) == (1, "", ""), (hide, user)
            ran = qga("exec", "-u", user, guest.name, "--", "printf", "<%s>", "a  b", "", "c\n'\"$")
            assert ran.out == "<a  b><><c\n'\"$>"
            assert qga("exec", "-u", user, guest.name, "--", "no-such").code == 127
    qga("exec", guest.name, "--", "mv", "/sbin/runuser.away", "/sbin/runuser")
    for wait in ("", "sleep 1; "):
        told = qga("exec", guest.name, "--", "sh", "-c", wait + "exec ps axww -o args").out
        ours = [line for line in told.splitlines() if "# qga-" in line]
        assert ours
        assert all("axww" not in line and len(line) < 300 for line in ours), ours


# In the program's first moment, when a timer holds its pipes, and when they are carried.
@pytest.mark.parametrize(
    ("wait", "channel"),
    [
        ("0.05", "never"),
        ("1", "never"),
        pytest.param("0.05", "always", marks=pytest.mark.port_written),
    ],
)
def test_a_program_that_ends_others_by_name_keeps_its_streams(
    guest: lab.Guest, wait: str, channel: str
) -> None:
    text = f"""
        wait() {{ read -t "$1" line <>/tmp/silence.$$; }}; mkfifo /tmp/silence.$$
        wait {wait}
        for name in sleep dd cat head sh; do pkill -x $name; wait 0.1; echo $name; done
        head -c 500000 | wc -c
        pkill -x dd; wc -c
        rm /tmp/silence.$$; exit 3"""
    words = "exec", "--channel", channel, guest.name, "--", "bash", "-c", text
    ran = qga(*words, stdin=bytes(900_000))
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.split() == ["sleep", "dd", "cat", "head", "sh", "500000", "400000"]


def test_a_program_that_nobody_waits_for_keeps_its_output(guest: lab.Guest) -> None:
    text = "for name in cat head sh; do pkill -x $name; sleep 0.1; echo $name; done; exit 3"
    pid = qga("exec", "-d", guest.name, "--", "bash", "-c", text).out.strip()
    assert qga("exec-status", "--wait", "--timeout", "20s", guest.name, pid).code == 3


def test_input_that_did_not_all_arrive_is_told(guest: lab.Guest) -> None:
    """Its end was silent: the program took what it had got for all of it."""
    text = "until pkill -f '[o]f=/proc/.*/fd/8'; do sleep 0.1; done; wc -c"
    words = ("exec", "--channel", "never", guest.name, "--", "sh", "-c", text)
    ran = qga(*words, stdin=bytes(900_000))
    assert (ran.code, "input is lost" in ran.err) == (125, True), (ran.out, ran.err)


def test_what_ended_the_output_is_told(guest: lab.Guest) -> None:
    """It said first that the guest might have no room."""
    text = "until pkill -f '[i]f=/proc/.*/fd/4'; do sleep 0.1; done; sleep 9"
    ran = qga("exec", "--channel", "never", guest.name, "--", "sh", "-c", text)
    assert (ran.code, "dd was ended in the guest" in ran.err) == (125, True), (ran.out, ran.err)
    assert "no room" not in ran.err


def test_the_audit_file_names_the_program(local_agent: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for words in (["exec"], ["exec", "-d"]):
        ran = qga("-c", local_agent, *words, "--audit", str(log), "x", "--", "echo", "a  b\n'")
        assert ran.code == 0, ran.err
    told = [line for line in lines(log) if line["command"] == "guest-exec"]
    assert [line["program"] for line in told] == [["echo", "a  b\n'"]] * 2
    assert all(line["argv"][0] == "sh" and "a  b" not in str(line["argv"]) for line in told)
