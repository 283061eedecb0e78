"""TAB in real shells on a terminal, with the generated scripts, and what it may never do."""

import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.cli.options import for_command
from tests.kit.command import Ran, qga
from tests.kit.fake import FakeAgent, Handler, Silence, left_socket
from tests.kit.running import eventually
from tests.kit.shells import NAMES, SCRIPTS, Shell

ODD = (
    "a b", "quo'te", 'dou"ble', "back\\slash", "$(touch pwned)", "`touch pwned`", ";touch pwned",
    "star*", "{a,b}", "~tilde", "#hash", "!bang", "&amp", "(paren)", "co:lon", "e=mc", "ü", "x@y",
)  # fmt: skip
UNSEEN = ("new\nline", "esc\x1b[31m", "over\u202eride", "del\x7f")


@pytest.fixture(params=NAMES)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    """Each shell in turn, with guests named by sockets in ./run."""
    (tmp_path / "run").mkdir()
    for name in ("web1", "web2", "db 1", "co:lon", *UNSEEN):
        left_socket(tmp_path / "run" / f"{name}.sock")
    opened = Shell(request.param, tmp_path, {"QGA_CONNECT": "unix:run/{vm}.sock"})
    yield opened
    opened.close()


def complete(*words: str, cache: Path, env: dict[str, str] | None = None) -> Ran:
    return qga("__complete", *words, env={"XDG_CACHE_HOME": str(cache), **(env or {})})


@pytest.mark.slow
def test_what_is_written_into_the_scripts_starts_no_python(shell: Shell) -> None:
    cases = {
        "qga exec-s": "qga exec-status ",
        "qga f": "qga f",
        "qga fs thaw --connec": "qga fs thaw --connect",
        "qga fs li": "qga fs list ",
        "qga -v --timeout 3s fs li": "qga -v --timeout 3s fs list ",
        "qga -c 'unix:a b' fs li": "qga -c 'unix:a b' fs list ",
        "qga fs list --output y": "qga fs list --output yaml ",
        "qga fs list --output=y": "qga fs list --output=yaml ",
        "qga fs list web1 -o y": "qga fs list web1 -o yaml ",
        "qga fs list --columns device,moun": "qga fs list --columns device,mountpoint",
        "qga fs list --columns=device,moun": "qga fs list --columns=device,mountpoint",
        "qga fs list --sort tot": "qga fs list --sort total ",
        "qga -c qemu:///sy": "qga -c qemu:///system ",
        "qga completion z": "qga completion zsh ",
        "qga wait web1 --for th": "qga wait web1 --for thawed ",
        "qga wait web1 --for=ag": "qga wait web1 --for=agent ",
        "qga wait --for po": "qga wait --for port:",
    }
    for typed, expected in cases.items():
        line = shell.line(typed, "\t")
        assert line.startswith(expected), typed
        assert not expected.endswith(":") or line == expected, typed  # no blank: a number follows
    assert shell.calls() == []


@pytest.mark.slow
def test_names_of_guests(shell: Shell) -> None:
    assert shell.tab("qga ping d") in ("qga ping db\\ 1 ", "qga ping 'db 1' ")
    assert shell.tab("qga ping w") == "qga ping web"
    assert shell.tab("qga ping web1,web") == "qga ping web1,web2 "
    assert shell.tab("qga ping --timeout 3s -v web1") == "qga ping --timeout 3s -v web1 "
    assert shell.run("qga -v fs list -o json d") == ["-v", "fs", "list", "-o", "json", "db 1"]
    assert shell.run("qga ping co") == ["ping", "co:lon"]
    assert shell.run("qga ping co:l") == ["ping", "co:lon"]
    assert shell.run("qga ping 'd") == ["ping", "db 1"]
    assert shell.run('qga ping "d') == ["ping", "db 1"]


def test_the_host_on_the_command_line_is_asked(shell: Shell, tmp_path: Path) -> None:
    left_socket(tmp_path / "alone.sock")
    assert shell.tab("qga -c unix:{vm}.sock ping al") == "qga -c unix:{vm}.sock ping alone "


@pytest.mark.slow
def test_groups_hosts_and_aliases(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / ".config" / "qga" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        '[hosts]\nalpha = "unix:run/{vm}.sock"\n'
        '[groups]\nfront = ["web1"]\n[aliases]\nup = "ping"\n'
    )
    assert shell.tab("qga ping @fr") == "qga ping @front "
    assert shell.tab("qga ping @front,web1,web") == "qga ping @front,web1,web2 "
    assert shell.tab("qga ping al") == "qga ping alpha/"
    assert shell.tab("qga ping alpha/web1") == "qga ping alpha/web1 "
    assert shell.tab("qga -c alpha ping web1") == "qga -c alpha ping web1 "
    assert shell.tab("qga up") == "qga up "


