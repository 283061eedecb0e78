"""Keys are the same by type and material, whatever surrounds them; what changes nothing says so."""

from collections.abc import Callable

import pytest

from qga_cli import openssh
from tests import lab
from tests.kit.command import qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.in_guest import done, inside

Make = Callable[[Handler], FakeAgent]
BARE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5ISMvIxqmHMxFhc7qm4bjFMuQeSEjsVnbqNdvUpu3R"


INFO = {"version": "7.2.0", "supported_commands": []}


class Keys:
    """The commands of an agent as qga/commands-posix-ssh.c has them, on lines in memory."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.added: list[object] = []

    def __call__(self, request: dict[str, object]) -> object:
        given = request.get("arguments")
        if not isinstance(given, dict):  # guest-info: an agent that runs no programs
            return INFO
        if request["execute"] == "guest-ssh-get-authorized-keys":
            stripped = [line.strip() for line in self.lines]
            return {"keys": [line for line in stripped if line and line[0] != "#"][::-1]}
        if request["execute"] == "guest-ssh-add-authorized-keys":
            self.added.append(given["keys"])
            self.lines += [key for key in given["keys"] if key not in self.lines]
        else:
            self.lines = [line for line in self.lines if line not in given["keys"]]
        return {}


@pytest.mark.parametrize(
    "line",
    [
        BARE,
        f"{BARE} someone@else",
        f'from="10.0.0.0/8",command="echo \\"a b\\" c" {BARE} x',
        f"  {BARE} x \r",
        f"no-pty\t{BARE}\tx",
    ],
)
def test_remove_finds_the_key_in_any_line(fake: Make, line: str) -> None:
    keys = Keys(f"{OTHER} stays", "# a note", line)
    ran = qga("-c", fake(keys).uri, "ssh", "remove", "x", "deploy", f"{BARE} laptop")
    if "x \r" in line:  # two blanks on either side: nobody can name that line
        assert (ran.code, keys.lines[2]) == (1, line)
        assert "could not be removed and can still log in" in ran.err
    else:
        assert (ran.code, ran.err) == (0, "qga: x: 1 key removed\n")
        assert keys.lines == [f"{OTHER} stays", "# a note"]


def test_remove_of_a_line_that_ends_as_on_windows(fake: Make) -> None:
    keys = Keys(f"{BARE} a\r", f"{BARE} b", OTHER)
    ran = qga("-c", fake(keys).uri, "ssh", "remove", "x", "deploy", BARE)
    assert (ran.code, ran.err, keys.lines) == (0, "qga: x: 2 keys removed\n", [OTHER])


def test_remove_that_finds_none_says_so(fake: Make) -> None:
    hidden = f'command="{BARE}" {OTHER}'
    keys = Keys(hidden)
    ran = qga("-c", fake(keys).uri, "ssh", "remove", "x", "deploy", BARE)
    assert (ran.code, keys.lines) == (1, [hidden])
    assert "deploy has none of these keys: nothing was removed" in ran.err
    assert "`qga ssh list x deploy` shows them" in ran.err


def test_add_of_what_is_there(fake: Make) -> None:
    keys = Keys(f"{BARE} old comment")
    uri = fake(keys).uri
    ran = qga("-c", uri, "ssh", "add", "x", "deploy", f"{BARE} new comment", f"{OTHER} o")
    assert (ran.code, ran.err) == (0, "qga: x: 1 key there already\n")
    assert keys.added == [[f"{OTHER} o"]]
    ran = qga("-c", uri, "ssh", "add", "x", "deploy", f'from="10.0.0.1" {BARE}')
    assert ran.code == 1
    assert "is there already, with no options: nothing was added" in ran.err
    ran = qga("-c", uri, "ssh", "add", "x", "deploy", "--reset", f'from="10.0.0.1" {BARE}')
    assert ran.code == 0


def test_add_where_no_file_is(fake: Make) -> None:
    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-ssh-get-authorized-keys":
            raise AgentFault("failed to open authorized_keys")
        return INFO if request["execute"] == "guest-info" else {}

    agent = fake(handle)
    assert qga("-c", agent.uri, "ssh", "add", "x", "deploy", BARE).code == 0
    assert agent.requests[-1]["arguments"] == {"username": "deploy", "keys": [BARE]}


def test_keys_from_standard_input(fake: Make) -> None:
    keys = Keys()
    ran = qga("-c", fake(keys).uri, "ssh", "add", "x", "deploy", "@-", stdin=f"{BARE} a\n".encode())
    assert (ran.code, keys.lines) == (0, [f"{BARE} a"])
    ran = qga("-c", fake(keys).uri, "ssh", "add", "x", "deploy", "@-")
    assert (ran.code, "a file with a key in it" in ran.err) == (2, True)


@pytest.mark.parametrize("verb", ["list", "remove"])
def test_a_user_without_the_file_has_no_keys(
    fake: Callable[[Handler], FakeAgent], verb: str
) -> None:
    """In the words of GLib, which the agent passes on: qga/commands-posix-ssh.c, read_authkeys."""
    file = "/root/.ssh/authorized_keys"
    why = [f"failed to read '{file}': Failed to open file “{file}”: No such file or directory"]

    def agent(request: dict[str, object]) -> object:
        raise AgentFault(why[0])

    uri = fake(agent).uri
    if verb == "remove":
        ran = qga("-c", uri, "ssh", "remove", "x", "root", BARE)
        assert (ran.code, "root has none of these keys" in ran.err) == (1, True)
        return
    ran = qga("-c", uri, "ssh", "list", "x", "root", "-o", "json")
    assert (ran.code, ran.out, ran.err) == (0, '{"keys":[]}\n', "")
    ran = qga_tty("-c", uri, "ssh", "list", "x", "root")
    assert (ran.code, ran.out) == (0, "\x1b[2mno keys\x1b[0m\n"), "dim"
    why[0] = f"failed to read '{file}': Failed to open file “{file}”: Permission denied"
    assert qga("-c", uri, "ssh", "list", "x", "root").code == 1


@pytest.mark.parametrize("rest", [(), ("--reset",)])
@pytest.mark.parametrize(
    "key", [BARE[:-8], BARE[:-4] + " me", "ssh-ed25519 AAAA", "ssh-ed25519 !!!",
            BARE.replace("ssh-ed25519", "ssh-rsa")]
)  # fmt: skip
def test_a_key_that_lost_a_piece_on_the_way_is_not_added(
    fake: Make, key: str, rest: tuple[str, ...]
) -> None:
    agent = fake(lambda request: {"keys": [BARE]})
    ran = qga("-c", agent.uri, "ssh", "add", "x", "root", key, *rest)
    assert (ran.code, "is no whole public key" in ran.err) == (2, True)
    assert agent.requests == []


@pytest.mark.parametrize(
    "line",
    [  # as ssh-keygen makes them, with shorter numbers
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAADBAQE",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwDu7g== me",
        "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAI"
        "JquR4wcz5gThEGiJsqNcIOQu00Kn2svcalVf6SeaLyGAAAAIITkcsay7k9VFCynVbOYSgCa5ye2R41c6zIXs"
        "WPHXbqlAAAAAAAAAAA=",
    ],
)
def test_keys_of_every_kind_are_whole(line: str) -> None:
    key = openssh.parse(line)
    assert key
    assert key.is_whole


def test_options_are_read_as_sshd_reads_them() -> None:
    key = openssh.parse(f'no-pty,command="say \\"ssh-rsa AAAA\\" now" {BARE} me  too ')
    assert key
    assert key.options == 'no-pty,command="say \\"ssh-rsa AAAA\\" now"'
    assert (key.type, key.comment) == ("ssh-ed25519", "me  too")
    assert openssh.parse('command="unfinished ssh-ed25519 AAAA') is None
    assert openssh.parse("# " + BARE) is None


@pytest.mark.parametrize(
    "text", ["secret", "correcthorse1", "$6$salt", "x" * 86, "$6$salt$" + "x" * 86 + ":1"]
)
def test_a_password_that_is_no_hash_is_not_sent_as_one(fake: Make, text: str) -> None:
    agent = fake(lambda request: {})
    words = ("user", "set-password", "x", "root", "--password-stdin", "--crypted")
    ran = qga("-c", agent.uri, *words, stdin=text.encode())
    assert (ran.code, agent.requests) == (2, [])
    assert "is no hash" in ran.err
    assert text not in ran.err


@pytest.mark.parametrize(
    "text",
    [
        "$1$abcdefgh$Sy5mR7fSpkbvzkRWXTxkR/",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
        "$2b$12$" + "a" * 53,
        "$5$rounds=5000$salt$" + "b" * 43,
        "!$6$salt$" + "x" * 86,
        "!",
        "*",
    ],
)
def test_hashes_are_sent(fake: Make, text: str) -> None:
    agent = fake(lambda request: {})
    words = ("user", "set-password", "x", "root", "--password-stdin", "--crypted")
    assert qga("-c", agent.uri, *words, stdin=text.encode()).code == 0
    assert len(agent.requests) == 1


@pytest.mark.parametrize("paths", [[], [{"path": "/", "error": "trim not supported"}]])
def test_a_trim_of_nothing_is_none(fake: Make, paths: object) -> None:
    ran = qga("-c", fake(lambda request: {"paths": paths}).uri, "fs", "trim", "x")
    assert ran.code == 1


@pytest.mark.parametrize(
    ("typed", "unit", "right"),
    [
        ("1764400000", "seconds", "1764400000000000000"),
        ("1764400000000", "milliseconds", "1764400000000000000"),
        ("1764400000000000", "microseconds", "1764400000000000000"),
    ],
)
def test_time_set_in_another_unit(fake: Make, typed: str, unit: str, right: str) -> None:
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, "time", "set", "x", typed)
    assert (ran.code, agent.requests) == (2, [])
    assert f"if {unit} are meant, write {right}" in ran.err


def test_in_a_guest(spare: lab.Guest) -> None:
    file = "/root/.ssh/authorized_keys"
    lines = f'from=\\"10.0.0.0/8\\" {BARE} a\\n{BARE} b\\r\\n{OTHER} c\\n'
    inside(spare, "sh", "-c", f'mkdir -pm 700 /root/.ssh; printf "{lines}" >{file}')
    ran = done(spare, "ssh", "remove", "VM", "root", BARE)
    assert ran.err == f"qga: {spare.name}: 2 keys removed\n"
    assert inside(spare, "cat", file) == f"{OTHER} c"
    assert qga("ssh", "remove", spare.name, "root", BARE).code == 1
    done(spare, "ssh", "add", "VM", "root", "@-", stdin=f"{BARE} d\n".encode())
    assert inside(spare, "grep", ".", file) == f"{OTHER} c\n{BARE} d"
    inside(spare, "rm", "-r", "/root/.ssh")
