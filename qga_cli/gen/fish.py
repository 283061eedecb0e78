"""The fish script: a table of the commands, and an engine that reads it."""

from qga_cli.gen import grammar
from qga_cli.spec import Command


def script() -> str:
    """completions/qga.fish."""
    shared = grammar.CommonOptions(
        {" ".join(path): _options(grammar.command(path)) for path in grammar.paths()}
    )
    groups = "".join(
        f"set -g __qga_common{number}{_listed(lines, 4)}\n"
        for number, lines in enumerate(shared.groups)
    )
    sets = "".join(
        f"set -g __qga_set{number}{''.join(f' $__qga_common{group}' for group in groups)}\n"
        for number, groups in enumerate(shared.sets)
    )
    cases = "".join(_case(path, shared) for path in grammar.paths())
    return (
        f"{grammar.header('fish')}\n"
        f"# Options that several commands have, and the sets that commands have of them.\n"
        f"{groups}{sets}\n"
        "# What goes on from `qga $argv`: +NAME for a command, -NAME[=KIND] for an option, KIND\n"
        "# for what comes besides; a remark after a tab.\n"
        f'function __qga_table\n    switch "$argv"\n{cases}    end\nend\n\n'
        f"{grammar.engine('engine.fish')}"
    )


def _options(command: Command | None) -> list[str]:
    lines = []
    for arg in grammar.options(command):
        value = f"={grammar.kind(command, arg)}" if arg.takes_value else ""
        lines += [f"{name}{value}\t{arg.help}" for name in arg.names[::-1]]
    return [*lines, "--help\tShow this command's help" if command else "--help\tShow help"]


def _case(path: tuple[str, ...], shared: grammar.CommonOptions) -> str:
    key, command = " ".join(path), grammar.command(path)
    lines = [f"+{word}\t{says}" for word, says in grammar.children(path).items()]
    slots = [grammar.slot(command, arg) for arg in grammar.positionals(command)]
    own = _listed([*lines, *shared.own[key]], 16)
    listed = f"{own} $__qga_set{shared.of[key]}{_listed(slots, 16)}"
    return f"        case '{key}'\n            printf '%s\\n'{listed}\n"


def _listed(lines: list[str], indent: int) -> str:
    return "".join(f" \\\n{' ' * indent}{_quote(line)}" for line in lines)


def _quote(line: str) -> str:
    text, tab, remark = line.partition("\t")
    return f"'{_escape(text)}'" + (f"\\t'{_escape(remark)}'" if tab else "")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
