"""The bash script: a table of the commands, and an engine that reads it."""

from qga_cli.gen import grammar
from qga_cli.spec import Command


def script() -> str:
    """completions/qga.bash."""
    shared = grammar.CommonOptions(
        {" ".join(path): _options(grammar.command(path)) for path in grammar.paths()}
    )
    groups = "".join(
        f"_qga_common{number}='{' '.join(words)}'\n" for number, words in enumerate(shared.groups)
    )
    sets = "".join(
        f'_qga_set{number}="{" ".join(f"$_qga_common{group}" for group in groups)}"\n'
        for number, groups in enumerate(shared.sets)
    )
    cases = "".join(_case(path, shared) for path in grammar.paths())
    return (
        f"{grammar.header('bash')}\n"
        f"# Options that several commands have, NAME=KIND; the sets that commands have of them.\n"
        f"{groups}{sets}\n"
        f"# What goes on from `qga $1`.\n_qga_table() {{\n    case $1 in\n{cases}    esac\n}}\n\n"
        f"{grammar.engine('engine.bash')}"
    )


def _case(path: tuple[str, ...], shared: grammar.CommonOptions) -> str:
    key, command = " ".join(path), grammar.command(path)
    words = " ".join(grammar.children(path))
    places = " ".join(grammar.slot(command, arg) for arg in grammar.positionals(command))
    own = f"'{' '.join(shared.own[key])} '" if shared.own[key] else ""
    return (
        f"        '{key}')\n"
        f"            children='{words}' places='{places}'\n"
        f'            options={own}"$_qga_set{shared.of[key]}" ;;\n'
    )


def _options(command: Command | None) -> list[str]:
    found = [
        f"{name}={grammar.kind(command, arg)}" if arg.takes_value else name
        for arg in grammar.options(command)
        for name in arg.names[::-1]
    ]
    return [*found, "--help", "-h"]
