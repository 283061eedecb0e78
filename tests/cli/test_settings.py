"""What fills the options that were not given: environment and configuration, and who said so."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import REPO
from tests.kit.command import environment, qga, qga_tty
from tests.kit.fake import FakeAgent, Handler, Silence
from tests.kit.running import GUARD


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Writes a configuration; returns the environment in which it counts."""

    def write(text: str) -> dict[str, str]:
        folder = tmp_path / "qga"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(text)
        return {"XDG_CONFIG_HOME": str(tmp_path)}

    return write


def test_show_names_file_and_line_or_variable(config: Callable[[str], dict[str, str]]) -> None:
    env = config('connect = "unix:/a"\n[defaults]\noutput = "json"\n[groups]\nweb = ["a", "b"]\n')
    env |= {"QGA_TIMEOUT": "5m", "QGA_CONNECT": "unix:/b", "QGA_OUTPUT": "tsv"}
    path = f"{env['XDG_CONFIG_HOME']}/qga/config.toml"
    shown = qga("config", "show", env=env).out.splitlines()
    assert f"file\t{path}\tread" in shown
    assert [line for line in shown if not line.startswith("file\t") and line[-7:] != "default"] == [
        "setting\tvalue\torigin",
        "connect\tunix:/b\tQGA_CONNECT",
        "defaults.output\ttsv\tQGA_OUTPUT",
        "defaults.timeout\t5m\tQGA_TIMEOUT",
        f"groups.web\ta, b\t{path}:5",
    ]


def test_show_finds_the_mistake_of_any_command(config: Callable[[str], dict[str, str]]) -> None:
    env = config('[defaults.fs.list]\n\ncolums = "type"\n')
    ran = qga("config", "show", env=env)
    assert ran.code == 2
    assert "config.toml:3: `fs list` has no option 'colums'" in ran.err


@pytest.mark.parametrize("line", [("config", "show"), ("ping", "web1")])
@pytest.mark.parametrize("words", ["exce", "fs", "fs.lits", "guest-fstrim"])
def test_defaults_of_no_command_are_a_mistake_everywhere(
    config: Callable[[str], dict[str, str]], words: str, line: tuple[str, ...]
) -> None:
    ran = qga(*line, env=config(f'[defaults.{words}]\ntimeout = "1m"\n'))
    assert ran.code == 2
    assert f"config.toml:2: no command '{words.replace('.', ' ')}'" in ran.err


def test_a_table_of_two_words_is_told_how_it_is_written(
    config: Callable[[str], dict[str, str]],
) -> None:
    ran = qga("fs", "list", "web1", env=config('[defaults."fs list"]\ntimeout = "1m"\n'))
    assert ran.err.splitlines()[-1] == "hint: write [defaults.fs.list]"


def test_the_configuration_of_the_manual_page_is_one(
    config: Callable[[str], dict[str, str]],
) -> None:
    page = (REPO / "man/man7/qga-targets.7").read_text()
    example = page.split(".nf\n")[1].split(".fi\n")[0].replace("\\-", "-")
    env = config(example)
    shown = qga("config", "show", env=env)
    assert (shown.code, shown.err) == (0, "")
    assert "groups.web\tweb*, alpha/front\t" in shown.out
    ran = qga("disks", "web1", "--explain", env=env)
    assert "guest-get-fsinfo" in ran.out
    assert "--timeout 120" in ran.out


def test_columns_count_where_they_are(config: Callable[[str], dict[str, str]]) -> None:
    env = config("[defaults]\ncolumns = 'origin'\nsort = '-setting'\n")
    assert qga("config", "show", env=env).out.startswith("origin\n")
    assert qga("-c", "unix:/nosuch", "list", env=env).err == ""  # it has no such columns
    ran = qga("list", env=config("[defaults.list]\ncolumns = 'vm,od'\n"))
    assert ran.code == 2
    assert "config.toml:2: no column 'vm,od' in `list`\n" in ran.err


def test_verbose_is_a_number(
    fake: Callable[[Handler], FakeAgent], config: Callable[[str], dict[str, str]]
) -> None:
    agent = fake(lambda request: {})
    words = ("-c", agent.uri, "ping", "x")
    assert "guest-ping: ok" in qga(*words, env=config("[defaults]\nverbose = 2\n")).err
    ran = qga(*words, env=config("[defaults]\nverbose = true\n"))
    assert (ran.code, "config.toml:2: verbose should be a number" in ran.err) == (2, True)


def test_a_wrong_variable_is_named() -> None:
    ran = qga("ping", "x", env={"QGA_TIMEOUT": "soon"})
    assert ran.code == 2
    assert ran.err.startswith("qga: QGA_TIMEOUT: --timeout: 'soon' is not a time")


def test_a_mistake_is_told_as_the_answer_would_be() -> None:
    """What the guest's program is given is no option of ours; what the environment says counts."""
    words = ("exec", "--timeout", "soon", "x", "--", "kubectl", "-o", "json")
    assert qga(*words).err.startswith("qga: --timeout: ")
    told = json.loads(qga(*words, env={"QGA_OUTPUT": "json"}).err)
    assert told["error"]["kind"] == "usage"


def test_variables_count_and_options_count_more(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: {"host-name": "h"})
    env = {"QGA_CONNECT": agent.uri, "QGA_OUTPUT": "json"}
    assert qga("os", "hostname", "x", env=env).out == '{"host-name":"h"}\n'
    ran = qga("os", "hostname", "x", "-o", "tsv", env=env)
    assert (ran.err, ran.out) == ("", "h\n")


