"""What a program in the guest finds around it: variables, directory, user, and scripts of ours."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.errors import NoProgram, Refused, UsageError
from qga_cli.exec.context import NO_INPUT, Context, quote, variables
from qga_cli.exec.exit_status import failure
from qga_cli.exec.wrapper import CONTEXT
from tests import lab
from tests.kit.command import qga
from tests.kit.running import await_unmarked, execute


@settings(deadline=None)
@given(st.text().filter(lambda text: "\0" not in text))
def test_a_quoted_word_is_one_line_that_means_the_word(text: str) -> None:
    quoted = quote(text)
    assert "\n" not in quoted
    parts = re.findall(r"'([^']*)'|\\(')|\"\$qga_nl\"", quoted)
    assert re.sub(r"'[^']*'|\\'|\"\$qga_nl\"", "", quoted) == ""
    kinds = re.findall(r"'[^']*'|\\'|\"\$qga_nl\"", quoted)
    meant = "".join(
        "\n" if kind == '"$qga_nl"' else plain or escaped
        for kind, (plain, escaped) in zip(kinds, parts, strict=True)
    )
    assert meant == text


def test_a_word_with_nul_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        quote("a\0b")


def environment(uri: str, **options: Any) -> dict[str, str]:
    out = execute(uri, "env", "-0", **options).out
    return dict(entry.partition("=")[::2] for entry in out.decode().split("\0") if entry)


def test_variables_are_merged(local_agent: str) -> None:
    given = {
        "A": "1",
        "SPACE": " a  b ",
        "LINES_": "one\ntwo'\n",
        "odd.name": "x y",
        "PATH": "/bin",
    }
    found = environment(local_agent, env=given)
    assert given.items() <= found.items()
    assert {"HOME", "LANG", "TERM"} <= set(found)
    kept = set(os.environ) - {"PWD", "OLDPWD", "_", "SHLVL", "LINES", "COLUMNS"}
    names = {name for name in kept if re.fullmatch(r"\w+", name)}
    assert names <= set(found)


def test_a_clean_environment_has_little(local_agent: str) -> None:
    found = environment(local_agent, env={"A": "1"}, clean_env=True)
    mark = found.pop("QGA_EXEC")
    assert mark.startswith("qga-")
    assert set(found) - {"PWD", "SHLVL", "OLDPWD"} == {"A", "PATH", "HOME", "LANG", "TERM"}
    assert (found["TERM"], found["LANG"]) == ("dumb", "C.UTF-8")


def test_variables_of_options_and_files(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# comment\n\nA=file\nB=two words \nOURS\nGONE\n")
    found = variables(["A=option", "EMPTY="], [str(file)], {"OURS": "from here"})
    assert found == {"A": "option", "B": "two words ", "OURS": "from here", "EMPTY": ""}


@pytest.mark.parametrize("word", ["=x", "a b=1", ""])
def test_what_is_no_variable_is_told(word: str) -> None:
    with pytest.raises(UsageError, match="no variable"):
        variables([word], [], {})


def test_a_line_of_a_file_that_is_no_variable_is_told_without_its_value(tmp_path: Path) -> None:
    """`export TOKEN=...` in an --env-file had the token on the screen, and in a job's log."""
    file = tmp_path / "env"
    file.write_text("A=1\nexport TOKEN=canary\n")
    with pytest.raises(UsageError) as caught:
        variables([], [str(file)], {})
    assert caught.value.message == f"--env-file: line 2 of {file} is no variable"
    assert "canary" not in caught.value.hint


def test_the_mark_that_some_editors_begin_a_file_with_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_bytes("A=1\n".encode("utf-8-sig"))
    assert variables([], [str(file)], {}) == {"A": "1"}


