"""exec, script and terminals in a guest whose other user is hostile (tests/kit/attackers.py)."""

import base64
import os
from pathlib import Path

import pytest

from tests import lab
from tests.kit.attackers import HOME, PLANT, UID, USER, Mallory, prepare
from tests.kit.command import qga
from tests.kit.terminals import terminal

SECRET = b"the-secret-of-root"


def test_a_script_is_read_by_nobody_else(guest: lab.Guest, tmp_path: Path) -> None:
    script = tmp_path / "honest.sh"
    script.write_bytes(b"# " + SECRET + b"\necho honest; id -u\n")
    with Mallory(guest, PLANT) as mallory:
        for _ in range(3):
            ran = qga("--timeout", "20", "script", "-n", guest.name, str(script))
            assert SECRET not in mallory.loot()
            assert (ran.code, ran.out) == (0, "honest\n0\n"), ran.err


def test_streams_of_root_are_read_by_nobody_else(guest: lab.Guest) -> None:
    given = (SECRET + b"\n") * 50_000
    count = "sleep 1; echo the-secret-of-root; wc -c"
    with Mallory(guest, PLANT) as mallory:
        for _ in range(2):
            ran = qga("--timeout", "20", "exec", guest.name, "--", "sh", "-c", count, stdin=given)
            assert SECRET not in mallory.loot()
            assert (ran.code, ran.out.split()) == (0, [SECRET.decode(), str(len(given))]), ran.err


@pytest.mark.parametrize("tools", ["runuser su setpriv", "su setpriv", "setpriv"])
def test_a_uid_has_its_entrys_group_and_folder(guest: lab.Guest, tools: str) -> None:
    """Nothing of root's, whichever tool is there; one without an entry neither."""
    prepare(guest)
    away = [tool for tool in ("runuser", "su") if tool not in tools]
    hide = "for tool; do path=$(command -v $tool) && mv $path $path.away; done"
    back = "for tool; do path=$(command -v $tool.away) && mv $path ${path%.away}; done"
    told = "echo $(id -u) $(id -g) $(id -G) $HOME $USER $LOGNAME; cat /etc/shadow 2>&1 | tail -1"
    denied = "cat: /etc/shadow: Permission denied"
    assert qga("exec", guest.name, "--", "sh", "-c", hide, "sh", *away).code in (0, 1)
    try:
        ran = qga("exec", "-u", str(UID), guest.name, "--", "sh", "-c", told)
        assert ran.out.splitlines() == [f"{UID} {UID} {UID} {HOME} {USER} {USER}", denied]
        ran = qga("exec", "-u", "70000", guest.name, "--", "sh", "-c", told)
        assert ran.out.splitlines() == ["70000 70000 70000 /", denied]
        ran = qga("exec", "-u", f"{UID}:tty", guest.name, "--", "id", "-gn")
        assert ran.out == "tty\n"
    finally:
        qga("exec", guest.name, "--", "sh", "-c", back, "sh", *away)


def test_the_end_word_of_a_terminal_is_nobodys_to_list(guest: lab.Guest) -> None:
    """L2: a program wrote the name of a folder, and root's session was over with code 0."""
    forge = r"""
for name in $(ls /run /dev/shm /tmp); do
  case $name in qga-*) printf '\0%s000' "${name#qga-}" ;; esac
done
exit 5"""
    hide = "mv /usr/bin/python3 /usr/bin/python3.away"
    assert qga("exec", guest.name, "--", "sh", "-c", hide).code == 0
    try:
        with terminal("exec", "-t", "-u", "nobody", guest.name, "--", "sh", "-c", forge) as t:
            assert t.end() == 5
    finally:
        qga("exec", guest.name, "--", "mv", "/usr/bin/python3.away", "/usr/bin/python3")


@pytest.mark.parametrize("wait", ["", "sleep 0.7; "])
def test_a_program_that_ends_its_parent_by_name_is_told_as_it_ended(
    guest: lab.Guest, wait: str
) -> None:
    own = "exec -a test-daemon sleep 4242"
    qga("exec", "-d", guest.name, "--", "bash", "-c", own)
    for words in (["-x", "sh"], ["-f", "test-daemon"], ["-INT", "-f", "test-daemon"]):
        kill = [
            "exec",
            guest.name,
            "--",
            "bash",
            "-c",
            wait + 'trap "" TERM INT; exec pkill "$@"',
            "x",
        ]
        ran = qga(*kill, *words)
        assert (ran.code in (0, 1), ran.err) == (True, ""), words


def test_keys_are_added_with_the_rights_of_their_user(guest: lab.Guest) -> None:
    """The agent gave a user whatever his authorized_keys led to, as his own file."""
    prepare(guest)
    blobs = (b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + os.urandom(32) for _ in range(2))
    key, roots = (f"ssh-ed25519 {base64.b64encode(blob).decode()}" for blob in blobs)
    secret, root = "/root/secret", "/root/.ssh"

    def in_guest(line: str, user: str = "root") -> str:
        return qga("exec", "-u", user, guest.name, "--", "sh", "-c", line).out

    in_guest(f"mkdir -pm 700 {root}; echo '{roots}' >{secret}; chmod 600 {secret}")
    for how, one in (("add", key), ("remove", roots)):
        in_guest(f"cd; rm -rf .ssh; mkdir .ssh; ln -s {secret} .ssh/authorized_keys", USER)
        ran = qga("ssh", how, guest.name, USER, one)
        assert (ran.code, "ermission denied" in ran.err) == (1, True), (how, ran.err)
        told = in_guest("cd; cat .ssh/authorized_keys 2>&1", USER)
        assert "ermission denied" in told, told
        assert in_guest(f"stat -c %U {secret}; cat {secret}") == f"root\n{roots}\n"
    in_guest(f"cd; rm -rf .ssh; ln -s {root} .ssh", USER)
    assert qga("ssh", "add", guest.name, USER, "--reset", key).code == 1
    assert in_guest(f"ls -A {root}; rm -r {secret} {root}") == ""
    in_guest("rm ~/.ssh", USER)
    for how, some in (("add", [key, roots]), ("remove", [key])):
        ran = qga("ssh", how, guest.name, USER, *some)
        assert ran.code == 0, ran.err
    told = in_guest("cd; stat -c '%U %a' .ssh .ssh/*; cat .ssh/*; rm -r .ssh", USER)
    assert told == f"{USER} 700\n{USER} 600\n{roots}\n"
