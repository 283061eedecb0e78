"""The registry under lint: what every record owes to help, manual, completion and tables."""

import inspect
import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from qga_cli import catalog, spec
from qga_cli.cli import main, quick_parser
from qga_cli.cli.options import for_command
from qga_cli.spec import Command
from qga_cli.verbs.job import parameter
from tests import REPO

COMMANDS = list(catalog.walk())
CASES = REPO / "tests" / "cases"
KINDS = {value for name, value in vars(spec).items() if name.isupper() and isinstance(value, str)}

each = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


def cases(command: Command) -> list[Path]:
    return [*CASES.glob(f"{command.wire}.json"), *CASES.glob(f"{command.wire}.*.json")]


@each
def test_words(command: Command) -> None:
    assert command.summary[0].isupper()
    assert not command.summary.endswith(".")
    assert len(command.summary) <= 75
    assert not command.notes or command.notes.endswith((".", ")"))
    for arg in command.args:
        assert not arg.help.endswith("."), arg.name
        assert not arg.help[0].islower(), arg.name


@each
def test_facts(command: Command) -> None:
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?", command.since) or not command.wire
    assert set(command.systems) <= {"Linux", "Windows", "FreeBSD"}
    assert command.scope in ("guest", "fleet", "places", "inside", "none")
    assert command.wire.startswith("guest-") or command.run
    assert command.patience > 0
    # 5 and 10 seconds are libvirt's own timeouts; see docs/architecture.md.
    assert not (command.changes and command.patience in (5, 10))


@each
def test_its_file_says_which_command_it_is(command: Command) -> None:
    module = import_module(".".join(("qga_cli.commands", *command.words)).replace("-", "_"))
    wanted = command.wire or command.words[-1]
    assert wanted in (module.__doc__ or "")


@each
def test_examples(command: Command) -> None:
    assert command.examples
    for example in command.examples:
        assert example.says
        assert command_of(example.line)[0], example.line
    assert any(command_of(example.line)[0] is command for example in command.examples)


@each
def test_arguments(command: Command) -> None:
    args = for_command(command)
    assert len({arg.name for arg in args}) == len(args)
    shorts = [arg.short for arg in args if arg.short]
    assert len(set(shorts)) == len(shorts)
    for arg in command.args:
        assert arg.kind in KINDS
        assert arg.metavar or arg.kind in (spec.FLAG, spec.COUNT)
    lists = [arg for arg in command.args if arg.positional and arg.many]
    assert all(arg.many for arg in args if arg.positional and arg in lists[1:])


@each
def test_what_it_shows(command: Command) -> None:
    for column in command.columns:
        assert column.kind in KINDS
        assert re.fullmatch(r"[a-z][a-z0-9-]*%?", column.name)
    names = [column.name for column in command.columns]
    assert len(set(names)) == len(names)
    if isinstance(command.result, (dict, list)) and command.result and not command.run:
        assert command.columns, "an object or a list needs columns"
    if command.columns and not isinstance(command.result, (dict, list)):
        assert callable(command.rows) or command.run, "a single value has no columns"


@each
def test_a_verb_names_its_options(command: Command) -> None:
    """Each parameter is an option of the command's, of the type that its kind is read as."""
    if not command.run:
        return
    module, _, function = command.run.partition(":")
    verb = getattr(import_module(f"qga_cli.{module}"), function)
    args = {parameter(arg.name): arg for arg in for_command(command)}
    job, *options = inspect.signature(verb).parameters.values()
    assert job.name == "job"
    for option in options:
        assert option.kind is option.KEYWORD_ONLY, option
        arg = args.get(option.name)  # None: of another command that has this verb too
        given = arg and (arg.required or arg.default is not None)
        assert given or option.default is not option.empty, option
        kind = getattr(option.annotation, "__name__", str(option.annotation)).strip("'\"")
        assert not arg or kind.removesuffix(" | None") in types(arg), option
    # What only the agent is asked for, it is; else an option would mean nothing.
    read = {option.name for option in options} | NOT_THE_VERBS.get(command.name, set())
    own = {parameter(arg.name) for arg in command.args if not arg.wire or not command.wire}
    assert own <= read, own - read


def types(arg: spec.Arg) -> tuple[str, ...]:
    if arg.kind == spec.KEY:
        return ("list[str]",)
    kinds = {
        spec.FLAG: "bool",
        spec.DURATION: "float",
        spec.VCPUS: "dict[str, Any]",
        **dict.fromkeys((spec.INT, spec.POSITIVE, spec.PID, spec.SIZE), "int"),
    }
    one = kinds.get(arg.kind, "str")
    return (f"list[{one}]", f"Sequence[{one}]") if arg.many else (one,)


# Options of verbs that something else reads: the fleet, the view, and those that mean nothing.
NOT_THE_VERBS = {
    **{name: {"quiet", "recursive"} for name in ("cp", "push", "pull")},
    "fs with-frozen": {"guests"},
    "raw": {"output"},
    "metrics": {"output", "timeout"},
    "exporter": {"timeout"},
    "top": {"timeout"},
    "wait": {"timeout"},
    "rsh": {
        "port", "identity", "config", "ipv4", "ipv6", "compress", "quiet", "no_tty", "no_x11",
        "no_agent",
    },
}  # fmt: skip


@each
def test_a_wire_command_has_a_case(command: Command) -> None:
    # exec makes many calls of its own devising: tests/exec/test_exec.py has it.
    assert cases(command) or not command.wire or command.wire == "guest-exec"


@each
def test_a_case_covers_every_column(command: Command) -> None:
    """Each column, those included that only --columns shows, has a value in some case."""
    if not command.wire or command.wire == "guest-exec":
        return
    left = {column.name: column for column in command.columns}
    for path in cases(command):
        reply = json.loads(path.read_text()).get("reply", {})
        if "return" not in reply:
            continue
        rows = command.rows
        value: Any = rows(reply["return"]) if callable(rows) else reply["return"]
        value = value[rows] if isinstance(rows, str) and rows else value
        for row in value if isinstance(value, list) else [value]:
            left = {n: c for n, c in left.items() if c.value(row) is None}
    assert not left


@each
def test_its_name_and_its_wire_name_find_it(command: Command) -> None:
    assert catalog.find([*command.words, "web1"]) is command
    if command.wire:
        assert catalog.find([command.wire, "web1"]) is command


@each
def test_its_examples_can_be_typed(command: Command) -> None:
    for example in command.examples:
        meant, words = command_of(example.line)
        assert meant
        assert quick_parser.parse(for_command(meant), words) is not None, example.line


def command_of(line: str) -> tuple[Command | None, list[str]]:
    """The qga command in a line of shell, and its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    words = words[words.index("qga") + 1 :]
    ends = (at for at, word in enumerate(words) if set(word) <= set("();<>|&"))
    return main.find(words[: next(ends, len(words))])


def test_every_case_belongs_to_a_command() -> None:
    wires = {command.wire for command in COMMANDS}
    assert {path.name.split(".")[0] for path in CASES.glob("*.json")} <= wires


def test_groups_have_a_summary() -> None:
    for group in catalog.groups():
        assert re.fullmatch(r"[A-Z][^.]+", catalog.group_summary(group))
