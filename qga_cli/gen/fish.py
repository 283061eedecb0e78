"""The fish script: a table of the commands, and an engine that reads it."""

from qga_cli import catalog
from qga_cli.gen import grammar


def script() -> str:
    """completions/qga.fish."""
    cases = "".join(_case(path) for path in grammar.paths())
    table = (
        "# What goes on from `qga $argv`: +NAME for a command, -NAME[=KIND] for an option, KIND\n"
        "# for what comes besides; a remark behind a tab.\n"
        f'function __qga_table\n    switch "$argv"\n{cases}    end\nend\n'
    )
    return grammar.header("fish") + "\n" + table + "\n" + grammar.engine("engine.fish")


def _case(path: tuple[str, ...]) -> str:
    lines = [f"+{word}\t{says}" for word, says in grammar.children(path).items()]
    command = None if lines else catalog.load(path)
    for arg in grammar.options(command):
        value = f"={grammar.kind(command, arg)}" if grammar.takes_value(arg) else ""
        lines += [f"{name}{value}\t{arg.help}" for name in grammar.names(arg)]
    lines.append("--help\tShow this command's help" if command else "--help\tShow help")
    if command:
        lines += [grammar.slot(command, arg) for arg in grammar.positionals(command)]
    quoted = "".join(f" \\\n                {_quote(line)}" for line in lines)
    return f"        case '{' '.join(path)}'\n            printf '%s\\n'{quoted}\n"


def _quote(line: str) -> str:
    text, tab, remark = line.partition("\t")
    return f"'{_escape(text)}'" + (f"\\t'{_escape(remark)}'" if tab else "")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