def test_options_of_the_command_line(local_agent: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("FROM_FILE=1\n")
    ran = qga(
        "-c", local_agent, "exec", "-e", "A=b c", "-e", "MINE", "--env-file", str(file),
        "-w", str(tmp_path), "x", "--", "sh", "-c", 'echo "$A,$MINE,$FROM_FILE,$PWD"',
        env={"MINE": "ours"},
    )  # fmt: skip
    assert (ran.out, ran.err) == (f"b c,ours,1,{tmp_path}\n", "")


def test_a_value_is_not_in_the_request_as_text(local_agent: str) -> None:
    """argv is logged by the agent, input-data is not."""
    ran = qga("-c", local_agent, "exec", "--explain", "-e", "PASSWORD=hunter2", "x", "true")
    assert "guest-exec" in ran.out
    assert "hunter2" not in ran.out


def test_a_directory_that_is_not_there(local_agent: str) -> None:
    with pytest.raises(Refused, match="/no/such/place"):
        execute(local_agent, "pwd", workdir="/no/such/place")


@pytest.mark.parametrize(
    "said",
    [
        "qga-0: 34: cd: can't cd to {}",
        "qga-0: line 34: cd: {}: No such file or directory",
        "qga-0: cd: line 34: can't cd to {}: No such file or directory",
    ],
)
@pytest.mark.parametrize("folder", ["/no", "no"])
def test_what_shells_say_of_a_directory_that_is_not_there(said: str, folder: str) -> None:
    error = failure("pwd", CONTEXT, said.format(folder).encode())
    assert error.message == f"no folder {folder} to work in (--workdir)"
    error = failure("pwd", CONTEXT, b"qga-0: cd: line 34: can't cd to /f: Not a directory")
    assert error.message == "cd: can't cd to /f: Not a directory (--workdir)"


def test_a_user_that_is_not_there(local_agent: str) -> None:
    with pytest.raises(Refused, match="no user nobody-we-know"):
        execute(local_agent, "id", user="nobody-we-know")
    with pytest.raises(Refused, match="no group nobody-we-know"):
        execute(local_agent, "id", user="root:nobody-we-know")
    with pytest.raises(UsageError, match="USER"):
        execute(local_agent, "id", user="; reboot")


# What stays beside the program does not show its words, `id -u`.
BECOME = '/bin/sh -c eval "$QGA_BECOME" sh 2'
HIDDEN = '/bin/sh root -c eval "$QGA_BECOME" -- sh 2'


@pytest.mark.parametrize(
    ("user", "tools", "chosen"),
    [
        ("root", "runuser su setpriv", f"runuser -u root -- {BECOME}"),
        ("root:sys", "runuser su setpriv", f"runuser -u root -g sys -- {BECOME}"),
        ("root", "su setpriv", f"su -s {HIDDEN}"),
        ("root:sys", "su setpriv", "setpriv --reuid root --regid sys --init-groups id -u"),
        ("root", "setpriv", "setpriv --reuid root --regid 0 --init-groups id -u"),
        ("0", "runuser su setpriv", f"runuser -u root -- {BECOME}"),
        ("0:9", "runuser setpriv", "setpriv --reuid 0 --regid 9 --init-groups id -u"),
        ("0", "setpriv", "setpriv --reuid 0 --regid 0 --init-groups id -u"),
        ("0", "su", f"su -s {HIDDEN}"),
        ("4294007:9", "setpriv", "setpriv --reuid 4294007 --regid 9 --clear-groups id -u"),
        ("4294007", "setpriv", "setpriv --reuid 4294007 --regid 4294007 --clear-groups id -u"),
        ("root:sys", "su", None),
        ("root:sys", "su busybox/setpriv", None),
        ("4294007", "runuser su", None),
    ],
)
def test_a_user_is_become_by_the_tool_that_is_there(
    tmp_path: Path, user: str, tools: str, chosen: str | None
) -> None:
    (tmp_path / "id").symlink_to("/usr/bin/id")
    for tool in tools.split():
        maker, _, name = tool.rpartition("/")
        help_of_it = "" if maker else "echo --reuid --regid"
        (tmp_path / name).write_text(f"#!/bin/sh\n{help_of_it}\n")
        (tmp_path / name).chmod(0o755)
    line = Context(user=user).line(NO_INPUT).decode().rstrip()
    ran = subprocess.run(
        ["/bin/sh", "-c", f'qga_nl="\n"\n{line}\necho "$@"', "sh", "id", "-u"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    ran.stdout = ran.stdout.replace(f"{tmp_path}/", "")
    if chosen is None:
        assert (ran.returncode, ran.stdout) == (96, "")
        assert f"becoming {user} needs" in ran.stderr
    else:
        assert (ran.stdout, ran.stderr) == (f"{chosen}\n", "")


def test_a_user_a_group_and_a_folder_of_a_real_guest(guest: lab.Guest) -> None:
    told = "id -un; id -gn; pwd; echo $HOME"
    words = "exec", "-u", "nobody:tty", "-w", "/tmp", guest.name, "--", "sh", "-c", told
    assert qga(*words).out.split() == ["nobody", "tty", "/tmp", "/nonexistent"]


def test_a_name_with_a_dash_and_a_line_too_long(local_agent: str) -> None:
    with pytest.raises(UsageError, match="dash"):
        execute(local_agent, "-x")
    with pytest.raises(UsageError, match=r"this command line takes \d"):
        execute(local_agent, "true", *["x" * 100] * 6000)


SCRIPTS = {
    "sh": ("echo sh: $1; cat; exit 3\n", "sh: a b\ninput"),
    "py": (
        "#!/usr/bin/env python3\nimport sys\nprint('py:', sys.argv[1])\n"
        "print(end=sys.stdin.read())\nsys.exit(3)\n",
        "py: a b\ninput",
    ),
    "opt": ("#!/bin/sh -e\ncat; false; echo never\n", "input"),
    "env": ("#!/usr/bin/env -S sh -u\necho $1; cat; exit 3", "a b\ninput"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_under_its_interpreter(local_agent: str, tmp_path: Path, name: str) -> None:
    content, out = SCRIPTS[name]
    script = tmp_path / "script"
    script.write_text(content)
    ran = qga("-c", local_agent, "script", "x", str(script), "a b", stdin=b"input")
    assert (ran.out, ran.err, ran.code) == (out, "", 1 if name == "opt" else 3)


def test_a_script_from_standard_input_and_a_long_one(local_agent: str, tmp_path: Path) -> None:
    ran = qga("-c", local_agent, "script", "x", "-", "-v", stdin=b"echo got $1")
    assert (ran.out, ran.code) == ("got -v\n", 0)
    script = tmp_path / "long"
    script.write_text("# padding\n" * 200_000 + "wc -c\n")
    ran = qga("-c", local_agent, "script", "x", str(script), stdin=bytes(300_000))
    assert (ran.out.strip(), ran.code) == ("300000", 0)
    await_unmarked()


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"#!\n", "no interpreter")])
def test_what_is_no_script(local_agent: str, tmp_path: Path, content: bytes, message: str) -> None:
    script = tmp_path / "script"
    script.write_bytes(content)
    ran = qga("-c", local_agent, "script", "x", str(script))
    assert (ran.code, message in ran.err) == (2, True)
    assert qga("-c", local_agent, "script", "x", str(tmp_path / "none")).code == 2


@pytest.mark.parametrize("name", ["line", "end", "code", "taken", "qga_end", "nl", "PWD_", "timer"])
@pytest.mark.parametrize("wait", ["", "sleep 0.6;"])
def test_a_variable_of_any_name_is_the_users(local_agent: str, name: str, wait: str) -> None:
    ran = execute(local_agent, "sh", "-c", f'{wait} printenv "$0"', name, env={name: "MI\nNE"})
    assert (ran.code, ran.out, ran.err) == (0, b"MI\nNE\n", b"")


@pytest.mark.parametrize("name", ["IFS", "OPTIND", "PPID", "UID", "PWD", "BASHOPTS", "a-b"])
def test_a_variable_that_shells_have_is_the_users(local_agent: str, name: str) -> None:
    ran = execute(local_agent, "printenv", name, env={name: "MINE"})
    assert (ran.code, ran.out, ran.err) == (0, b"MINE\n", b"")


def test_a_path_of_the_users_is_only_the_programs(local_agent: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    path = {"PATH": "/opt/app/bin"}
    ran = execute(local_agent, "/usr/bin/touch", str(proof), env={**path, "odd.name": "1"})
    assert (ran.code, ran.err, proof.exists()) == (0, b"", True)
    with pytest.raises(NoProgram):
        execute(local_agent, "touch", str(proof), env=path)
    (tmp_path / "ours").write_text("#!/bin/sh\necho ours\n")
    (tmp_path / "ours").chmod(0o755)
    assert execute(local_agent, "ours", env={"PATH": str(tmp_path)}).out == b"ours\n"
    assert execute(local_agent, "/usr/bin/id", "-un", env=path, user="root").out == b"root\n"


def test_a_script_has_the_users_variables(local_agent: str, tmp_path: Path) -> None:
    script = tmp_path / "it"
    script.write_text("echo $name $size $interpreter $option $dir $PATH\n")
    variables = [f"{name}={name[0]}" for name in ("name", "size", "interpreter", "option", "dir")]
    words = [word for pair in [*variables, "PATH=/p"] for word in ("-e", pair)]
    ran = qga("-c", local_agent, "script", *words, "x", str(script))
    assert (ran.code, ran.out, ran.err) == (0, "n s i o d /p\n", "")


@pytest.mark.parametrize("user", ["", ":", "root:", ":root", "-x", "a/b", "a b\n"])
def test_what_is_no_user_is_told(local_agent: str, user: str) -> None:
    ran = qga("-c", local_agent, "exec", "-u", user, "x", "--", "id")
    assert ran.code == 2, ran.err
    assert ran.out == ""


@pytest.mark.parametrize("user", ["deploy@corp.example", "CORP\\deploy", "svc$", "Jörg", "4294000"])
def test_users_by_names_of_servers_and_by_numbers(local_agent: str, user: str) -> None:
    if user.isdigit():
        told = 'id -u; id -g; id -G; echo "$HOME,$USER,$LOGNAME"'
        ran = execute(local_agent, "sh", "-c", told, user=user)
        assert ran.out.decode().split() == [user, user, user, "/,,"]
    else:
        with pytest.raises(Refused, match=re.escape(f"no user {user}")):
            execute(local_agent, "id", user=user)