@pytest.mark.slow
def test_what_comes_after_an_alias(shell: Shell, tmp_path: Path) -> None:
    """TAB knew its name, and nothing that comes after it."""
    config = tmp_path / ".config" / "qga" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        """[aliases]
df = "fs list --columns 'mountpoint,used%'"
as-root = "exec -u 'root user'"
ring = "ring web1"
"""
    )
    assert shell.run("qga df d") == ["df", "db 1"]
    assert shell.tab("qga df web1 --outp").startswith("qga df web1 --output")
    assert shell.tab("qga -v df web1 -o y") == "qga -v df web1 -o yaml "
    assert shell.tab("qga df --sort tot") == "qga df --sort total "
    assert shell.run("qga as-root d") == ["as-root", "db 1"]
    assert shell.tab("qga as-root --workd").startswith("qga as-root --workdir")
    for unknown in ("ring w", "nosuch w"):
        assert shell.tab(f"qga {unknown}").rstrip() == f"qga {unknown}"


@pytest.mark.slow
def test_a_program_of_the_host_behind_dashes(shell: Shell) -> None:
    shell.add_program("take-a-snapshot")
    start = "qga fs with-frozen --max 3s web1 web2 --"
    assert shell.tab(f"{start} take-a-s") == f"{start} take-a-snapshot "
    assert shell.line(f"{start} cat bin/take", "\t") == f"{start} cat bin/take-a-snapshot "
    assert shell.tab("qga fs with-frozen web1 db") in (
        "qga fs with-frozen web1 db\\ 1 ", "qga fs with-frozen web1 'db 1' ",
    )  # fmt: skip


def test_options_of_exec_end_at_the_guest(shell: Shell) -> None:
    assert shell.line("qga exec --fail", "\t") == "qga exec --fail-fast "
    assert shell.line("qga exec web1 --fail", "\t") == "qga exec web1 --fail"


@pytest.mark.slow
def test_what_is_inside_a_guest_arrives_as_it_is(
    shell: Shell, tmp_path: Path, local_agent: str
) -> None:
    for number, name in enumerate((*ODD, *UNSEEN)):
        (tmp_path / f"odd{number:02}{name}").touch()
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    start = f"qga -c {local_agent} exec x -- cat {tmp_path}"
    for number, name in enumerate(ODD):
        words = shell.run(f"{start}/odd{number:02}")
        assert words[-1] == f"{tmp_path}/odd{number:02}{name}"
    for number, _ in enumerate(UNSEEN, len(ODD)):
        assert shell.line(f"{start}/odd{number:02}", "\t") == f"{start}/odd{number:02}"
    assert shell.tab(f"{start}/fol") == f"{start}/folder/"
    assert shell.tab(f"{start}/folder/in") == f"{start}/folder/inner/"
    assert not list(tmp_path.rglob("pwned"))
    assert b"\x1b[31m" not in shell.screen.replace(b"\x1b[31m\x1b", b"")


@pytest.mark.slow
def test_a_file_behind_a_colon(shell: Shell, tmp_path: Path, local_agent: str) -> None:
    for number, name in enumerate(ODD):
        (tmp_path / f"odd{number:02}{name}").touch()
    start = f"qga -c {local_agent} cat x:{tmp_path}"
    for number, name in enumerate(ODD):
        assert shell.run(f"{start}/odd{number:02}")[-1] == f"x:{tmp_path}/odd{number:02}{name}"
    assert shell.run(f"qga -c {local_agent} cat 'x:{tmp_path}/odd00")[-1].endswith("odd00a b")
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.slow
def test_a_copy_takes_guests_and_files_of_this_host(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "west-wing.txt").touch()
    assert shell.tab("qga cp west") == "qga cp west-wing.txt "
    assert shell.tab("qga cp ./west") == "qga cp ./west-wing.txt "
    assert shell.tab("qga cp west-wing.txt web1") == "qga cp west-wing.txt web1:"
    assert shell.tab("qga cp west-wing.txt -p d") in (
        "qga cp west-wing.txt -p db\\ 1:", "qga cp west-wing.txt -p 'db 1:",
    )  # fmt: skip


def test_programs_of_a_guest(shell: Shell, local_agent: str) -> None:
    assert shell.tab(f"qga -c {local_agent} exec x -- apt-con").endswith(" apt-config ")


