"""The configuration file: what it may say, whose mistakes are named where, who may write it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli import config
from qga_cli.config import load
from qga_cli.errors import UsageError
from tests.kit.command import Ran, environment, qga
from tests.kit.fake import FakeAgent, Handler

FULL = """\
connect = "qemu:///system"

[hosts]
alpha = "qemu+tcp://alpha/system"
"beta.example.org" = "unix:/run/{vm}.qga"

[groups]
web = ["web*", "alpha/db1"]

[defaults]
output = "json"
exec.timeout = "1h"
[defaults.fs.list]
columns = "mountpoint"

[aliases]
df = "fs list --columns mountpoint"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "qga" / "config.toml"
    path.parent.mkdir()
    return path


def run(file: Path, *words: str) -> Ran:
    return qga(*words, env={"XDG_CONFIG_HOME": str(file.parent.parent)})


def test_values_and_their_origins(file: Path) -> None:
    file.write_text(FULL)
    config = load([str(file)])
    assert config.get("connect") == "qemu:///system"
    assert config.values("hosts")["beta.example.org"] == "unix:/run/{vm}.qga"
    assert config.get("groups", "web") == ["web*", "alpha/db1"]
    assert config.get("defaults", "exec", "timeout") == "1h"
    assert config.get("nosuch") is None
    assert config.values("defaults") == {"output": "json"}
    origins = {path: setting.origin.rpartition(":")[2] for path, setting in config.settings.items()}
    assert origins == {
        ("connect",): "1",
        ("hosts", "alpha"): "4",
        ("hosts", "beta.example.org"): "5",
        ("groups", "web"): "8",
        ("defaults", "output"): "11",
        ("defaults", "exec", "timeout"): "12",
        ("defaults", "fs", "list", "columns"): "14",
        ("aliases", "df"): "17",
    }


def test_the_user_s_file_goes_over_the_system_s(file: Path, tmp_path: Path) -> None:
    system = tmp_path / "system.toml"
    system.write_text('connect = "unix:/a"\n[hosts]\nalpha = "unix:/a"\nbeta = "unix:/b"\n')
    file.write_text('[hosts]\nalpha = "unix:/c"\n')
    read = load([str(system), str(file), str(tmp_path / "missing.toml")])
    assert read.values("hosts") == {"alpha": "unix:/c", "beta": "unix:/b"}
    assert read.table("hosts")["alpha"].origin == f"{file}:2"
    assert read.table("hosts")["beta"].origin == f"{system}:4"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("connect = =", "config.toml: Invalid value (at line 1"),
        pytest.param("connect = " + "[" * 99999, "config.toml: ", id="deep"),
        pytest.param("connect = " + "9" * 5000, "config.toml: ", id="long"),
        ("connect = 5", ":1: connect should be a URI in quotes"),
        ("\nconect = 'x'", ":2: unknown setting 'conect'"),
        ("[host]\na = 'x'", ":2: unknown table [host]"),
        ("hosts = 'x'", ":1: hosts should be a table: a line [hosts]"),
        ("[hosts]\na = 1", ":2: hosts.a should be a URI in quotes"),
        ("[hosts]\n'a/b' = 'unix:/x'", ":2: 'a/b' cannot name a host"),
        ("[hosts.a]\nuri = 'x'", ":2: hosts.a.uri should be one value, not a table"),
        ("[groups]\n\nweb = 'web*'", ":3: groups.web should be a list of guests in quotes"),
        ("[groups]\nweb = [1]", ":2: groups.web should be a list of guests"),
        ("[aliases]\nx = ['ping']", ":2: aliases.x should be a command line in quotes"),
        ("[defaults]\noutput = 2020-01-01", ":2: defaults.output should be text"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(file: Path, text: str, complaint: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load([str(file)])
    assert complaint in caught.value.message
    assert str(file) in caught.value.message


def test_the_mark_that_some_editors_begin_a_file_with_is_no_mistake(file: Path) -> None:
    file.write_bytes('connect = "unix:/a"\n'.encode("utf-8-sig"))
    assert load([str(file)]).get("connect") == "unix:/a"


def test_a_near_name_is_suggested(file: Path) -> None:
    file.write_text("[host]\na = 'unix:/x'\n")
    with pytest.raises(UsageError) as caught:
        load([str(file)])
    assert caught.value.hint == "did you mean hosts?"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_a_mistake(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    complaint = str(path)
    try:
        load([str(path)])
    except UsageError as error:
        complaint = error.message
    assert str(path) in complaint


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666])
def test_a_file_that_others_can_write_is_refused(file: Path, mode: int) -> None:
    file.write_text("[aliases]\nping = 'exec web1 -- rm -rf /'\n")
    file.chmod(mode)
    done = run(file, "ping", "web1")
    assert done.code == 2
    assert f"{file} is refused: others can write it" in done.err
    assert f"chmod go-w {file}" in done.err


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_file_in_a_folder_that_others_can_write_to_is_refused(file: Path, mode: int) -> None:
    """They could put another one in its place, or have it go."""
    file.write_text("")
    file.parent.chmod(mode)
    try:
        with pytest.raises(UsageError, match=f"others can write to {file.parent}") as error:
            load([str(file)])
        assert error.value.hint == f"chmod go-w {file.parent}"
        file.parent.chmod(mode | 0o1000)  # in such a one only the owner can
        load([str(file)])
    finally:
        file.parent.chmod(0o700)


def test_a_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    if file.stat().st_uid == 0:  # root's files are everyone's to trust
        assert load([str(file)]).settings == {}
        os.chown(file, 12345, -1)
    with pytest.raises(UsageError, match="it belongs to another user"):
        load([str(file)])


def test_help_and_version_need_no_sound_file(file: Path) -> None:
    file.write_text("nonsense")
    assert run(file, "--version").code == 0
    assert run(file, "ping", "--help").code == 0
    assert run(file, "ping", "x").code == 2


def test_where_connect_comes_from(file: Path, fake: Callable[[Handler], FakeAgent]) -> None:
    agents = [fake(lambda request, name=name: {"host-name": name}) for name in "abc"]  # type: ignore[misc]
    file.write_text(f'connect = "{agents[0].uri}"\n[hosts]\nc = "{agents[2].uri}"\n')
    home = {"XDG_CONFIG_HOME": str(file.parent.parent)}
    words = ("os", "hostname", "x")
    assert qga(*words, env=home).out == "a\n"
    assert qga(*words, env=home | {"QGA_CONNECT": agents[1].uri}).out == "b\n"
    assert qga("-c", agents[2].uri, *words, env=home | {"QGA_CONNECT": agents[1].uri}).out == "c\n"
    assert qga("-c", "c", *words, env=home).out == "c\n", "a host's name does for its URI"
    assert qga("os", "hostname", "c/x", env=home).out == "c\n"


def test_defaults_are_for_one_command_or_all(
    file: Path, fake: Callable[[Handler], FakeAgent]
) -> None:
    replies: dict[object, object] = {"guest-ping": {}, "guest-get-host-name": {"host-name": "h"}}
    uri = fake(lambda request: replies[request["execute"]]).uri
    file.write_text(f'connect = "{uri}"\n[defaults]\noutput = "json"\n'
                    '[defaults.os.hostname]\noutput = "csv"\n')  # fmt: skip
    assert run(file, "ping", "x").out == "{}\n"
    assert run(file, "os", "hostname", "x").out == "hostname\nh\n"
    assert run(file, "os", "hostname", "x", "-o", "json").out == '{"host-name":"h"}\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[defaults]\nnosuch = 1", ":2: no command has an option 'nosuch'"),
        ("[defaults.ping]\ncolumns = 'a'", ":2: `ping` has no option 'columns'"),
        ("[defaults]\nparallel = 'many'", ":2: --parallel: 'many' is not a whole number"),
        ("[defaults]\ntimeout = ['1m']", ":2: timeout should be one value, not a list"),
        ("[defaults]\ncolumns = ['vm', 'os']", ":2: columns should be one value, not a list"),
        ("[defaults]\nparallel = 0", ":2: --parallel: '0' is not a whole number from 1 on"),
        ("[defaults]\nfail-fast = 'yes'", ":2: fail-fast should be true or false"),
    ],
)
def test_a_wrong_default_is_named_too(file: Path, text: str, complaint: str) -> None:
    file.write_text(text)
    done = run(file, "ping", "x")
    assert done.code == 2
    assert complaint in done.err


