"""`qga COMMAND --help`: what is on the screen, and that it fits."""

import pytest

from qga_cli import catalog, spec
from qga_cli.cli import command_help
from qga_cli.cli.options import for_command
from qga_cli.spec import Command
from tests.kit.command import qga

COMMANDS = list(catalog.walk())


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_screen_fits_the_terminal(
    command: Command, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for line in command_help.screen(command).splitlines():
        typed = line.strip() in {example.line for example in command.examples}
        term = line.strip() in {command_help.term(arg) for arg in for_command(command)}
        alone = len(line.split()) == 1  # a word is never broken
        assert len(line) <= int(columns) or typed or term or alone, line


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_option_of_a_command_is_named(command: Command) -> None:
    screen = command_help.screen(command)
    for arg in for_command(command):
        if not arg.positional:
            assert f"--{arg.name}" in screen or f" {arg.short}" in screen, arg.name


def test_own_options_stand_before_the_common_ones() -> None:
    screen = qga("cp", "--help").out
    assert screen.index("--recursive") < screen.index("Common options")
    assert "qga help options" in screen
    assert "--fail-fast  " not in screen  # named, not described


def test_state_s_default_is_said_of_each_command() -> None:
    """Where the guests may be left out, all are meant, in whatever state."""
    for command in COMMANDS:
        state = next((arg for arg in for_command(command) if arg.name == "state"), None)
        guests = next((arg for arg in for_command(command) if arg.kind == spec.GUEST), None)
        if state and guests:
            assert (command.name in state.help) is not guests.required, command.name


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["web1", "--help"], ["-o", "json", "-h"]])
def test_help_is_the_same_wherever_it_is_asked(words: list[str]) -> None:
    ran = qga("fs", "list", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == qga("fs", "list", "--help").out
