"""The bash script: a table of the commands, and an engine that reads it."""

from qga_cli import catalog
from qga_cli.gen import grammar
from qga_cli.spec import Command


def script() -> str:
    """completions/qga.bash."""
    cases = [_case(path) for path in grammar.paths()]
    table = "# What goes on from `qga $1`.\n_qga_table() {\n    case $1 in\n"
    table += "".join(cases) + "    esac\n}\n"
    return grammar.header("bash") + "\n" + table + "\n" + grammar.engine("engine.bash")


def _case(path: tuple[str, ...]) -> str:
    words = " ".join(grammar.children(path))
    command = None if words else catalog.load(path)
    options = " ".join(_options(command))
    places = " ".join(grammar.slot(command, arg) for arg in grammar.positionals(command))
    return (
        f"        '{' '.join(path)}')\n"
        f"            children='{words}' places='{places}'\n"
        f"            options='{options}' ;;\n"
    )


def _options(command: Command | None) -> list[str]:
    found = [
        f"{name}={grammar.kind(command, arg)}" if grammar.takes_value(arg) else name
        for arg in grammar.options(command)
        for name in grammar.names(arg)
    ]
    return [*found, "--help", "-h"]
