"""The plain parser and Typer understand the same words alike."""

import shlex
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.cli import quick_parser, typer_parser
from qga_cli.cli.options import for_command
from qga_cli.cli.values import convert
from qga_cli.errors import UsageError
from qga_cli.spec import Command
from tests.kit.command import qga

LINES = [
    "ping web1",
    "ping -c qemu:///system web1",
    "ping --connect=qemu:///system web1",
    "ping -cqemu:///system web1",
    "ping web1 -v",
    "ping web1 -vv -v",
    "ping web1 --verbose --verbose",
    "ping -- -odd-name",
    "ping 'web 1'",
    "fs list web1 -o json --columns mountpoint,used",
    "fs list -ojson web1",
    "fs list web1 --no-header --sort -used",
    "fs list 'web*' -j 4 --fail-fast --timeout 30s",
    "exec web1 ls -l /",
    "exec web1 -- ls -l /",
    "exec web1 ls -- -l",
    "exec -o json web1 -- sh -c 'exit 7'",
    "exec --timeout 1s -v web1 -- sleep 100",
    "exec web1 -- -leading dash",
    "exec web1 -- df -h",
    "exec web1 -- ''",
    "exec-status web1 4711",
    "file seek web1 1000 -100 --whence end",
    "file seek -v web1 1000 -- -100",
    "cpu set web1 1=on 2=off",
    "time set web1",
    "time set web1 1767225600000000000",
    "ssh add web1 root 'ssh-ed25519 AAAA me' 'ssh-rsa AAAB you' --reset",
    "user set-password web1 root --password-stdin --crypted",
    "raw web1 guest-x a=b c:=1 --pretty -o json",
    "fs trim 'web*' --minimum=1M",
    "fs with-frozen web1 -- lvcreate -s vg/web1",
    "fs with-frozen --max 10s --mountpoint / --mountpoint=/data web1 db1 -- sh -c 'exit 7'",
    "fs with-frozen web1 -v db1 -- echo -- --help",
    "fs freeze --for 60s web1",
    "fs freeze-list web1 / /data --for 5m",
]


def command_of(line: str) -> tuple[Command, list[str]]:
    words = shlex.split(line)
    command = catalog.find(words)
    assert command is not None
    return command, words[len(command.words) :]


@pytest.mark.parametrize("line", LINES)
def test_both_parsers_agree(line: str) -> None:
    command, words = command_of(line)
    args = for_command(command)
    quick = quick_parser.parse(args, words)
    assert quick is not None, "the plain parser should not need Typer for this"
    assert convert(args, quick) == convert(args, typer_parser.parse(command, words))


@pytest.mark.parametrize(
    "line",
    [
        "ping",
        "ping web1 web2",
        "ping --nosuch web1",
        "ping web1 --connect",
        "ping -x web1",
        "ping web1 -vx",
        "ping web1 --verbose=3",
        "exec",
        "exec web1",
        "exec web1 --",
        "exec-status web1",
        "file seek web1 1000",
        "cpu set web1",
        "ping web1 -5",
        "fs with-frozen web1",
        "fs with-frozen web1 true",
        "fs with-frozen web1 --",
        "fs with-frozen -- true",
        "fs with-frozen --nosuch web1 -- true",
    ],
)
def test_what_is_wrong_is_left_to_typer_which_says_so(line: str) -> None:
    command, words = command_of(line)
    assert quick_parser.parse(for_command(command), words) is None
    with pytest.raises(UsageError) as caught:
        typer_parser.parse(command, words)
    # A guest that is missing leads to the list of them.
    known = "qga list" if caught.value.message == "VM is missing" else f"qga {command.name}"
    assert known in caught.value.hint


@pytest.mark.parametrize(
    "line",
    ["ping --help", "ping -h", "exec --help", "fs list web1 --help", "fs with-frozen --help"],
)
def test_help_is_left_to_typer(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, words = command_of(line)
    assert quick_parser.parse(for_command(command), words) is None
    with pytest.raises(SystemExit):
        typer_parser.parse(command, words)
    assert command.summary in capsys.readouterr().out


def test_every_option_is_known_to_both() -> None:
    for command in catalog.walk():
        args = for_command(command)
        names = [name for arg in args for name in (arg.name, arg.short) if name]
        assert len(names) == len(set(names)), f"{command.name} has an option twice"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fs trim web1 --minimum 64\u212a", "a size such as"),  # the sign of kelvin
        ("fs trim web1 --minimum 9999999P", "below 8192P"),
        (f"cpu set web1 {'1' * 5000}=on", "ID=on or ID=off"),
        ("cpu set web1 9223372036854775808=on", "ID=on or ID=off"),
        ("time set web1 9223372036854775808", "years 1677 to 2262"),
        ("time set web1 9999-12-31", "years 1677 to 2262"),
        ("time set web1 0001-01-01T00:00:00+14:00", "years 1677 to 2262"),
        ("file seek web1 1000 -9999999999999999999", "64 bits"),
    ],
)
def test_what_the_agent_has_no_number_for(line: str, says: str) -> None:
    command, words = command_of(line)
    args = for_command(command)
    with pytest.raises(UsageError, match=says):
        convert(args, quick_parser.parse(args, words) or {})


@pytest.mark.parametrize(
    "line",
    ["-c '' ping web1", "fs list web1 --columns ''", "fs list web1 --sort ''",
     "exec -u '' web1 -- id", "shell -u '' web1", "rsh -l '' web1 id",
     "cp --owner '' /etc/hosts web1:/tmp/x"],
)  # fmt: skip
def test_an_empty_option_is_a_variable_that_is_not_set(line: str) -> None:
    """It would be taken for one that was left out: another host is asked, root runs it."""
    ran = qga(*shlex.split(line))
    assert ran.code == 2
    assert "is empty\nhint: leave the option out for the default" in ran.err


@pytest.mark.parametrize("line", ["list ''", "metrics ''", "top ''", "exporter ''", "ping ''"])
def test_an_empty_name_is_not_all_guests(line: str, tmp_path: Path) -> None:
    """`qga list "$vm"` listed all of them where the variable was not set."""
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}", *shlex.split(line))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("qga: an empty guest name")