def test_a_form_that_a_command_does_not_have_is_passed_over(
    fake: Callable[[Handler], FakeAgent], config: Callable[[str], dict[str, str]]
) -> None:
    agent = fake(lambda request: {})
    for env in ({"QGA_OUTPUT": "tsv"}, config('[defaults]\noutput = "table"\n')):
        ran = qga("-c", agent.uri, "raw", "x", "guest-ping", env=env)
        assert (ran.err, ran.out) == ("", '{"return": {}}\n')
    assert qga("-c", agent.uri, "raw", "x", "guest-ping", "-o", "table").code == 2


def test_the_timeout_of_the_environment_ends_a_call(fake: Callable[[Handler], FakeAgent]) -> None:
    agent = fake(lambda request: Silence())
    ran = qga("-c", agent.uri, "os", "hostname", "x", env={"QGA_TIMEOUT": "300ms"})
    assert ran.code == 124


@pytest.mark.parametrize(
    ("env", "terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
    ],
)
def test_colour_where_it_is_wanted(
    fake: Callable[[Handler], FakeAgent], env: dict[str, str], terminal: bool, coloured: bool
) -> None:
    row = {"name": "vda", "mountpoint": "/", "type": "ext4", "disk": [],
           "used-bytes": 95, "total-bytes": 100}  # fmt: skip
    agent = fake(lambda request: [row])
    run = qga_tty if terminal else qga
    shown = run("-c", agent.uri, "fs", "list", "x", "-o", "table", env=env).out
    assert ("\x1b[31m" in shown) is coloured  # red: the disk is full


def test_show_has_every_setting_and_each_file_looked_at(tmp_path: Path) -> None:
    ran = qga("config", "show", env={"XDG_CONFIG_HOME": str(tmp_path), "QGA_TIMEOUT": "7s"})
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert ["file", f"{tmp_path}/qga/config.toml", "not there"] in rows
    assert ["defaults.timeout", "7s", "QGA_TIMEOUT"] in rows
    assert ["defaults.parallel", "32", "default"] in rows
    assert {"connect", "hosts", "groups", "aliases", "policy"} <= {row[0] for row in rows}


def test_errors_are_json_whoever_asks_for_json(config: Callable[[str], dict[str, str]]) -> None:
    words = ("-c", "unix:/nosuch", "ping", "x")
    for env in ({"QGA_OUTPUT": "json"}, config('[defaults]\noutput = "jsonl"\n')):
        assert json.loads(qga(*words, env=env).err)["error"]["code"] == 3
    asked = {"QGA_OUTPUT": "json"}
    assert qga(*words, "-o", "tsv", env=asked).err.startswith("qga: x: ")


def test_what_qga_composes_has_no_raw_form() -> None:
    ran = qga("-c", "unix:/nosuch/{vm}", "list", "-o", "raw")
    assert (ran.code, ran.out) == (2, "")
    assert "--output is one of table, json, jsonl, yaml, csv, tsv, not 'raw'" in ran.err
    assert qga("config", "show", env={"QGA_OUTPUT": "raw"}).out.startswith("setting\tvalue")


SOON = """
import qga_cli.cli.run as run; run._GRACE = 0.0
from qga_cli.cli.main import main; main()
"""


@pytest.mark.parametrize("line", ["batch x", "edit x:{folder}/file", "help exec"])
def test_the_time_of_every_day_ends_no_work_of_a_persons(
    line: str, local_agent: str, tmp_path: Path
) -> None:
    """`timeout = "30s"` in [defaults] ended an editor's qga under it, a pager's, a conversation."""
    (tmp_path / "file").write_text("old\n")
    (tmp_path / "man").write_text("#!/bin/sh\nsleep 2\n")
    (tmp_path / "man").chmod(0o755)
    env = {
        "QGA_TIMEOUT": "1s", "QGA_CONNECT": local_agent, "TMPDIR": str(tmp_path),
        "EDITOR": "sh -c 'sleep 2; echo new >$0'", "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }  # fmt: skip
    words = line.format(folder=tmp_path).split()
    process = subprocess.Popen(
        [sys.executable, "-c", SOON, *words], env=environment(env), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    if words[0] == "batch":
        time.sleep(2)  # whoever talks to the agent thinks
    out, err = process.communicate("guest-ping\n" if words[0] == "batch" else None)
    assert (process.returncode, err) == (0, "")
    assert words[0] != "edit" or (tmp_path / "file").read_text() == "new\n"
    assert words[0] != "batch" or "return" in out


@pytest.mark.parametrize("line", ["rsh x sleep 3", "forward x 0:9 -- sleep 3", "connect x {port}"])
def test_the_time_of_every_day_cuts_no_connection_off(line: str, local_agent: str) -> None:
    """Only what is meant for it does: `timeout = "1m"` cut ssh off a minute after each login."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = line.format(port=server.getsockname()[1]).split()
        env = environment({"QGA_TIMEOUT": "1s", "QGA_CONNECT": local_agent})
        command = [sys.executable, "-c", SOON]
        with subprocess.Popen([*command, *words], env=env, stdin=subprocess.DEVNULL) as process:
            if words[0] == "connect":
                with server.accept()[0]:
                    time.sleep(3)
            assert process.wait(GUARD) == 0
        # Without SOON: that leaves no time to end what runs there, which then stays for a minute.
        limited = [sys.executable, "-m", "qga_cli", words[0], "--timeout", "1s", *words[1:]]
        ran = subprocess.run(limited, env=env, stdin=subprocess.DEVNULL, timeout=GUARD)
        assert ran.returncode == (255 if words[0] == "rsh" else 124)  # as ssh does
