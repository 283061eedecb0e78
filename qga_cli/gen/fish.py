"""The fish script: a table of the commands, and an engine that reads it."""

from qga_cli import catalog
from qga_cli.gen import grammar
from qga_cli.spec import Command


def script() -> str:
    """completions/qga.fish."""
    options = {" ".join(path): _options(_command(path)) for path in grammar.paths()}
    groups, has = grammar.share(options)
    common = "".join(
        f"set -g __qga_common{number}{_listed(lines, 4)}\n" for number, lines in enumerate(groups)
    )
    cases = "".join(
        _case(path, options[" ".join(path)], groups, has[" ".join(path)])
        for path in grammar.paths()
    )
    table = (
        "# Options that several commands have.\n" + common + "\n"
        "# What goes on from `qga $argv`: +NAME for a command, -NAME[=KIND] for an option, KIND\n"
        "# for what comes besides; a remark after a tab.\n"
        f'function __qga_table\n    switch "$argv"\n{cases}    end\nend\n'
    )
    return grammar.header("fish") + "\n" + table + "\n" + grammar.engine("engine.fish")


def _command(path: tuple[str, ...]) -> Command | None:
    return None if grammar.children(path) else catalog.load(path)


def _options(command: Command | None) -> list[str]:
    lines = []
    for arg in grammar.options(command):
        value = f"={grammar.kind(command, arg)}" if grammar.takes_value(arg) else ""
        lines += [f"{name}{value}\t{arg.help}" for name in grammar.names(arg)]
    return [*lines, "--help\tShow this command's help" if command else "--help\tShow help"]


def _case(
    path: tuple[str, ...], options: list[str], groups: list[list[str]], has: list[int]
) -> str:
    command = _command(path)
    lines = [f"+{word}\t{says}" for word, says in grammar.children(path).items()]
    lines += [line for line in options if not any(line in groups[number] for number in has)]
    common = "".join(f" $__qga_common{number}" for number in has)
    slots = [grammar.slot(command, arg) for arg in grammar.positionals(command)]
    listed = _listed(lines, 16) + common + _listed(slots, 16)
    return f"        case '{' '.join(path)}'\n            printf '%s\\n'{listed}\n"


def _listed(lines: list[str], indent: int) -> str:
    return "".join(f" \\\n{' ' * indent}{_quote(line)}" for line in lines)


def _quote(line: str) -> str:
    text, tab, remark = line.partition("\t")
    return f"'{_escape(text)}'" + (f"\\t'{_escape(remark)}'" if tab else "")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