def test_aliases(file: Path, fake: Callable[[Handler], FakeAgent]) -> None:
    uri = fake(lambda request: {"host-name": "h"}).uri
    file.write_text(
        "[aliases]\nname = \"os hostname -o 'json'\"\nping = 'os hostname'\n"
        'bad = "os \'hostname"\n'
    )
    assert run(file, "-c", uri, "name", "x").out == '{"host-name":"h"}\n'
    assert run(file, "-c", uri, "name", "x", "-o", "csv").out == "hostname\nh\n"
    pinged = run(file, "-c", uri, "ping", "x", "-o", "json")
    assert "host-name" not in pinged.err, "a command is never replaced"
    broken = run(file, "-c", uri, "bad", "x")
    assert (broken.code, ":4: alias bad" in broken.err) == (2, True)
    assert "no command 'nosuch'" in run(file, "nosuch").err
    screen = run(file, "--help").out
    assert "\nAliases of the configuration:\n  name   os hostname -o 'json'\n" in screen
    file.write_text("[aliases\n")
    assert run(file, "--help").out == qga("--help").out


def test_the_folder_that_we_work_in_may_be_gone(file: Path, tmp_path: Path) -> None:
    """As when a service's folder was replaced: a policy's file, and an audit file, count still."""
    file.write_text("[aliases]\n")
    gone = tmp_path / "gone"
    program = f"mkdir {gone}; cd {gone}; rmdir {gone}; exec {sys.executable} -P -m qga_cli"
    for words, told in (
        ("config show", ""),
        (f"-c unix:/nonexistent ping x --audit {tmp_path}/log", "cannot connect to /nonexistent"),
        (
            "-c unix:/nonexistent ping x --audit log",
            "the audit file log cannot be written: No such",
        ),
    ):
        ran = subprocess.run(
            ["sh", "-c", f"{program} {words}"], env=environment({"XDG_CONFIG_HOME": str(tmp_path)}),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert told in ran.stderr, ran.stderr
        assert (ran.returncode == 0) == (not told), ran.stderr


@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_policy_behind_a_link_that_leads_nowhere_is_not_none(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a filesystem that is not mounted yet: nothing was forbidden then."""
    folder = tmp_path / "qga"
    path = folder / "config.toml"
    if link == "folder":
        folder.symlink_to(tmp_path / "absent")
    else:
        folder.mkdir()
        path.symlink_to(tmp_path / "absent")
    assert load([str(path)]).settings == {}  # one's own forbids nothing
    monkeypatch.setattr(config, "SYSTEM", str(path))
    with pytest.raises(UsageError, match="No such file"):
        load([str(path)])