@pytest.mark.parametrize("shell_name", NAMES)
def test_every_word_of_every_command_is_offered(shell_name: str) -> None:
    lines = {f"qga {command.name} -": command for command in catalog.walk()}
    ask = {
        "bash": f". {SCRIPTS}/qga.bash; while IFS= read -r COMP_LINE; do "
        'COMP_POINT=${#COMP_LINE}; _qga 2>/dev/null; echo "${COMPREPLY[@]}"; done',
        # What it gives to _arguments, which works on a terminal only: exclusions and help cut off.
        "zsh": "compdef() { }; _arguments() { local -a specs=(\"${@%%\\[*}\"); "
        "specs=(\"${(@)specs#\\(*\\)}\"); specs=(\"${(@)specs#\\*}\"); "
        "print -r -- \"${(@)specs%=}\"; return 0 }; _qga_other() { return 1 }; "
        f". {SCRIPTS}/_qga; while read -r line; do "
        "line=${line% -}; _qga_${${line#qga }// /_} && continue; done",
        "fish": f". {SCRIPTS}/qga.fish; while read -l line; complete -C $line | "
        "string replace -r '\\t.*' '' | string join ' '; end",
    }[shell_name]  # fmt: skip
    done = subprocess.run(
        [shell_name, "-c", ask], input="\n".join(lines) + "\n", capture_output=True, text=True
    )
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines), done.stderr
    for answer, command in zip(answers, lines.values(), strict=True):
        options = {f"--{arg.name}" for arg in for_command(command) if not arg.positional}
        assert options <= set(answer.split()), command.name


def test_an_agent_that_is_silent_costs_a_moment_and_no_word(
    fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    agent = fake(lambda request: Silence())
    begun = time.monotonic()
    ran = complete("mountpoint", "", "-c", agent.uri, "fs", "list", "x", cache=tmp_path)
    assert (ran.code, ran.stdout, ran.stderr) == (0, b"", b"")
    assert time.monotonic() - begun < 3  # 0.3 s and a slow start of Python


def test_a_late_answer_is_there_next_time(
    fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    def late(request: dict[str, object]) -> object:
        time.sleep(0.6)
        return [{"name": "vda", "mountpoint": "/data", "type": "ext4", "disk": []}]

    agent = fake(late)
    words = ("mountpoint", "/", "-c", agent.uri, "fs", "list", "x")
    assert complete(*words, cache=tmp_path).out == ""
    end = time.monotonic() + 10
    while not complete(*words, cache=tmp_path).out and time.monotonic() < end:
        time.sleep(0.05)
    asked = len(agent.requests)
    assert complete(*words, cache=tmp_path).out == "/data\text4\n"
    assert len(agent.requests) == asked
    folder = tmp_path / "qga"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_name_of_nothing_is_not_offered(
    fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    rows: list[dict[str, object]] = [
        {"name": "vda", "mountpoint": place, "type": "x", "disk": []} for place in ("", "/a")
    ]
    agent = fake(lambda request: rows)
    words = ("mountpoint", "", "-c", agent.uri, "fs", "list", "x")
    assert eventually(lambda: complete(*words, cache=tmp_path).stdout == b"/a\tx\n")
    assert complete(*words, cache=tmp_path).stderr == b""


def test_a_cache_that_others_can_write_is_not_used(local_agent: str, tmp_path: Path) -> None:
    folder = tmp_path / "qga"
    folder.mkdir()
    folder.chmod(0o777)
    complete("mountpoint", "", "-c", local_agent, "fs", "list", "x", cache=tmp_path)
    time.sleep(0.5)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("guest", "", "-c", "qemu+ssh://nobody@127.0.0.1:1/system", "ping"),
        ("guest", "", "-c", "unix:/nonexistent/{vm}.sock", "ping"),
        ("guest", "", "-c", "nonsense", "ping"),
        ("mountpoint", "", "-c", "unix:/nonexistent", "fs", "list", "x"),
        ("mountpoint", "", "--nosuch", "fs", "list", "x"),
        ("guest", "", "no", "such", "command"),
        ("nosuchkind", "", "ping"),
        ("mountpoint", "", "fs", "list"),
        (),
        ("guest",),
    ],
)
def test_trouble_is_silent(words: tuple[str, ...], tmp_path: Path) -> None:
    ran = complete(*words, cache=tmp_path)
    assert (ran.stdout, ran.stderr) == (b"", b"")


def test_nothing_can_prompt(tmp_path: Path) -> None:
    """ssh would ask on the terminal: the child that starts it has none."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\n(tty; : </dev/tty) >{tmp_path}/told 2>&1\nexit 1\n")
    ssh.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    complete("guest", "", "-c", "qemu+ssh://x/system", "ping", cache=tmp_path, env=env)
    end = time.monotonic() + 5
    while not (tmp_path / "told").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert "not a tty" in (tmp_path / "told").read_text()
    assert "No such device" in (tmp_path / "told").read_text()


def test_half_a_name_is_not_offered(tmp_path: Path) -> None:
    for name in ("web1", "db1\tx"):
        left_socket(tmp_path / f"{name}.sock")
    words = ("guest", "", "-c", f"unix:{tmp_path}/{{vm}}.sock", "ping")
    assert eventually(lambda: complete(*words, cache=tmp_path / "cache").out == "web1\n")
